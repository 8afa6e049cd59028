// Correlation with a kernel of three axes.
#pragma once
#include "../base.hpp"

namespace voxkern {

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// out = the sum over the weights, in C order, of weight times the voxel it meets: the first weight
// of `box` meets the voxel `before` places back. Zero weights are left out. Integers are summed in
// f64, cut towards zero and wrap.
template <class T>
void correlate(On on, View<const T> in, View<T> out, List<const f64> weights, Size box, Size before,
               Edge edge, f64 fill);
}  // namespace cpu
#endif

}  // namespace voxkern
