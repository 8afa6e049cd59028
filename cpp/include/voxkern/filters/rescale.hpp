// Maps of single values: lines with ends, curves, tables.
#pragma once
#include "../base.hpp"

namespace voxkern {

// v between low and high; NaN stays.
VOXKERN_HD f64 clipped(f64 v, f64 low, f64 high) { return v < low ? low : v > high ? high : v; }

// The nearest whole number, halves to the even one, that R holds; 0 for NaN. Floats stay.
template <class R>
VOXKERN_HD R settled(f64 v, f64 lowest, f64 highest) {
  if (R(0.5) != R(0)) return R(v);
  return v != v ? R(0) : R(clipped(rint(v), lowest, highest));
}

// The last of `count` rising knots that is not above v, for v between the first and the last.
VOXKERN_HD i64 knot_of(f64 v, const f64* knots, i64 count) {
  i64 low = 0, high = count - 1;
  while (low < high) {
    const i64 middle = (low + high + 1) / 2;
    if (knots[middle] <= v)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

// The line through the knots at v, constant beyond the ends, as numpy.interp has it.
VOXKERN_HD f64 on_line(f64 v, const f64* knots, const f64* values, i64 count, i64 at) {
  if (v != v) return v;
  if (v < knots[0]) return values[0];
  if (!(v < knots[count - 1])) return values[count - 1];
  const f64 slope = (values[at + 1] - values[at]) / (knots[at + 1] - knots[at]);
  return slope * (v - knots[at]) + values[at];
}

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// y = (x between low and high, less offset) / width * span + bottom, settled between least and
// most where R is whole.
template <class T, class R>
void rescale(On, View<const T> x, View<R> y, f64 low, f64 high, f64 offset, f64 width, f64 span,
             f64 bottom, f64 lowest, f64 highest);
// y = x between low and high.
template <class T>
void clip(On, View<const T> x, View<T> y, T low, T high);
// sums = how many voxels under the mask are numbers, the sums of x - centre and of its square.
template <class T>
void shifted_sums(On, View<const T> x, View<const u8> mask, f64 centre, List<f64> sums);
// y = x on the line through (knots, values).
template <class T, class R>
void interp(On, View<const T> x, View<R> y, List<const f64> knots, List<const f64> values);
// y = ((x between low and high) - low) / width to the power, times span, plus bottom.
template <class T, class R>
void power(On, View<const T> x, View<R> y, f64 low, f64 high, f64 width, f64 exponent, f64 span,
           f64 bottom);
// y = table[x - the smallest that T holds].
template <class T, class R>
void lookup(On, View<const T> x, View<R> y, List<const R> table);
}  // namespace cpu
#endif

}  // namespace voxkern
