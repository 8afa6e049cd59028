// Averages of the products of images, two by two.
#pragma once
#include "../base.hpp"

namespace voxkern {
#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// `in` holds n = 1, 2 or 3 images one after the other, `out` what separable() makes of the products
// of the first and the first, the first and the second, ..., the last and the last.
template <class T>
void smooth_products(On on, View<const T> in, View<T> out, List<const f64> wz, List<const f64> wy,
                     List<const f64> wx, Size before, Edge ez, Edge ey, Edge ex, f64 fill);
}  // namespace cpu
#endif
}  // namespace voxkern
