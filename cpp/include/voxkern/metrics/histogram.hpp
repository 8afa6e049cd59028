// Extremes, and counts of values and of pairs of values in bins.
#pragma once
#include "../base.hpp"
#include "moments.hpp"

namespace voxkern {

// The bin of v among `bins`, whose `edges` rise; the last bin has its upper edge in it, as in
// NumPy. -1 outside, and for NaN. Bins of one width are found at once, others by halving.
VOXKERN_HD i64 bin_of(f64 v, const f64* edges, i64 bins) {
  if (!(v >= edges[0] && v <= edges[bins])) return -1;
  i64 low = 0, high = bins - 1;
  const f64 place = (v - edges[0]) / (edges[bins] - edges[0]) * f64(bins);
  const i64 guess = place > 0 ? least(high, i64(place)) : 0;  // no number between infinite edges
  low = v >= edges[guess] ? guess : most(low, guess - 1);
  high = v < edges[guess + 1] ? guess : least(high, guess + 1);
  if (v < edges[low]) low = 0;
  if (v >= edges[high + 1]) high = bins - 1;
  while (low < high) {
    const i64 middle = (low + high + 1) / 2;
    if (v < edges[middle])
      high = middle - 1;
    else
      low = middle;
  }
  return low;
}

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// out = the smallest and the largest number under the mask (+inf and -inf if there is none), 1 if
// there is a NaN, how many voxels there are, and 1 if `edges` part what is between evenly: each
// step rounded to E as NumPy does. They stay as they are where rounding may join two.
template <class T, class E>
void extremes(On, View<const T> x, View<const u8> mask, List<f64> out, List<E> edges);
// counts[bin] = how many voxels under the mask lie in it.
template <class T>
void histogram(On, View<const T> x, View<const u8> mask, List<const f64> edges, List<i64> counts);
// counts[bin of a, bin of b], row by row.
template <class T>
void joint_histogram(On, View<const T> a, View<const T> b, View<const u8> mask,
                     List<const f64> a_edges, List<const f64> b_edges, List<i64> counts);
}  // namespace cpu
#endif

}  // namespace voxkern
