// One level of a discrete wavelet transform, and back.
#pragma once
#include "../base.hpp"

#ifndef __CUDACC_RTC__
namespace voxkern::cpu {
struct On;
// Splits the last `axes` axes of x, which is reflected beyond its ends, into a low pass and, behind
// it, a high pass, each half as long and half a filter longer; without a low pass into the high
// pass alone. `power`, unless it is empty, gets the sum of squares of the 8 bands, those that are
// high along z, y and x at 4, 2 and 1.
template <class T, class R>
void dwt(On, View<const T> x, View<R> y, List<const f64> low, List<const f64> high, i64 axes,
         List<f64> power);

// The way back, into as many voxels as y has. Of the coefficients in a band with a limit above 0,
// if there are limits, those below it become 0, and unless `hard` the others shrink by it.
template <class T>
void idwt(On, View<const T> x, View<T> y, List<const f64> low, List<const f64> high, i64 axes,
          List<const f64> limits, i64 hard);
}  // namespace voxkern::cpu
#endif
