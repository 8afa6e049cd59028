// Regions of a mask chosen by their size.
#pragma once
#include "../base.hpp"

namespace voxkern::cpu {
struct On;

// y = the voxels of x whose region has at least `least` voxels and is one of the `k` largest, or of
// any rank where k is 0. Of regions of equal size those that begin first rank first.
void keep_largest(On, View<const u8> x, View<u8> y, i64 k, i64 least, i64 connectivity);
}  // namespace voxkern::cpu
