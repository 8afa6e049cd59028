// Hampel's identifier: voxels far from the median of the box around them.
#pragma once
#include "../base.hpp"

#ifndef __CUDACC_RTC__
namespace voxkern::cpu {
struct On;
// y is `middle`, the median of the box, where x is more than `least` from it and more than half of
// the box is nearer to it than 1 / threshold of x's distance: the median absolute deviation is then
// so small. Else y is x.
template <class T>
void spikes(On, View<const T> x, View<const T> middle, View<T> y, Size reach, f64 threshold,
            f64 least, Edge edge);
}  // namespace voxkern::cpu
#endif
