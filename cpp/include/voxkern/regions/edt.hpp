// Exact Euclidean distance transform.
#pragma once
#include <voxkern/base.hpp>

#ifndef __CUDACC_RTC__
namespace voxkern::cpu {
struct On;
// y = the distance of every voxel of `x` that is not zero to the nearest that is, times `scale`; of
// the others 0, or if `sided` minus the distance to the nearest that is not zero. `costs` holds the
// squared lengths of 0, 1, 2, ... steps along z, then y, then x; distances are sums of them in f32,
// added in this order. `squared` leaves them squared. `at` is empty, or three volumes under each
// other, for the z, y and x of the voxel that was nearest: of equals the lowest x, then y, then z.
// Where there is none the distance is infinite and its place -1.
template <class T>
void edt(On, View<const T> x, View<f32> y, View<i32> at, List<const f32> costs, f32 scale,
         i32 sided, i32 squared);
}  // namespace voxkern::cpu
#endif
