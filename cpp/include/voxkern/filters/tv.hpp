// Total variation: an image that is near another and has short edges.
#pragma once
#include "../base.hpp"

#ifndef __CUDACC_RTC__
namespace voxkern::cpu {
struct On;
// Lengths of voxels come as scale, one over their squares; the dual field (pz, py, px) is kept
// divided by them, so that what flows into a voxel is a plain sum.
// Steps of Chambolle's projection, one for every two numbers of energy. A step writes the image u
// that the dual field stands for, and energy: the sums of (u - x)^2 and of the length of its
// gradient; then it moves the field on. Of u the last step's is left.
template <class T, class R>
void tv_project(On, View<const T> x, View<R> pz, View<R> py, View<R> px, View<R> u,
                List<f64> energy, Vec3 scale, f64 weight, f64 step);
// The two halves of a step of Chambolle and Pock's method. The first moves the dual field along the
// gradient of `ahead` and cuts it to the length `weight`; the second moves u against it, towards x,
// and `ahead` beyond u; change[0] is the sum of the squares by which u moved.
template <class R>
void tv_dual(On, View<const R> ahead, View<R> pz, View<R> py, View<R> px, Vec3 scale, f64 weight,
             f64 step);
template <class T, class R>
void tv_primal(On, View<const T> x, View<const R> pz, View<const R> py, View<const R> px, View<R> u,
               View<R> ahead, List<f64> change, f64 step, f64 beyond);
}  // namespace voxkern::cpu
#endif
