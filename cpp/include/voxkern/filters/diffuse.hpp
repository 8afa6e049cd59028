// One step of anisotropic diffusion, and the mean gradient that ITK goes by.
#pragma once
#include "../base.hpp"

namespace voxkern {

// What flows; the codes are those of _diffusion.py.
enum class Flow : i32 { gradient, curvature, plain };

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// y = x + step times the flow into each voxel. `scale` is one over the spacing, and a flow shrinks
// by 2^(by * square of the gradient).
template <class T, class R>
void diffuse(On, View<const T> x, View<R> y, Vec3 scale, f64 by, f64 step, i64 flow);
// sums[0] = the sum over the voxels of the squared gradient, by central differences.
template <class T>
void gradient_power(On, View<const T> x, List<f64> sums, Vec3 scale);
}  // namespace cpu
#endif
}  // namespace voxkern
