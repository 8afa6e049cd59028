// Sums over pairs of voxels, and the gradients that follow from them.
#pragma once
#include "../base.hpp"

namespace voxkern {

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// sums = the number of voxels under the mask, and the sum of (a - b)^2 over them.
template <class T>
void square_differences(On, View<const T> a, View<const T> b, View<const u8> mask, List<f64> sums);
// sums = the number of voxels, and the sums of u, v, u^2, v^2, uv with u = a - a0 and v = b - b0.
template <class T>
void comoments(On, View<const T> a, View<const T> b, View<const u8> mask, List<f64> sums, f64 a0,
               f64 b0);
// out = by_a (a - a0) + by_b (b - b0) under the mask, zero elsewhere.
template <class T, class R>
void pair_gradient(On, View<const T> a, View<const T> b, View<const u8> mask, View<R> out, f64 a0,
                   f64 b0, f64 by_a, f64 by_b);
}  // namespace cpu
#endif

}  // namespace voxkern
