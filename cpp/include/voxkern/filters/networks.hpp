// Merging of sorted lists by comparators alone: no branch, so a lane of a vector or a thread of a
// warp can be an output of its own. Everything is unrolled, and the compiler drops the comparators
// whose results nobody reads: asking for the middle of a merge costs only what leads to it.
#pragma once
#include "../base.hpp"

namespace voxkern::network {

// The smaller and the larger of two numbers; vectors bring their own.
VOXKERN_HD u8 min(u8 a, u8 b) { return b < a ? b : a; }
VOXKERN_HD u8 max(u8 a, u8 b) { return b < a ? a : b; }
VOXKERN_HD u16 min(u16 a, u16 b) { return b < a ? b : a; }
VOXKERN_HD u16 max(u16 a, u16 b) { return b < a ? a : b; }
VOXKERN_HD i16 min(i16 a, i16 b) { return b < a ? b : a; }
VOXKERN_HD i16 max(i16 a, i16 b) { return b < a ? a : b; }
VOXKERN_HD i32 min(i32 a, i32 b) { return b < a ? b : a; }
VOXKERN_HD i32 max(i32 a, i32 b) { return b < a ? a : b; }
VOXKERN_HD i64 min(i64 a, i64 b) { return b < a ? b : a; }
VOXKERN_HD i64 max(i64 a, i64 b) { return b < a ? a : b; }

// Batcher's odd-even merge of the sorted lists a[0], a[sa], ... (n of them) and b[0], b[sb], ...
// (m of them) into out, for any n and m: Knuth, The Art of Computer Programming 3, 5.3.4.
template <int n, int m, int sa = 1, int sb = 1, class V>
VOXKERN_HD void merge(const V* a, const V* b, V* out) {
  if constexpr (n == 0) {
#pragma GCC unroll 128
    for (int i = 0; i < m; ++i) out[i] = b[i * sb];
  } else if constexpr (m == 0) {
#pragma GCC unroll 128
    for (int i = 0; i < n; ++i) out[i] = a[i * sa];
  } else if constexpr (n == 1 && m == 1) {
    const V x = a[0], y = b[0];
    out[0] = min(x, y);
    out[1] = max(x, y);
  } else {
    constexpr int evens = (n + 1) / 2 + (m + 1) / 2, odds = n / 2 + m / 2;
    V even[evens], odd[odds > 0 ? odds : 1];
    merge<(n + 1) / 2, (m + 1) / 2, 2 * sa, 2 * sb>(a, b, even);
    merge<n / 2, m / 2, 2 * sa, 2 * sb>(a + sa, b + sb, odd);
    out[0] = even[0];
#pragma GCC unroll 128
    for (int i = 0; i < odds; ++i) {
      if (i + 1 < evens) {
        const V x = odd[i], y = even[i + 1];
        out[2 * i + 1] = min(x, y);
        out[2 * i + 2] = max(x, y);
      } else {
        out[2 * i + 1] = odd[i];
      }
    }
    if constexpr (evens == odds + 2) out[n + m - 1] = even[evens - 1];
  }
}

// Sorts v[0..n) by merging halves.
template <int n, class V>
VOXKERN_HD void sort(V* v) {
  if constexpr (n > 1) {
    V out[n];
    sort<n / 2>(v);
    sort<n - n / 2>(v + n / 2);
    merge<n / 2, n - n / 2>(v, v + n / 2, out);
#pragma GCC unroll 128
    for (int i = 0; i < n; ++i) v[i] = out[i];
  }
}

// The k-th (from 0) of two sorted lists together: the least over i of max(a[i], b[k - i]), where a
// missing b[-1] is minus infinity and numbers behind a list's end are plus infinity.
template <int n, int m, int k, class V>
VOXKERN_HD V select(const V* a, const V* b) {
  static_assert(0 <= k && k < n + m);
  constexpr int from = k - m > 0 ? k - m : 0, to = k < n - 1 ? k : n - 1;
  V best = k < m ? b[k < m ? k : 0] : a[from];
  // With i numbers below from a, the answer is at least a[i - 1] and at least b[k - i].
  bool have = k < m;
#pragma GCC unroll 128
  for (int i = from; i <= to; ++i) {
    const int j = k - 1 - i;  // b[j] is the last number of b below, if there is one
    const V candidate = j >= 0 ? max(a[i], b[j]) : a[i];
    best = have ? min(best, candidate) : candidate;
    have = true;
  }
  return best;
}

}  // namespace voxkern::network
