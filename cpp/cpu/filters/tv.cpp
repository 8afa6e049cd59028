// In place: the rows at which parts of the volume begin, along z and along y, come first, from the
// field as it was, so that each part can run down its planes and needs nothing that its neighbours
// change. A part is so many rows high that two planes of it stay in the cache.
#include <voxkern/filters/tv.hpp>

#include <voxkern/simd.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <vector>

namespace voxkern::cpu {

namespace {

template <class C>
constexpr int L = simd::lanes<C>;

// The lanes at x of a row and those before them, with 0 before the row.
template <class C>
Vec<C> before(const C* row, i64 x, int n) {
  if (x > 0) return simd::load(row + x - 1, n);
  C lanes[L<C>] = {};
  for (int i = 1; i < n; ++i) lanes[i] = row[i - 1];
  return simd::load(lanes);
}
// Those behind them, with the last of the row again behind it.
template <class C>
Vec<C> behind(const C* row, i64 x, i64 size) {
  if (x + L<C> < size) return simd::load(row + x + 1);
  C lanes[L<C>];
  for (int i = 0; i < L<C>; ++i) lanes[i] = row[std::min(x + i + 1, size - 1)];
  return simd::load(lanes);
}

// Minus the divergence of a field, at n lanes of a row.
template <class R>
struct Field {
  View<R> z, y, x;
  const std::remove_const_t<R>* nothing;  // a row of zeros

