// Mattes' joint histogram: the fixed value in one bin, the moving value under a cubic B-spline.
#pragma once
#include "../base.hpp"
#include "moments.hpp"

namespace voxkern {

// Weights are counted in integers, units of 2^-20, so that the order of the voxels is nothing.
constexpr f64 parzen_unit = 1048576.0;

// How values become places on the axis of bins, of which two lie free at either end. A range
// without width has one place.
struct Axis {
  f64 low, high, scale;
  VOXKERN_HD Axis(f64 from, f64 to, i64 bins)
      : low(from), high(to), scale(to > from ? f64(bins - 4) / (to - from) : 0.0) {}
  VOXKERN_HD bool takes(f64 v) const { return v >= low && v <= high; }
  VOXKERN_HD f64 cut(f64 v) const { return least(most(v, low), high); }
  VOXKERN_HD f64 place(f64 v) const { return (v - low) * scale + 2.0; }
};

// The bin of a place, with room for the window on both sides.
VOXKERN_HD i64 parzen_bin(f64 place, i64 bins) { return least(most(i64(place), i64(2)), bins - 3); }

// The weight of bin `first - 1 + k` for a place `u` behind the bin `first`, and its slope.
VOXKERN_HD f64 cubic_weight(int k, f64 u) {
  const f64 w0[4] = {1.0 / 6, 4.0 / 6, 1.0 / 6, 0.0}, w1[4] = {-0.5, 0.0, 0.5, 0.0},
            w2[4] = {0.5, -1.0, 0.5, 0.0}, w3[4] = {-1.0 / 6, 0.5, -0.5, 1.0 / 6};
  return ((w3[k] * u + w2[k]) * u + w1[k]) * u + w0[k];
}
VOXKERN_HD f64 cubic_slope(int k, f64 u) {
  const f64 s0[4] = {-0.5, 0.0, 0.5, 0.0}, s1[4] = {1.0, -2.0, 1.0, 0.0},
            s2[4] = {-0.5, 1.5, -1.5, 0.5};
  return (s2[k] * u + s1[k]) * u + s0[k];
}

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// counts[bin of fixed, bin of moving] in units of 2^-20, over voxels whose values lie in the
// ranges.
template <class T>
void parzen_histogram(On, View<const T> fixed, View<const T> moving, View<const u8> mask, i64 bins,
                      f64 fixed_low, f64 fixed_high, f64 moving_low, f64 moving_high,
                      List<i64> counts);
// out = factor * sum over the window's bins of slope * table[bin of fixed, bin], zero for voxels
// that do not count.
template <class T, class R>
void parzen_gradient(On, View<const T> fixed, View<const T> moving, View<const u8> mask, i64 bins,
                     f64 fixed_low, f64 fixed_high, f64 moving_low, f64 moving_high,
                     List<const f64> table, f64 factor, View<R> out);
}  // namespace cpu
#endif

}  // namespace voxkern
