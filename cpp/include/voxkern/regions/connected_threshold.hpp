// Growing from seeds through all voxels of an interval.
#pragma once
#include "../base.hpp"

namespace voxkern::cpu {
struct On;

// y = 1 where a voxel is connected with a seed (z, y, x triples) through voxels in [lower, upper].
template <class T>
void connected_threshold(On, View<const T> x, View<u8> y, List<const i64> seeds, T lower, T upper,
                         i64 connectivity);
}  // namespace voxkern::cpu
