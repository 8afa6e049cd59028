// The sum of the second differences along the axes of a volume.
#pragma once
#include "../base.hpp"

namespace voxkern {

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// out = the sum over the axes of scale * (voxel before - 2 * voxel + voxel after). An axis of scale
// 0 is left out. Integers are cut towards zero and wrap.
template <class T>
void laplace(On on, View<const T> in, View<T> out, Vec3 scale, Edge ez, Edge ey, Edge ex, f64 fill);
}  // namespace cpu
#endif

}  // namespace voxkern
