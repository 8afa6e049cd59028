// Where a region is and how far its intensities reach, and those as grey levels.
#pragma once
#include "../base.hpp"

namespace voxkern {

// The level of v, counted from 1; 0 below `low`, and for NaN.
VOXKERN_HD u16 level_of(f64 v, f64 low, f64 times, f64 over, f64 most) {
  const f64 at = least(times * (v - low) / over, most - 1.0);
  return u16(i32(v >= low ? at : -1.0) + 1);
}

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// out = the smallest and the largest voxel under the mask, 1 if there is NaN or infinity, how many
// there are, and the box around them: its first voxel (z, y, x), and the one after its last. The
// extremes are 0 where a voxel is not finite.
template <class T>
void region(On, View<const T> x, View<const u8> mask, List<f64> out);
// levels = level_of(x), or 0 where the mask is zero.
template <class T>
void discretize(On, View<const T> x, View<const u8> mask, View<u16> levels, f64 low, f64 times,
                f64 over, f64 most);
}  // namespace cpu
#endif

}  // namespace voxkern
