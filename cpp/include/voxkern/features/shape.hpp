// What the shape of a region is made of.
#pragma once
#include "../base.hpp"

namespace voxkern::cpu {
struct On;
// Of the 256 patterns of eight voxels that are not all alike: how many cells have it, and the sums
// of their places (z, y, x). The corner (dz, dy, dx) is bit 4 dx + 2 dz + dy, a cell's place is
// that of its first corner, and outside of the mask is zero. `moments`: the number of voxels, the
// sums of z, y, x, zz, yy, xx, zy, zx, yx. `ends`: the first and the last voxel of each row, or -1.
void shape(On, View<const u8> mask, List<i64> codes, List<i64> moments, List<i64> ends);
// Of the `ends` of a mask's rows, so many in a plane: the largest squared distance of two vertices,
// which lie half a voxel beside a voxel along an axis, and the sides of the box of the voxels.
void extent(On, List<const i64> ends, i64 rows, Vec3 spacing, List<f64> out);
}  // namespace voxkern::cpu
