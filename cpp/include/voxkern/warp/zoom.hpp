// An image read on a grid along its axes.
#pragma once
#include "../sample.hpp"

namespace voxkern {

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// out(k, j, i) = in(zs[k], ys[j], xs[i]). The rest as for affine.
template <class T, class U>
void zoom(On, View<const T> in, View<U> out, List<const f64> zs, List<const f64> ys,
          List<const f64> xs, i64 order, i64 outside, f64 fill, f64, f64);
}  // namespace cpu
#endif

}  // namespace voxkern
