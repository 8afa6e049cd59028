// Spline coefficients of an image.
#pragma once
#include "../sample.hpp"

namespace voxkern {

// Recursion with one pole: Unser, Aldroubi and Eden 1993. There are one or two poles an order.
struct Poles {
  int count;
  f64 z[2];
  f64 gain;  // of both passes of all poles
};
VOXKERN_HD Poles poles_of(i64 order) {
  Poles p{order < 4 ? 1 : 2, {0, 0}, 1};
  if (order == 2) p.z[0] = sqrt(8.0) - 3;
  if (order == 3) p.z[0] = sqrt(3.0) - 2;
  if (order == 4) {
    p.z[0] = sqrt(664 - sqrt(438976.0)) + sqrt(304.0) - 19;
    p.z[1] = sqrt(664 + sqrt(438976.0)) - sqrt(304.0) - 19;
  }
  if (order == 5) {
    p.z[0] = sqrt(67.5 - sqrt(4436.25)) + sqrt(26.25) - 6.5;
    p.z[1] = sqrt(67.5 + sqrt(4436.25)) - sqrt(26.25) - 6.5;
  }
  for (int i = 0; i < p.count; ++i) p.gain *= (1 - p.z[i]) * (1 - 1 / p.z[i]);
  return p;
}

// How a line goes on beyond its ends, and its first value is found.
enum class Line_end { mirror, reflect, wrap };
VOXKERN_HD Line_end line_end(Outside outside) {
  if (outside == Outside::reflect || outside == Outside::nearest) return Line_end::reflect;
  return outside == Outside::grid_wrap ? Line_end::wrap : Line_end::mirror;
}

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// The image, padded by `pad` voxels on each side (edge voxels, or `fill` for grid_constant), filtered
// along every axis of more than one voxel.
template <class T, class U>
void spline_filter(On, View<const T> in, View<U> out, i64 order, i64 outside, Size pad, f64 fill);
}  // namespace cpu
#endif

}  // namespace voxkern
