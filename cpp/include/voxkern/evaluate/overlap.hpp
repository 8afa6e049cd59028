// Voxels that two segmentations have in common.
#pragma once
#include "../base.hpp"

#ifndef __CUDACC_RTC__
namespace voxkern::cpu {
struct On;

// Three counts for each label, which rise and are values of both types: the voxels that have it in
// both, in p, and in r. Without labels: three counts of the voxels that are not zero.
template <class P, class R>
void overlap(On, View<const P> p, View<const R> r, List<const i64> labels, List<i64> counts);
}  // namespace voxkern::cpu
#endif
