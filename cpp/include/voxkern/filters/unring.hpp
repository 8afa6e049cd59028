// Gibbs ringing along rows: what a voxel is worth between samples, where its neighbours ring least.
#pragma once
#include "../base.hpp"

#ifndef __CUDACC_RTC__
namespace voxkern::cpu {
struct On;
// Rows are moved by each of `shifts`, in voxels, to either side, as their Fourier series goes on;
// voxels keep the shift for which `points` neighbours on one side of them vary least.
template <class T>
void unring(On on, View<const T> x, View<T> y, List<const f64> shifts, i64 points);
}  // namespace voxkern::cpu
#endif
