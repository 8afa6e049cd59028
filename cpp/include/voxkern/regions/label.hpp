// Connected regions numbered in raster order.
#pragma once
#include "../base.hpp"

namespace voxkern::cpu {
struct On;

// y = the number of the region of each voxel of x, 0 where x is the background; regions are voxels
// of one value that touch, or, not `multivalued`, of any values. count[0] = how many there are;
// where that is more than y can hold, y is left as it is.
template <class T, class L>
void label(On, View<const T> x, View<L> y, T background, i64 connectivity, i64 multivalued,
           List<i64> count);
}  // namespace voxkern::cpu
