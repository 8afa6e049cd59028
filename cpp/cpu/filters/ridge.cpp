#include <voxkern/filters/ridge.hpp>

#include <cpu/filters/derivatives.hpp>
#include <cpu/filters/lanes.hpp>

namespace voxkern::cpu {
namespace {

// The eigenvalues in place of the first derivatives. Apart from the measure, so that several
// vectors of these long chains are under way at once.
template <class T>
void solve(const typename Derivatives<T>::Row& m, i64 count, bool solid) {
  for (i64 x = 0; x < count; x += simd::lanes<T>) {
    Eigenvalues<Vec<T>> e;
    if (solid)
      e = eigenvalues<sizeof(T) / 8, Lanes>(
          Symmetric<Vec<T>>{m(0, x), m(1, x), m(2, x), m(3, x), m(4, x), m(5, x)});
    else
      e = eigenvalues<Lanes>(m(0, x), m(1, x), m(2, x));
    simd::store(m.of[0] + x, e.low);
    simd::store(m.of[1] + x, e.middle);
    simd::store(m.of[2] + x, e.high);
  }
}

// The matrix's norm, which needs no eigenvalues; 0 where it is not a number.
template <class T>
Vec<T> norm_of(const typename Derivatives<T>::Row& m, i64 x, bool solid) {
  const auto square = [&](int n) { return m(n, x) * m(n, x); };
  const Vec<T> straight = square(0) + (solid ? square(3) + square(5) : square(2));
  const Vec<T> across = solid ? square(1) + square(2) + square(4) : square(1);
  const Vec<T> norm = simd::sqrt(simd::fma(across, T(2), straight));
  return simd::select(norm == norm, norm, T(0));
}

}  // namespace

template <class T>
void ridge(On on, View<const T> in, View<T> out, List<const f64> wz, List<const f64> wy,
           List<const f64> wx, i64 kind, f64 bright, i64 dimension, i64 scaled, f64 alpha, f64 beta,
           f64 gamma, i64 more, Edge ez, Edge ey, Edge ex, f64 fill) {
  if (in.size.count() == 0) return;
  const Measure how{Ridge(kind), bright, dimension, scaled != 0, alpha, beta, gamma};
  const Derivatives<T> derivatives({wz, wy, wx}, {ez, ey, ex}, 2, false);
  const bool solid = derivatives.count() == 6;
  const auto finish = [&](const axes::Fields<T>& row) {
    const auto found = derivatives.all(row);
    T* to = out.row(row.z, row.y) + row.x;
    const bool past = streams(to, row.past && !more);
    if (how.kind == Ridge::norm && !more) {
      for (i64 x = 0; x < row.count; x += simd::lanes<T>)
        write_some(to + x, norm_of<T>(found, x, solid), row.count - x, past);
      return;
    }
    solve<T>(found, row.count, solid);
    for (i64 x = 0; x < row.count; x += simd::lanes<T>) {
      const Eigenvalues<Vec<T>> e{found(0, x), found(1, x), found(2, x)};
      Vec<T> v = solid ? ridge_of<true, Lanes>(e, how) : ridge_of<false, Lanes>(e, how);
      if (more) {
        const Vec<T> there = simd::load(to + x, int(std::min<i64>(simd::lanes<T>, row.count - x)));
        v = simd::select(there != there, there, simd::max(there, v));  // the second if it is NaN
      }
      write_some(to + x, v, row.count - x, past);
    }
  };
  axes::Schedule<T, decltype(finish)>(on, in, derivatives.stages(), fill, finish).run();
}

using W = List<const f64>;
template void ridge(On, View<const f32>, View<f32>, W, W, W, i64, f64, i64, i64, f64, f64, f64, i64,
                    Edge, Edge, Edge, f64);
template void ridge(On, View<const f64>, View<f64>, W, W, W, i64, f64, i64, i64, f64, f64, f64, i64,
                    Edge, Edge, Edge, f64);

}  // namespace voxkern::cpu
