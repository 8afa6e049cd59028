// Two images compared under an affine map: which voxels take part, and what is summed over them.
#pragma once
#include "../base.hpp"

namespace voxkern {

// The fixed voxels that take part lie in rows of a coarse grid, one row in each cell of step.z by
// step.y rows and one voxel in each step.x along it. Where in its cell a row lies, and where it
// begins, are drawn from the seed and the row's number.
VOXKERN_HD u32 scramble(u32 h) {
  h ^= h >> 16;
  h *= 0x85ebca6bu;
  h ^= h >> 13;
  h *= 0xc2b2ae35u;
  return h ^ (h >> 16);
}
VOXKERN_HD Size coarse(Size size, Size step) {
  return {(size.z + step.z - 1) / step.z, (size.y + step.y - 1) / step.y,
          (size.x + step.x - 1) / step.x};
}
struct Line {
  i64 z, y, x;  // where it begins; z or y may lie outside the image
};
VOXKERN_HD Line line_of(i64 i, i64 j, Size grid, Size step, i64 seed) {
  const u32 h = scramble(u32(seed) + u32(i * grid.y + j) * 0x9e3779b1u);
  const u32 r = scramble(h + 1);
  return {i * step.z + i64(h % u64(step.z)), j * step.y + i64((h >> 16) % u64(step.y)),
          i64(r % u64(step.x))};
}

// A map from the fixed image's voxels, taken from `centre`, to the moving image's: three rows of
// four numbers, applied to (z, y, x, 1). Kernels get two, one behind the other. A voxel takes part
// where the second takes it into the moving image, which is read where the first does, or at the
// nearest place within. So the samples stay the same while the first map changes.
struct Map {
  const f64* m;
  Vec3 centre;
  VOXKERN_HD f64 base(int row, f64 z, f64 y) const {
    return m[4 * row] * (z - centre.z) + m[4 * row + 1] * (y - centre.y) + m[4 * row + 3];
  }
  VOXKERN_HD f64 along(int row) const { return m[4 * row + 2]; }
};

// Whether the place lies between the centres of voxels, so that it can be read; an axis of one
// voxel is read within half of one.
VOXKERN_HD bool within(f64 c, i64 n) {
  return n > 1 ? c >= 0.0 && c <= f64(n - 1) : c >= -0.5 && c <= 0.5;
}

// The nearest place to c where an axis of n voxels can be read.
VOXKERN_HD f64 nearest(f64 c, i64 n) { return n > 1 ? least(most(c, 0.0), f64(n - 1)) : 0.0; }

// The sums of affine_moments, in this order. With g the moving image's gradient and v = (z, y, x,
// 1) from the centre, the derivative J of a sample by the map's entries is g_a v_c at 4 a + c.
//   6: count, f, m, f f, m m, f m     12: J     12: J f     12: J m     78: J J', its upper half by
//   rows
constexpr int affine_sums = 120;

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// Sums over the samples, f and m taken from f0 and m0. The moving image has two voxels along x at
// least.
void affine_moments(On, View<const f32> fixed, View<const f32> moving, View<const u8> fixed_mask,
                    View<const u8> moving_mask, List<const f64> matrix, Vec3 centre, Size step,
                    i64 seed, f64 f0, f64 m0, List<f64> sums);
// The joint histogram of the samples as parzen_histogram has it; values are cut to their ranges.
void affine_parzen(On, View<const f32> fixed, View<const f32> moving, View<const u8> fixed_mask,
                   View<const u8> moving_mask, List<const f64> matrix, Vec3 centre, Size step,
                   i64 seed, i64 bins, f64 fixed_low, f64 fixed_high, f64 moving_low,
                   f64 moving_high, List<i64> counts);
// sums = the 12 sums of s J, with s the window's slopes times the table's entries.
void affine_parzen_gradient(On, View<const f32> fixed, View<const f32> moving,
                            View<const u8> fixed_mask, View<const u8> moving_mask,
                            List<const f64> matrix, Vec3 centre, Size step, i64 seed, i64 bins,
                            f64 fixed_low, f64 fixed_high, f64 moving_low, f64 moving_high,
                            List<const f64> table, List<f64> sums);
}  // namespace cpu
#endif

}  // namespace voxkern
