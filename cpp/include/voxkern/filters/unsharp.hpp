// What is finer than a Gaussian, made stronger.
#pragma once
#include "../base.hpp"

namespace voxkern {

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// out = in + amount * (in - smooth), where `smooth` is `in` correlated along z, y and x with odd
// numbers of weights about the voxel; none leaves an axis alone. The image is reflected.
template <class T>
void unsharp(On on, View<const T> in, View<T> out, List<const f64> wz, List<const f64> wy,
             List<const f64> wx, f64 amount);
}  // namespace cpu
#endif

}  // namespace voxkern
