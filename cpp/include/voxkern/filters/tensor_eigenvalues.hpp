// Eigenvalues of a symmetric matrix at every voxel.
#pragma once
#include "../base.hpp"

namespace voxkern {
#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// `in` holds the matrices' components one after the other, zz, zy, zx, yy, yx, xx or yy, yx, xx,
// each as many planes as there are; `out` the three or two eigenvalues, the largest first.
template <class T>
void tensor_eigenvalues(On on, View<const T> in, View<T> out);
}  // namespace cpu
#endif
}  // namespace voxkern
