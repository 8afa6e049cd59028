// Counts of 16 bits of numbers whose upper bits are known: a step towards exact percentiles.
#pragma once
#include "../base.hpp"
#include "moments.hpp"

namespace voxkern {

constexpr i64 digit_values = 65536;

// Floats read as integers become integers in the same order. False for NaN.
template <class T>
VOXKERN_HD bool ordered_bits(i64 v, i64 floats, i64* out) {
  if (floats) {
    constexpr i64 rest = sizeof(T) == 8 ? 0x7fffffffffffffffll : 0x7fffffffll;
    constexpr i64 infinite = sizeof(T) == 8 ? 0x7ff0000000000000ll : 0x7f800000ll;
    if ((v & rest) > infinite) return false;
    if (v < 0) v ^= rest;
  }
  *out = v;
  return true;
}

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// counts[slot][16 bits from `shift` on], for numbers whose bits above those are prefixes[slot];
// without prefixes for all numbers, whose bits there count from `lowest` on.
template <class T>
void digits(On, View<const T> x, View<const u8> mask, List<const i64> prefixes, i64 shift,
            i64 lowest, i64 floats, List<i64> counts);
}  // namespace cpu
#endif

}  // namespace voxkern
