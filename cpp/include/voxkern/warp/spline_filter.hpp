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

// One line turned into coefficients for one pole, in place; its elements are `step` apart.
template <class R>
VOXKERN_HD void filter_line(R* c, i64 n, i64 step, f64 z, f64 gain, Line_end end) {
  const f64 eps = 1e-20;
  const f64 whole = pow(-z, f64(end == Line_end::mirror ? n - 1 : n));
  const f64 far = (end == Line_end::mirror ? n - 1 : n) % 2 ? -whole : whole;
  f64 sum = end == Line_end::reflect ? 0.0 : f64(c[0]), power = 1;
  if (end == Line_end::mirror) sum += far * f64(c[(n - 1) * step]);
  for (i64 i = end == Line_end::reflect ? 0 : 1; i < n; ++i) {
    power *= z;
    if (fabs(power) < eps || (end == Line_end::mirror && i == n - 1)) break;
    if (end == Line_end::wrap)
      sum += power * f64(c[(n - i) * step]);
    else
      sum += power * (f64(c[i * step]) + far * f64(c[(n - 1 - i) * step]));
  }
  sum /= end == Line_end::wrap ? 1 - far : 1 - far * far;
  if (end == Line_end::reflect) sum += f64(c[0]);
  const R pole = R(z), scale = R(gain);
  R value = R(sum) * scale, before = value;
  c[0] = value;
  for (i64 i = 1; i < n; ++i) {
    before = value;
    c[i * step] = value = c[i * step] * scale + pole * value;
  }
  if (end == Line_end::wrap) {
    sum = f64(value);
    power = 1;
    for (i64 i = 0; i < n - 1 && fabs(power) > eps; ++i) sum += (power *= z) * f64(c[i * step]);
    value = R(sum * z / (far - 1));
  } else {
    const f64 last = end == Line_end::reflect ? f64(value) / (z - 1)
                                              : (z * f64(before) + f64(value)) / (z * z - 1);
    value = R(last * z);
  }
  c[(n - 1) * step] = value;
  for (i64 i = n - 2; i >= 0; --i) c[i * step] = value = pole * (value - c[i * step]);
}

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// The image, padded by `pad` voxels on each side (edge voxels, or `fill` for grid_constant),
// filtered along every axis of more than one voxel.
template <class T, class U>
void spline_filter(On, View<const T> in, View<U> out, i64 order, i64 outside, Size pad, f64 fill);
}  // namespace cpu
#endif

}  // namespace voxkern
