// Bilateral filter: each voxel the average of those nearby that are about as bright.
#pragma once
#include "../base.hpp"

#ifndef __CUDACC_RTC__
namespace voxkern::cpu {
struct On;
// The weight of the voxel at the n-th (z, y, x) of `offsets` is 2^(near[n] + by * difference^2).
// Among them is none, of weight 1, and with each its opposite, of the same weight. `reach` is the
// largest offset along each axis.
template <class T, class R>
void bilateral(On, View<const T> x, View<R> y, List<const i64> offsets, List<const f64> near,
               Size reach, f64 by, Edge edge, f64 fill);
}  // namespace voxkern::cpu
#endif
