// Peaks below an area, cut.
#pragma once
#include "../filters/keys.hpp"

#ifndef __CUDACC_RTC__
namespace voxkern::cpu {
struct On;

// y = at each voxel the highest level of x at which it lies in a region of at least `area` voxels,
// neighbours being one of the offsets apart; with `lower` the lowest level. Where no region is so
// large, the level of the whole one.
template <class T>
void area_opening(On, View<const T> x, View<T> y, List<const i64> offsets, i64 area, i64 lower);
}  // namespace voxkern::cpu
#endif
