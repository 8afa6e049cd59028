#include <voxkern/filters/ridge.hpp>

#include <cpu/filters/derivatives.hpp>
#include <cpu/filters/lanes.hpp>

namespace voxkern::cpu {
namespace {

// Calls use(first, second) with the places of two vectors of a row of `count`, one of them twice
// where it is the last.
template <class T, class Use>
void by_two(i64 count, Use use) {
  constexpr i64 step = simd::lanes<T>;
  for (i64 x = 0; x < count; x += 2 * step) use(x, x + step < count ? x + step : x);
}

// The eigenvalues in place of the first derivatives.
template <bool solid, class T>
void solve(const typename Derivatives<T>::Row& m, i64 count) {
  by_two<T>(count, [&](i64 x, i64 next) {
    const auto part = [&](int n) { return Both<Vec<T>>{m(n, x), m(n, next)}; };
    Eigenvalues<Both<Vec<T>>> e;
    if constexpr (solid)
      e = eigenvalues<sizeof(T) / 8, Lanes>(
          Symmetric<Both<Vec<T>>>{part(0), part(1), part(2), part(3), part(4), part(5)});
    else
      e = eigenvalues<Lanes>(part(0), part(1), part(2));
    const auto put = [&](int n, Both<Vec<T>> v) {
      simd::store(m.of[n] + x, v.first);
      simd::store(m.of[n] + next, v.second);
    };
    put(0, e.low), put(1, e.middle), put(2, e.high);
  });
}

// What `to` holds where it is larger than v, or NaN.
template <class T>
Vec<T> joined(const T* to, Vec<T> v, i64 left) {
  const Vec<T> there = simd::load(to, int(std::min<i64>(simd::lanes<T>, left)));
  return simd::select(there != there, there, simd::max(there, v));  // the second if it is NaN
}

// The measures of a row from its eigenvalues, and the norms if there is a place for them.
template <bool solid, class T>
void measure(const typename Derivatives<T>::Row& found, const Measure& how, bool more, T* to,
             T* norms, i64 count, bool past) {
  past = streams(to, past && !more);
  by_two<T>(count, [&](i64 x, i64 next) {
    const auto part = [&](int n) { return Both<Vec<T>>{found(n, x), found(n, next)}; };
    const Eigenvalues<Both<Vec<T>>> e{part(0), part(1), part(2)};
    Both<Vec<T>> v = ridge_of<solid, Lanes>(e, how);
    if (more) v = {joined(to + x, v.first, count - x), joined(to + next, v.second, count - next)};
    write_some(to + x, v.first, count - x, past);
    write_some(to + next, v.second, count - next, past);
    if (!norms) return;
    v = norm_of<solid, Lanes>(e);
    write_some(norms + x, v.first, count - x, false);
    write_some(norms + next, v.second, count - next, false);
  });
}

}  // namespace

template <class T>
void ridge(On on, View<const T> in, View<T> out, View<T> norms, List<const f64> wz,
           List<const f64> wy, List<const f64> wx, i64 kind, f64 bright, i64 dimension, i64 scaled,
           f64 alpha, f64 beta, f64 gamma, i64 more, Edge ez, Edge ey, Edge ex, f64 fill) {
  if (in.size.count() == 0) return;
  const bool weak = norms.size.count() > 0;
  const Measure how{Ridge(kind), bright, dimension, scaled != 0, alpha, beta, gamma, weak};
  const Derivatives<T> derivatives({wz, wy, wx}, {ez, ey, ex}, 2, false);
  const bool solid = derivatives.count() == 6;
  const auto finish = [&](const axes::Fields<T>& row) {
    const auto found = derivatives.all(row);
    T* to = out.row(row.z, row.y) + row.x;
    T* norm = weak ? norms.row(row.z, row.y) + row.x : nullptr;
    if (solid) {
      solve<true, T>(found, row.count);
      measure<true, T>(found, how, more, to, norm, row.count, row.past);
    } else {
      solve<false, T>(found, row.count);
      measure<false, T>(found, how, more, to, norm, row.count, row.past);
    }
  };
  axes::Schedule<T, decltype(finish)>(on, in, derivatives.stages(), fill, finish).run();
}

template <class T>
void strengthen(On on, View<const T> in, View<const T> norms, View<T> out, f64 gamma, i64 more) {
  parallel_for(on, in.size.z, [&](i64 z) {
    const Vec<T> by = T(1 / gamma);
    for (i64 y = 0; y < in.size.y; ++y) {
      const T *from = in.row(z, y), *norm = norms.row(z, y);
      T* to = out.row(z, y);
      for (i64 x = 0; x < in.size.x; x += simd::lanes<T>) {
        const i64 left = in.size.x - x;
        const int n = int(std::min<i64>(simd::lanes<T>, left));
        const Vec<T> share = simd::load(norm + x, n) * by;
        const Vec<T> v = simd::load(from + x, n) * strong_of<Lanes>(share * share);
        simd::store(to + x, more ? joined(to + x, v, left) : v, n);
      }
    }
  });
}

using W = List<const f64>;
template void ridge(On, View<const f32>, View<f32>, View<f32>, W, W, W, i64, f64, i64, i64, f64,
                    f64, f64, i64, Edge, Edge, Edge, f64);
template void ridge(On, View<const f64>, View<f64>, View<f64>, W, W, W, i64, f64, i64, i64, f64,
                    f64, f64, i64, Edge, Edge, Edge, f64);
template void strengthen(On, View<const f32>, View<const f32>, View<f32>, f64, i64);
template void strengthen(On, View<const f64>, View<const f64>, View<f64>, f64, i64);

}  // namespace voxkern::cpu
