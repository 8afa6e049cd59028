// N4 bias correction: passes over the logarithm of an image and a lattice of cubic B-splines.
//
// A lattice has grid.z x grid.y x grid.x numbers. `places` holds for each index along z, y and x
// the first of the four it reads; `tables` their weights, four rows an axis, one axis after the
// other.
#pragma once
#include "../base.hpp"

namespace voxkern {

constexpr f32 n4_unit = 1048576.0f;  // Parzen weights are counted in integers of 2^-20

// The sharpened value of v, between two bins' values on a line.
VOXKERN_HD f32 n4_sharpened(f32 v, const f32* map, i64 bins, f32 low, f32 scale) {
  const f32 at = least(most((v - low) * scale, 0.0f), f32(bins - 1));
  const i64 bin = least(i64(at), bins - 2);
  return map[bin] + (map[bin + 1] - map[bin]) * (at - f32(bin));
}

// Where a voxel is picked from, and whether its logarithm counts.
VOXKERN_HD bool n4_counts(f64 v) { return v > 0 && v <= 1.7976931348623157e308; }

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// Picks voxels `from + i * step`: their logarithms and weights; 0 and 0 where one does not count.
template <class T>
void n4_pick(On, View<const T> x, View<const u8> mask, View<const f32> weights, Size from,
             Size step, View<f32> logs, View<f32> weight);
// Counts u under a triangular window, in units of n4_unit.
void n4_histogram(On, View<const f32> u, View<const f32> weight, f32 low, f32 scale,
                  List<i64> counts);
// sums = the tables' products times the weights, times u less its sharpened value if there is a
// map.
void n4_fit(On, View<const f32> u, View<const f32> weight, List<const f32> map, f32 low, f32 scale,
            List<const i64> places, List<const f64> tables, Size grid, List<f64> sums);
// u becomes logs less the lattice. stats = how many count, the sums of e and e^2 with e the
// relative change of the field, the smallest and the largest u.
void n4_update(On, View<const f32> logs, View<const f32> weight, View<f32> u,
               List<const f64> lattice, List<const i64> places, List<const f64> tables, Size grid,
               List<f64> stats);
// field = exp(lattice), y = x / field. A field of no voxels is not written.
template <class T, class R>
void n4_divide(On, View<const T> x, View<R> y, View<R> field, List<const f64> lattice,
               List<const i64> places, List<const f64> tables, Size grid);
}  // namespace cpu
#endif

}  // namespace voxkern
