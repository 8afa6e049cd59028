// Means over boxes of any size.
#pragma once
#include "../base.hpp"

namespace voxkern {

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// The mean over `size` voxels along z, then y, then x, the first of them `before` places back.
// Integers are cut towards zero after each axis, as in SciPy.
template <class T>
void uniform(On on, View<const T> in, View<T> out, Size size, Size before, Edge ez, Edge ey,
             Edge ex, f64 fill);
}  // namespace cpu
#endif

}  // namespace voxkern
