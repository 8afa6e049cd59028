// An image read at a list of points.
#pragma once
#include "../sample.hpp"

namespace voxkern {

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// out[i] = in(zs[i], ys[i], xs[i]). The rest as for affine.
template <class T, class U, class C>
void map_coordinates(On, View<const T> in, List<U> out, List<const C> zs, List<const C> ys,
                     List<const C> xs, i64 order, i64 outside, f64 fill, f64, f64);
}  // namespace cpu
#endif

}  // namespace voxkern
