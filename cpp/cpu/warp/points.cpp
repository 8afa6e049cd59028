#include <cpu/warp/groups.hpp>
#include <cpu/warp/points.hpp>

#include <cmath>

namespace voxkern::cpu {
namespace {

// How many coordinates fill a register.
constexpr int part = simd::lanes<f64> < 4 ? 2 : 4;
using Part = Vec<f64, part>;

// One f64 for each of N points, as R.
template <class R, int N>
inline Vec<R, N> narrowed(const Part (&d)[N / part]) {
  Vec<R, N> out;
  if constexpr (std::is_same_v<R, f64>) {
    std::memcpy(&out, d, sizeof out);
  } else if constexpr (part == 4) {
    out = joined<4>(simd::convert<f32>(d[0]), simd::convert<f32>(d[1]),
                    std::make_integer_sequence<int, 8>{});
  } else {
    for (int i = 0; i < N; ++i) out.v[i] = f32(d[i / part].v[i % part]);
  }
  return out;
}

// The first voxel that each point of a group reads, and its fractions along z, y, x.
template <class R>
struct Spots {
  alignas(64) i64 from[group<R>];
  Vec<R, group<R>> t[3];
};

template <int order, class R>
[[gnu::always_inline]] inline void locate(const f64* const (&c)[3], const Part (&last)[3],
                                          const Part (&step)[3], Spots<R>& spots) {
  constexpr int N = group<R>, parts = N / part;
  const f64 magic = 6755399441055744.0;  // 1.5 * 2^52: adding it leaves an integer in the low bits
  Part from[parts];
  for (int p = 0; p < parts; ++p) from[p] = Part(magic);
  for (int a = 0; a < 3; ++a) {
    Part t[parts];
    for (int p = 0; p < parts; ++p) {
      const Part x = simd::load<f64, part>(c[a] + p * part);
      Part whole = simd::floor(order % 2 ? x : x + Part(0.5));
      if constexpr (order == 1) whole = simd::min(whole, last[a]);
      t[p] = x - whole;
      if constexpr (order > 1) whole -= Part(f64(order / 2));
      from[p] += whole * step[a];
    }
    if constexpr (order > 0) spots.t[a] = narrowed<R, N>(t);
  }
  for (int p = 0; p < parts; ++p) {
    const auto bits = simd::bits_as<i64>(from[p]) - simd::bits_as<i64>(Part(magic));
    simd::store(spots.from + p * part, bits);
  }
}

template <class R, int N>
[[gnu::always_inline]] inline Vec<R, N> between(Vec<R, N> a, Vec<R, N> b, Vec<R, N> s,
                                                Vec<R, N> t) {
  return simd::fma(b, t, a * s);  // s = 1 - t: exact at both ends
}

template <class R, class T>
[[gnu::always_inline]] inline Vec<R, group<R>> linear(const T* data, i64 dz, i64 dy,
                                                      const Spots<R>& spots) {
  using V = Vec<R, group<R>>;
  const V tz = spots.t[0], ty = spots.t[1], tx = spots.t[2];
  const V sz = V(R(1)) - tz, sy = V(R(1)) - ty, sx = V(R(1)) - tx;
  const auto row = [&](const T* p) {
    V low, high;
    pairs<R>(p, spots.from, low, high);
    return between(low, high, sx, tx);
  };
  const V near = between(row(data), row(data + dy), sy, ty);
  if (dz == 0) return near;
  const V far = between(row(data + dz), row(data + dz + dy), sy, ty);
  return between(near, far, sz, tz);
}

// Rows of coefficients, weighed along y and z point by point, then along x all at once.
template <int order, class R>
[[gnu::always_inline]] inline Vec<R, group<R>> spline(const R* data, i64 dz, i64 dy,
                                                      const Spots<R>& spots) {
  constexpr int N = group<R>, many = order + 1;
  using V = Vec<R, N>;
  using Q = Vec<R, 4>;
  V wx[many], w[many];
  alignas(64) R wy[many][N], wz[many][N];
  spline_weights<order>(spots.t[0], w);
  for (int k = 0; k < many; ++k) simd::store(wz[k], w[k]);
  spline_weights<order>(spots.t[1], w);
  for (int k = 0; k < many; ++k) simd::store(wy[k], w[k]);
  spline_weights<order>(spots.t[2], wx);
  Q sums[windows(order)][N];
  const int planes = dz == 0 ? 1 : many;
  for (int n = 0; n < N; ++n) {
    Q along_y[many];
    for (int j = 0; j < many; ++j) along_y[j] = Q(wy[j][n]);
    for (int i = 0; i < windows(order); ++i) {
      const R* p = data + spots.from[n];
      Q sum;
      for (int k = 0; k < planes; ++k, p += dz) {
        Q plane = window<order>(p, i) * along_y[0];
        for (int j = 1; j < many; ++j)
          plane = simd::fma(window<order>(p + j * dy, i), along_y[j], plane);
        sum = k ? simd::fma(plane, Q(wz[k][n]), sum) : planes == 1 ? plane : plane * Q(wz[0][n]);
      }
      sums[i][n] = sum;
    }
  }
  return across<order>(sums, wx);
}

void weights_of(int order, f64 t, f64* w) {
  switch (order) {
    case 0: return spline_weights<0>(t, w);
    case 1: return spline_weights<1>(t, w);
    case 2: return spline_weights<2>(t, w);
    case 3: return spline_weights<3>(t, w);
    case 4: return spline_weights<4>(t, w);
    default: return spline_weights<5>(t, w);
  }
}

Span known_of(i64 n, Outside outside) {
  const f64 last = f64(n - 1), all = 1e300;
  switch (outside) {
    case Outside::constant: return {0, last};
    case Outside::cell: return {-0.5, std::nextafter(last + 0.5, 0.0)};
    case Outside::grid_constant: return {-8, last + 8};
    default: return {-all, all};
  }
}

Span interior_of(i64 n, int order, Outside outside) {
  const f64 last = f64(n - 1), all = 1e300;
  if (order < 2) {
    if (outside == Outside::nearest) return {-all, all};
    if (outside == Outside::cell) return {-0.5, std::nextafter(last + 0.5, 0.0)};
    return {0, last};
  }
  if (n == 1) return known_of(n, outside);
  const f64 shift = order % 2 ? 0 : 0.5;
  return {order / 2 - shift, std::nextafter(f64(n) - (order - order / 2) - shift, -1.0)};
}

}  // namespace

bool find_taps(f64 c, i64 n, int order, Outside outside, Taps& taps) {
  if (!fold(c, n, outside, order)) return false;
  const f64 middle = floor(order % 2 ? c : c + 0.5);
  weights_of(order, c - middle, taps.w);
  const i64 start = i64(middle) - order / 2;
  const Edge edge = edge_of(outside, order, n);
  taps.hole = false;
  for (int k = 0; k <= order; ++k) {
    taps.at[k] = inside(start + k, n, edge);
    taps.hole |= taps.at[k] < 0;
  }
  return true;
}

template <class T, class V>
Reader<T, V>::Reader(View<const T> image, i64 order, Outside outside, f64 fill)
    : image_(image),
      order_(int(order)),
      outside_(outside),
      fill_(keep<V>(fill)),
      clamped_(order < 2 && (outside == Outside::nearest || outside == Outside::cell)) {
  const i64 n[3] = {image.size.z, image.size.y, image.size.x};
  const i64 steps[3] = {image.step.z, image.step.y, 1};
  for (int a = 0; a < 3; ++a) {
    known_[a] = known_of(n[a], outside);
    interior_[a] = interior_of(n[a], order_, outside);
    last_[a] = f64(std::max<i64>(n[a] - 2, 0));
    high_[a] = f64(n[a] - 1);
    step_[a] = n[a] > 1 ? f64(steps[a]) : 0.0;
  }
  if (n[2] == 1 && order > 0) interior_[2] = {1, 0};  // groups read two columns and more
  folds_ = outside == Outside::reflect || outside == Outside::mirror ||
           outside == Outside::grid_wrap || outside == Outside::wrap;
  for (int a = 0; a < 3; ++a) {
    folds_ = folds_ && interior_[a].low <= interior_[a].high;  // then there are such points
    safe_[a] = std::min(std::max(interior_[a].low, 0.0), interior_[a].high);
  }
  dz_ = n[0] > 1 ? image.step.z : 0;
  dy_ = n[1] > 1 ? image.step.y : 0;
}

// One point anywhere.
template <class T, class V>
template <int order>
V Reader<T, V>::one(f64 z, f64 y, f64 x) const {
  Taps tz, ty, tx;
  if (!find_taps(z, image_.size.z, order, outside_, tz)) return fill_;
  if (!find_taps(y, image_.size.y, order, outside_, ty)) return fill_;
  if (!find_taps(x, image_.size.x, order, outside_, tx)) return fill_;
  if constexpr (order > 1) {
    if (!(tz.hole || ty.hole || tx.hole) && tx.at[order] - tx.at[0] == order)
      return one_row<order>(tz, ty, tx);
  }
  f64 sum = 0;
  for (int k = 0; k <= order; ++k)
    for (int j = 0; j <= order; ++j) {
      f64 row = 0;
      for (int i = 0; i <= order; ++i) {
        const bool known = tz.at[k] >= 0 && ty.at[j] >= 0 && tx.at[i] >= 0;
        const V value = known ? V(image_(tz.at[k], ty.at[j], tx.at[i])) : fill_;
        if constexpr (order == 0) return value;
        row += tx.w[i] * f64(value);
      }
      sum += tz.w[k] * ty.w[j] * row;
    }
  return V(sum);
}

// The same where all rows are there and its voxels in each are neighbours.
template <class T, class V>
template <int order>
V Reader<T, V>::one_row(const Taps& tz, const Taps& ty, const Taps& tx) const {
  Vec<V, 4> sums[windows(order)];
  for (int i = 0; i < windows(order); ++i) sums[i] = V(0);
  for (int k = 0; k <= order; ++k)
    for (int j = 0; j <= order; ++j) {
      const V* p = image_.row(tz.at[k], ty.at[j]) + tx.at[0];
      const Vec<V, 4> weight(V(tz.w[k] * ty.w[j]));
      for (int i = 0; i < windows(order); ++i)
        sums[i] = simd::fma(window<order>(p, i), weight, sums[i]);
    }
  f64 sum = 0;
  for (int i = 0; i <= order; ++i)
    sum += tx.w[i] * f64(i < 4 ? sums[0][i] : sums[windows(order) - 1][i - order + 3]);
  return V(sum);
}

// Which of a group are not interior, a bit each.
template <class T, class V>
int Reader<T, V>::outer_lanes(const Points& at, i64 i) const {
  int lanes = 0;
  for (int p = 0; p < group<V>; p += part) {
    auto ok = Part(0.0) == Part(0.0);
    for (int a = 0; a < 3; ++a) {
      const Part c = simd::load<f64, part>(at.list[a] + i + p);
      ok = ok & (c >= Part(interior_[a].low)) & (c <= Part(interior_[a].high));
    }
    lanes |= int(simd::bits(~ok)) << p;
  }
  return lanes;
}

// Moves some of a group to where the image is known; those that then are not interior, which come
// back, to any place that is.
template <class T, class V>
int Reader<T, V>::move_in(int lanes, f64 (&c)[3][block], i64 i) const {
  int others = 0;
  for (int k = 0; lanes >> k; ++k) {
    if (!(lanes >> k & 1)) continue;
    bool fit = folds_;
    for (int a = 0; a < 3 && fit; ++a)
      fit = fold(c[a][i + k], i64(high_[a]) + 1, outside_, order_) && interior_[a].has(c[a][i + k]);
    if (fit) continue;
    for (int a = 0; a < 3; ++a) c[a][i + k] = safe_[a];
    others |= 1 << k;
  }
  return others;
}

// Interior points only.
template <class T, class V>
template <int order>
void Reader<T, V>::read_groups(const Points& at, i64 n, V* out) const {
  constexpr int N = group<V>;
  const f64 *z = at.list[0], *y = at.list[1], *x = at.list[2];
  const T* data = image_.data;
  const i64 dz = dz_, dy = dy_;
  Part last[3], step[3];
  for (int a = 0; a < 3; ++a) last[a] = Part(last_[a]), step[a] = Part(step_[a]);
  // All spots first: their rows are fetched meanwhile, and then read without waiting for places.
  Spots<V> spots[block / N];
  for (i64 i = 0; i < n; i += N) {
    locate<order>({z + i, y + i, x + i}, last, step, spots[i / N]);
    if constexpr (order == 1)
      for (i64 by : {i64(0), dy, dz, dz + dy}) __builtin_prefetch(data + spots[i / N].from[0] + by);
  }
  for (i64 i = 0; i < n; i += N) {
    const int some = int(std::min<i64>(N, n - i));
    const Spots<V>& here = spots[i / N];
    if constexpr (order == 0)
      for (int k = 0; k < some; ++k) out[i + k] = data[here.from[k]];
    else if constexpr (order == 1)
      simd::store(out + i, linear(data, dz, dy, here), some);
    else
      simd::store(out + i, spline<order>(data, dz, dy, here), some);
  }
}

template <class T, class V>
template <int order>
void Reader<T, V>::read_any(const Points& at, i64 n, bool inside, V* out) const {
  constexpr int N = group<V>, all = (1 << N) - 1;
  u8 others[block / N];
  bool plain = !clamped_, none = true;
  for (i64 i = 0; i < n && !inside; i += N) {
    others[i / N] = u8(outer_lanes(at, i));
    plain = plain && !others[i / N];
    none = none && others[i / N] == all;
  }
  if (inside) none = false;
  if (plain) return read_groups<order>(at, n, out);
  if (!none || folds_) {
    alignas(64) f64 moved[3][block];
    const i64 whole = (n + N - 1) / N * N;  // groups read lanes beyond n too
    for (int a = 0; a < 3; ++a)
      for (i64 i = 0; i < whole; ++i) moved[a][i] = at.list[a][i];
    for (i64 i = 0; i < n && !inside; i += N)
      if (others[i / N]) others[i / N] = u8(move_in(others[i / N], moved, i));
    for (int a = 0; a < 3 && clamped_; ++a)
      for (i64 i = 0; i < whole; i += part) {
        const Part c = simd::load<f64, part>(moved[a] + i);
        simd::store(moved[a] + i, simd::min(simd::max(c, Part(0.0)), Part(high_[a])));
      }
    read_groups<order>({moved[0], moved[1], moved[2]}, n, out);
  }
  for (i64 i = 0; i < n && !inside; i += N)
    for (int k = 0; k < N && others[i / N] >> k; ++k)
      if ((others[i / N] >> k & 1) && i + k < n)
        out[i + k] = one<order>(at.list[0][i + k], at.list[1][i + k], at.list[2][i + k]);
}

template <class T, class V>
void Reader<T, V>::read(const Points& at, i64 n, bool inside, V* out) const {
  if constexpr (std::is_same_v<T, V>)
    if (order_ == 0) return read_any<0>(at, n, inside, out);
  if constexpr (std::is_same_v<V, Real<T>>)
    if (order_ == 1) return read_any<1>(at, n, inside, out);
  if constexpr (std::is_same_v<T, V> && std::is_floating_point_v<T>) {
    if (order_ == 2) return read_any<2>(at, n, inside, out);
    if (order_ == 3) return read_any<3>(at, n, inside, out);
    if (order_ == 4) return read_any<4>(at, n, inside, out);
    if (order_ == 5) return read_any<5>(at, n, inside, out);
  }
}

template class Reader<u8, u8>;
template class Reader<i16, i16>;
template class Reader<u16, u16>;
template class Reader<i32, i32>;
template class Reader<u8, f32>;
template class Reader<i16, f32>;
template class Reader<u16, f32>;
template class Reader<i32, f64>;
template class Reader<f32, f32>;
template class Reader<f64, f64>;

}  // namespace voxkern::cpu