  auto inflow(i64 k, i64 j, i64 i, int n) const {
    const auto* above = k > 0 ? z.row(k - 1, j) : nothing;
    const auto* left = j > 0 ? y.row(k, j - 1) : nothing;
    const auto* row = x.row(k, j);
    using C = std::remove_const_t<R>;
    return simd::load<C>(above + i, n) - simd::load<C>(z.row(k, j) + i, n) +
           (simd::load<C>(left + i, n) - simd::load<C>(y.row(k, j) + i, n)) +
           (before<C>(row, i, n) - simd::load<C>(row + i, n));
  }
};

template <class R>
Scratch<R> zeros(i64 n) {
  Scratch<R> row(n);
  std::fill(row.begin(), row.end(), R(0));
  return row;
}

// The gradient of u at n lanes of a row: forward differences, 0 at the far borders.
template <class R>
struct Slopes {
  Vec<R> z, y, x;
  template <class U>
  Slopes(View<U> u, i64 k, i64 j, i64 i, int n) {
    using C = std::remove_const_t<U>;
    const Size size = u.size;
    const Vec<R> here = simd::load<C>(u.row(k, j) + i, n);
    z = simd::load<C>(u.row(std::min(k + 1, size.z - 1), j) + i, n) - here;
    y = simd::load<C>(u.row(k, std::min(j + 1, size.y - 1)) + i, n) - here;
    const Vec<R> next = behind<C>(u.row(k, j), i, size.x);
    x = next - here;
  }
};

// The first n lanes, 0 in the others.
template <class C>
Vec<C> only(Vec<C> v, int n) {
  C lanes[L<C>];
  simd::store(lanes, v);
  return simd::load(lanes, n);
}

}  // namespace

template <class T, class R>
void tv_project(On on, View<const T> x, View<R> pz, View<R> py, View<R> px, View<R> u,
                List<f64> energy, f64 weight, f64 step) {
  using V = Vec<R>;
  const Size n = x.size;
  const auto nothing = zeros<R>(n.x);
  const Field<R> field{pz, py, px, nothing.data()};
  constexpr i64 high = 32;
  const i64 strips = (n.y + high - 1) / high;
  std::vector<Sums<2>> parts(size_t(n.z * strips));
  // Writes a row of u, and adds the squares of what it moved to the energy of its part.
  const auto make_row = [&](i64 k, i64 j) {
    const T* from = x.row(k, j);
    R* to = u.row(k, j);
    LaneSum squares;
    for (i64 i = 0; i < n.x; i += V::lanes) {
      const int some = int(std::min<i64>(V::lanes, n.x - i));
      const V d = field.inflow(k, j, i, some);
      simd::store(to + i, simd::load_as<R>(from + i, some) + d, some);
      squares.add(d * d);
    }
    parts[size_t(k * strips + j / high)][0] += squares.total();
  };
  const auto move_row = [&](i64 k, i64 j) {
    R *z = pz.row(k, j), *y = py.row(k, j), *w = px.row(k, j);
    const V by = R(step), grow = R(step / weight);
    LaneSum lengths;
    for (i64 i = 0; i < n.x; i += V::lanes) {
      const int some = int(std::min<i64>(V::lanes, n.x - i));
      const Slopes<R> g(u, k, j, i, some);
      const V length = simd::sqrt(g.z * g.z + g.y * g.y + g.x * g.x);
      const V shrink = V(R(1)) / (length * grow + V(R(1)));
      simd::store(z + i, (simd::load(z + i, some) - by * g.z) * shrink, some);
      simd::store(y + i, (simd::load(y + i, some) - by * g.y) * shrink, some);
      simd::store(w + i, (simd::load(w + i, some) - by * g.x) * shrink, some);
      lengths.add(some < V::lanes ? only(length, some) : length);
    }
    parts[size_t(k * strips + j / high)][1] += lengths.total();
  };
  const i64 deep = std::clamp<i64>(n.z * strips / (4 * std::max(1, on.threads)), 4, 64);
  parallel_for(on, n.z * strips, [&](i64 i) {
    const i64 k = i / strips, j = i % strips * high;
    if (k % deep != 0) return make_row(k, j);
    for (i64 row = j; row < std::min(n.y, j + high); ++row) make_row(k, row);
  });
  parallel_for(on, (n.z + deep - 1) / deep * strips, [&](i64 i) {
    const i64 first = i / strips * deep, end = std::min(n.z, first + deep),
              from = i % strips * high;
    for (i64 k = first; k < end; ++k)
      for (i64 j = from; j < std::min(n.y, from + high); ++j) {
        if (k + 1 < end && j > from) make_row(k + 1, j);
        move_row(k, j);
      }
  });
  const auto total = added_up(std::move(parts));
  energy[0] = total[0];
  energy[1] = total[1];
}

template <class R>
void tv_dual(On on, View<const R> ahead, View<R> pz, View<R> py, View<R> px, f64 weight, f64 step) {
  using V = Vec<R>;
  const Size n = ahead.size;
  parallel_slabs(on, n.z * n.y, 16, [&](i64 begin, i64 end) {
    for (i64 line = begin; line < end; ++line) {
      const i64 k = line / n.y, j = line % n.y;
      R *z = pz.row(k, j), *y = py.row(k, j), *x = px.row(k, j);
      for (i64 i = 0; i < n.x; i += V::lanes) {
        const int some = int(std::min<i64>(V::lanes, n.x - i));
        const Slopes<R> g(ahead, k, j, i, some);
        const V a = simd::fma(g.z, R(step), simd::load(z + i, some));
        const V b = simd::fma(g.y, R(step), simd::load(y + i, some));
        const V c = simd::fma(g.x, R(step), simd::load(x + i, some));
        const V length = simd::sqrt(a * a + b * b + c * c);
        const V cut = V(R(1)) / simd::max(length * V(R(1 / weight)), R(1));
        simd::store(z + i, a * cut, some);
        simd::store(y + i, b * cut, some);
        simd::store(x + i, c * cut, some);
      }
    }
  });
}

template <class T, class R>
void tv_primal(On on, View<const T> x, View<const R> pz, View<const R> py, View<const R> px,
               View<R> u, View<R> ahead, List<f64> change, f64 step, f64 beyond) {
  using V = Vec<R>;
  const Size n = x.size;
  const auto nothing = zeros<R>(n.x);
  const Field<const R> field{pz, py, px, nothing.data()};
  const V by = R(step), share = R(1 / (1 + step)), more = R(beyond);
  std::vector<f64> parts(size_t(n.z * n.y));
  parallel_slabs(on, n.z * n.y, 16, [&](i64 begin, i64 end) {
    for (i64 line = begin; line < end; ++line) {
      const i64 k = line / n.y, j = line % n.y;
      R *to = u.row(k, j), *far = ahead.row(k, j);
      LaneSum squares;
      for (i64 i = 0; i < n.x; i += V::lanes) {
        const int some = int(std::min<i64>(V::lanes, n.x - i));
        const V was = simd::load(to + i, some);
        const V aim = simd::load_as<R>(x.row(k, j) + i, some) - field.inflow(k, j, i, some);
        const V now = simd::fma(by, aim, was) * share;
        simd::store(to + i, now, some);
        simd::store(far + i, simd::fma(more, now - was, now), some);
        squares.add((now - was) * (now - was));
      }
      parts[size_t(line)] = squares.total();
    }
  });
  change[0] = added_up(std::move(parts));
}

#define VOXKERN_INSTANCES(T, R)                                                                    \
  template void tv_project(On, View<const T>, View<R>, View<R>, View<R>, View<R>, List<f64>, f64,  \
                           f64);                                                                   \
  template void tv_primal(On, View<const T>, View<const R>, View<const R>, View<const R>, View<R>, \
                          View<R>, List<f64>, f64, f64);
VOXKERN_INSTANCES(u8, f32)
VOXKERN_INSTANCES(i16, f32)
VOXKERN_INSTANCES(u16, f32)
VOXKERN_INSTANCES(i32, f64)
VOXKERN_INSTANCES(f32, f32)
VOXKERN_INSTANCES(f64, f64)
template void tv_dual(On, View<const f32>, View<f32>, View<f32>, View<f32>, f64, f64);
template void tv_dual(On, View<const f64>, View<f64>, View<f64>, View<f64>, f64, f64);

}  // namespace voxkern::cpu
