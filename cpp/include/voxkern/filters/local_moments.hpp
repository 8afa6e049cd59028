// Mean and deviation within boxes of any size.
#pragma once
#include "../base.hpp"

namespace voxkern {

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// The mean over the box that begins `before` voxels back, or, where `deviation` is not 0, the root
// of the mean square of what parts its voxels from that. Sums are in float64.
template <class T, class U>
void local_moments(On on, View<const T> in, View<U> out, Size size, Size before, Edge ez, Edge ey,
                   Edge ex, f64 fill, i64 deviation);
}  // namespace cpu
#endif

}  // namespace voxkern
