// An image read at several points at once: the vector side of sample.hpp, for points whose voxels
// are all inside. Coordinates are f64 throughout, so that rounding never moves a point.
#pragma once
#include <voxkern/sample.hpp>
#include <voxkern/simd.hpp>

#include <cmath>
#include <cstring>

namespace voxkern::cpu {

// Points a group, and how many of their coordinates fill a register.
template <class R>
constexpr int group = std::is_same_v<R, f32> ? 8 : 4;
constexpr int half_group = simd::lanes<f64> < 4 ? 2 : 4;

// One f64 for each of N points.
template <int N>
struct Doubles {
  static constexpr int parts = N / half_group;
  using Part = Vec<f64, half_group>;
  Part part[parts];
  template <class F>
  static Doubles make(F f) {
    Doubles d;
    for (int p = 0; p < parts; ++p) d.part[p] = f(p);
    return d;
  }
};

template <int half, int... lane>
inline auto joined(Vec<f32, half> a, Vec<f32, half> b, std::integer_sequence<int, lane...>) {
  return Vec<f32, 2 * half>(__builtin_shufflevector(a.v, b.v, lane...));
}
template <class R, int N>
inline Vec<R, N> narrowed(const Doubles<N>& d) {
  if constexpr (std::is_same_v<R, f64>) {
    Vec<R, N> out;
    std::memcpy(&out, &d, sizeof out);
    return out;
  } else if constexpr (half_group == 4) {
    return joined<4>(simd::convert<f32>(d.part[0]), simd::convert<f32>(d.part[1]),
                     std::make_integer_sequence<int, 8>{});
  } else {
    Vec<f32, 8> out;
    for (int i = 0; i < 8; ++i) out.v[i] = f32(d.part[i / half_group].v[i % half_group]);
    return out;
  }
}

// What groups need to know of an image.
struct Field {
  f64 last[3];  // the largest first voxel of a pair along z, y, x
  f64 high[3];  // the last voxel
  f64 step[3];
  i64 dz, dy;  // to the next voxel, 0 where there is none
  template <class T>
  explicit Field(const View<const T>& image)
      : last{f64(most<i64>(image.size.z - 2, 0)), f64(most<i64>(image.size.y - 2, 0)),
             f64(most<i64>(image.size.x - 2, 0))},
        high{f64(image.size.z - 1), f64(image.size.y - 1), f64(image.size.x - 1)},
        step{image.size.z > 1 ? f64(image.step.z) : 0.0, image.size.y > 1 ? f64(image.step.y) : 0.0,
             1.0},
        dz(image.size.z > 1 ? image.step.z : 0),
        dy(image.size.y > 1 ? image.step.y : 0) {}
};

// The first voxel that each point of a group reads, and its fractions along z, y, x.
template <class R>
struct Spots {
  alignas(64) i64 from[group<R>];
  Vec<R, group<R>> t[3];
};

template <int order, bool clamped, class R>
[[gnu::always_inline]] inline void locate(const Doubles<group<R>> (&c)[3], const Field& field,
                                          Spots<R>& spots) {
  constexpr int N = group<R>;
  using D = Doubles<N>;
  using Part = typename D::Part;
  const f64 magic = 6755399441055744.0;  // 1.5 * 2^52: adding it leaves an integer in the low bits
  D from = D::make([&](int) { return Part(magic); });
  for (int a = 0; a < 3; ++a) {
    D t;
    for (int p = 0; p < D::parts; ++p) {
      Part x = c[a].part[p];
      if constexpr (clamped) x = simd::min(simd::max(x, Part(0.0)), Part(field.high[a]));
      Part whole = simd::floor(order % 2 ? x : x + Part(0.5));
      if constexpr (order == 1) whole = simd::min(whole, Part(field.last[a]));
      t.part[p] = x - whole;
      if constexpr (order > 1) whole -= Part(f64(order / 2));
      from.part[p] += whole * Part(field.step[a]);
    }
    if constexpr (order > 0) spots.t[a] = narrowed<R, N>(t);
  }
  for (int p = 0; p < D::parts; ++p) {
    const auto bits = simd::bits_as<i64>(from.part[p]) - simd::bits_as<i64>(Part(magic));
    simd::store(spots.from + p * half_group, bits);
  }
}

template <class To, class T>
inline To peek(const T* p) {
  To value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

// p[from] and p[from + 1] for each point.
template <class R, class T>
[[gnu::always_inline]] inline void pairs(const T* p, const i64* from, Vec<R, group<R>>& low,
                                         Vec<R, group<R>>& high) {
  if constexpr (std::is_same_v<T, f32>) {
    using D = Vec<f64, 4>;
    const auto two = [&](int k) { return peek<f64>(p + from[k]); };
    const auto a = simd::bits_as<f32>(D(typename D::Raw{two(0), two(1), two(4), two(5)}));
    const auto b = simd::bits_as<f32>(D(typename D::Raw{two(2), two(3), two(6), two(7)}));
    low = simd::shuffle<0, 2, 8, 10, 4, 6, 12, 14>(a, b);
    high = simd::shuffle<1, 3, 9, 11, 5, 7, 13, 15>(a, b);
  } else if constexpr (sizeof(T) == 1) {
    using V = Vec<u16, 8>;
    const auto two = [&](int k) { return peek<u16>(p + from[k]); };
    const V v(typename V::Raw{two(0), two(1), two(2), two(3), two(4), two(5), two(6), two(7)});
    low = simd::convert<f32>(v & V(u16(255)));
    high = simd::convert<f32>(v >> 8);
  } else if constexpr (sizeof(T) == 2) {
    using V = Vec<std::conditional_t<std::is_signed_v<T>, i32, u32>, 8>;
    const auto two = [&](int k) { return peek<typename V::Lane>(p + from[k]); };
    const V v(typename V::Raw{two(0), two(1), two(2), two(3), two(4), two(5), two(6), two(7)});
    const auto plain = [](V w) { return simd::convert<f32>(simd::bits_as<i32>(w)); };
    low = plain((v << 16) >> 16);
    high = plain(v >> 16);
  } else {
    for (int k = 0; k < group<R>; ++k) {
      low.v[k] = R(p[from[k]]);
      high.v[k] = R(p[from[k] + 1]);
    }
  }
}

template <class R, int N>
[[gnu::always_inline]] inline Vec<R, N> between(Vec<R, N> a, Vec<R, N> b, Vec<R, N> s,
                                                Vec<R, N> t) {
  return simd::fma(b, t, a * s);  // s = 1 - t: exact at both ends
}

template <class R, class T>
[[gnu::always_inline]] inline Vec<R, group<R>> linear(const T* data, const Field& f,
                                                      const Spots<R>& spots) {
  using V = Vec<R, group<R>>;
  const V tz = spots.t[0], ty = spots.t[1], tx = spots.t[2];
  const V sz = V(R(1)) - tz, sy = V(R(1)) - ty, sx = V(R(1)) - tx;
  const auto row = [&](const T* p) {
    V low, high;
    pairs<R>(p, spots.from, low, high);
    return between(low, high, sx, tx);
  };
  const V near = between(row(data), row(data + f.dy), sy, ty);
  if (f.dz == 0) return near;
  const V far = between(row(data + f.dz), row(data + f.dz + f.dy), sy, ty);
  return between(near, far, sz, tz);
}

// Four lanes of each of eight points into eight points of each lane (f32), or four of four (f64).
template <class R>
[[gnu::always_inline]] inline void by_tap(const Vec<R, 4> (&s)[group<R>],
                                          Vec<R, group<R>> (&taps)[4]) {
  if constexpr (std::is_same_v<R, f32>) {
    const auto all = std::make_integer_sequence<int, 8>{};
    const auto a = joined<4>(s[0], s[4], all), b = joined<4>(s[1], s[5], all);
    const auto c = joined<4>(s[2], s[6], all), d = joined<4>(s[3], s[7], all);
    const auto ab = simd::shuffle<0, 8, 1, 9, 4, 12, 5, 13>(a, b);
    const auto cd = simd::shuffle<0, 8, 1, 9, 4, 12, 5, 13>(c, d);
    const auto ab2 = simd::shuffle<2, 10, 3, 11, 6, 14, 7, 15>(a, b);
    const auto cd2 = simd::shuffle<2, 10, 3, 11, 6, 14, 7, 15>(c, d);
    taps[0] = simd::shuffle<0, 1, 8, 9, 4, 5, 12, 13>(ab, cd);
    taps[1] = simd::shuffle<2, 3, 10, 11, 6, 7, 14, 15>(ab, cd);
    taps[2] = simd::shuffle<0, 1, 8, 9, 4, 5, 12, 13>(ab2, cd2);
    taps[3] = simd::shuffle<2, 3, 10, 11, 6, 7, 14, 15>(ab2, cd2);
  } else {
    const auto ab = simd::shuffle<0, 4, 2, 6>(s[0], s[1]),
               cd = simd::shuffle<0, 4, 2, 6>(s[2], s[3]);
    const auto ab2 = simd::shuffle<1, 5, 3, 7>(s[0], s[1]);
    const auto cd2 = simd::shuffle<1, 5, 3, 7>(s[2], s[3]);
    taps[0] = simd::shuffle<0, 1, 4, 5>(ab, cd);
    taps[1] = simd::shuffle<0, 1, 4, 5>(ab2, cd2);
    taps[2] = simd::shuffle<2, 3, 6, 7>(ab, cd);
    taps[3] = simd::shuffle<2, 3, 6, 7>(ab2, cd2);
  }
}

// Rows of four coefficients, weighed along y and z point by point, then along x all at once.
template <class R>
[[gnu::always_inline]] inline Vec<R, group<R>> cubic(const R* data, const Field& f,
                                                     const Spots<R>& spots) {
  constexpr int N = group<R>;
  using V = Vec<R, N>;
  using Q = Vec<R, 4>;
  V wx[4], w[4];
  alignas(64) R wy[4][N], wz[4][N];
  spline_weights<3>(spots.t[0], w);
  for (int k = 0; k < 4; ++k) simd::store(wz[k], w[k]);
  spline_weights<3>(spots.t[1], w);
  for (int k = 0; k < 4; ++k) simd::store(wy[k], w[k]);
  spline_weights<3>(spots.t[2], wx);
  Q sums[N];
  const int planes = f.dz == 0 ? 1 : 4;
  for (int n = 0; n < N; ++n) {
    const R* p = data + spots.from[n];
    const Q y0(wy[0][n]), y1(wy[1][n]), y2(wy[2][n]), y3(wy[3][n]);
    Q sum;
    for (int k = 0; k < planes; ++k, p += f.dz) {
      Q plane = simd::load<R, 4>(p) * y0;
      plane = simd::fma(simd::load<R, 4>(p + f.dy), y1, plane);
      plane = simd::fma(simd::load<R, 4>(p + 2 * f.dy), y2, plane);
      plane = simd::fma(simd::load<R, 4>(p + 3 * f.dy), y3, plane);
      sum = k ? simd::fma(plane, Q(wz[k][n]), sum) : planes == 1 ? plane : plane * Q(wz[0][n]);
    }
    sums[n] = sum;
  }
  V taps[4];
  by_tap<R>(sums, taps);
  V out = taps[0] * wx[0];
  for (int k = 1; k < 4; ++k) out = simd::fma(taps[k], wx[k], out);
  return out;
}

// Writes the first n of a group as an image keeps them: see keep().
template <class U, class R, int N>
[[gnu::always_inline]] inline void put(U* p, Vec<R, N> v, int n) {
  if constexpr (std::is_same_v<U, R>) {
    simd::store(p, v, n);
  } else {
    using V = Vec<R, N>;
    const V away = simd::select(v > V(R(0)), V(R(0.5)), V(R(-0.5)));
    simd::store_as(p, v + away, n);
  }
}

// The first n of a group of points that read inside voxels only.
template <int order, bool clamped, class T, class U>
[[gnu::always_inline]] inline void read_group(const View<const T>& image, const Field& field,
                                              const Doubles<group<Real<T>>> (&c)[3], U* out,
                                              int n) {
  using R = Real<T>;
  Spots<R> spots;
  locate<order, clamped>(c, field, spots);
  if constexpr (order == 0) {
    for (int k = 0; k < n; ++k) out[k] = U(image.data[spots.from[k]]);
  } else if constexpr (order == 1) {
    put(out, linear(image.data, field, spots), n);
  } else {
    put(out, cubic<R>(image.data, field, spots), n);
  }
}

// Whether read_group knows the order and the image; `sample` knows all of them.
template <int order, class T>
constexpr bool in_groups = order < 2 || (order == 3 && std::is_floating_point_v<T>);

// The coordinates between which a point reads inside voxels only (`clamped`: after clamping).
struct Span {
  f64 low, high;
};
inline Span interior(i64 n, int order, Outside outside) {
  const f64 last = f64(n - 1), all = 1e300;
  if (order < 2) {
    if (outside == Outside::nearest) return {-all, all};
    if (outside == Outside::cell) return {-0.5, std::nextafter(last + 0.5, 0.0)};
    return {0, last};
  }
  if (n == 1) return {-all, all};
  const f64 shift = order % 2 ? 0 : 0.5;
  return {order / 2 - shift, std::nextafter(f64(n) - (order - order / 2) - shift, -1.0)};
}
// The coordinates beyond which the fill value stands.
inline Span known(i64 n, Outside outside) {
  const f64 last = f64(n - 1), all = 1e300;
  switch (outside) {
    case Outside::constant: return {0, last};
    case Outside::cell: return {-0.5, std::nextafter(last + 0.5, 0.0)};
    case Outside::grid_constant: return {-8, last + 8};
    default: return {-all, all};
  }
}

}  // namespace voxkern::cpu
