// Median of a neighbourhood: what the CPU and the GPU share.
#pragma once
#include "../base.hpp"

namespace voxkern {

// The k-th smallest of v[0..n), in place.
template <class T>
VOXKERN_HD T select(T* v, i64 n, i64 k) {
  i64 lo = 0, hi = n - 1;
  while (lo < hi) {
    T pivot = v[(lo + hi) / 2];
    i64 i = lo, j = hi;
    while (i <= j) {
      while (v[i] < pivot) ++i;
      while (pivot < v[j]) --j;
      if (i <= j) {
        T t = v[i];
        v[i++] = v[j];
        v[j--] = t;
      }
    }
    if (k <= j) hi = j;
    else if (k >= i) lo = i;
    else break;
  }
  return v[k];
}

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// out(v) = the `rank`-th smallest of in(v + offset) over the offsets (z, y, x triples).
template <class T>
void median(On, View<const T> in, View<T> out, List<const i64> offsets, i64 rank, Edge, T fill);
}  // namespace cpu
#endif

}  // namespace voxkern
