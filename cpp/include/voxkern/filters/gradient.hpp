// First differences along the axes of a volume, and their length.
#pragma once
#include "../base.hpp"

namespace voxkern {

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// Half the difference of the two neighbours along each axis whose scale is not 0, times the scale;
// at a face `face` times the difference to the one neighbour. `out` holds one volume an axis, one
// after the other, or just the length of the vector where `magnitude` is not 0.
template <class T, class U>
void gradient(On on, View<const T> in, View<U> out, Vec3 scale, f64 face, i64 magnitude);

// The length of vectors, whose components `in` holds one after the other.
template <class T>
void length(On on, View<const T> in, View<T> out);
}  // namespace cpu
#endif

}  // namespace voxkern
