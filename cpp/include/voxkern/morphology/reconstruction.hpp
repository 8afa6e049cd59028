// Grey reconstruction.
#pragma once
#include "../filters/keys.hpp"

#ifndef __CUDACC_RTC__
namespace voxkern::cpu {
struct On;

// y = the seed dilated again and again by the offsets, steps (z, y, x) of -1, 0 or 1 with their
// opposites among them, and never above the mask; with `lower` eroded and never below. The seed is
// nowhere beyond the mask. NaN counts as larger than any number.
template <class T>
void reconstruction(On, View<const T> seed, View<const T> mask, View<T> y, List<const i64> offsets,
                    i64 lower);

// y = 1 on plateaus none of whose neighbours is higher, or with `lower` none lower. A plateau that
// is the whole volume does not count, nor, unless `borders`, one that touches the end of an axis
// longer than one voxel.
template <class T>
void local_extrema(On, View<const T> x, View<u8> y, List<const i64> offsets, i64 lower,
                   i64 borders);
}  // namespace voxkern::cpu
#endif
