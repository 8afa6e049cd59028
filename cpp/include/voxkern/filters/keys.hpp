// Numbers as keys: integers in the order of the numbers, for what compares and counts.
#pragma once
#include "../base.hpp"

namespace voxkern {

// A number in an order that holds for all of them: a float as the integer that sorts like it, with
// NaN above infinity whatever its sign; an integer as itself.
VOXKERN_HD u8 rank_key(u8 v) { return v; }
VOXKERN_HD i16 rank_key(i16 v) { return v; }
VOXKERN_HD u16 rank_key(u16 v) { return v; }
VOXKERN_HD i32 rank_key(i32 v) { return v; }
VOXKERN_HD i32 rank_key(f32 v) {
  if (v != v) return 0x7fc00000;
  union {
    f32 f;
    i32 i;
  } bits{v};
  return bits.i ^ ((bits.i >> 31) & 0x7fffffff);
}
VOXKERN_HD i64 rank_key(f64 v) {
  if (v != v) return 0x7ff8000000000000ll;
  union {
    f64 f;
    i64 i;
  } bits{v};
  return bits.i ^ ((bits.i >> 63) & 0x7fffffffffffffffll);
}

VOXKERN_HD void from_rank_key(u8 k, u8& v) { v = k; }
VOXKERN_HD void from_rank_key(i16 k, i16& v) { v = k; }
VOXKERN_HD void from_rank_key(u16 k, u16& v) { v = k; }
VOXKERN_HD void from_rank_key(i32 k, i32& v) { v = k; }
VOXKERN_HD void from_rank_key(i32 k, f32& v) {
  union {
    i32 i;
    f32 f;
  } bits{k ^ ((k >> 31) & 0x7fffffff)};
  v = bits.f;
}
VOXKERN_HD void from_rank_key(i64 k, f64& v) {
  union {
    i64 i;
    f64 f;
  } bits{k ^ ((k >> 63) & 0x7fffffffffffffffll)};
  v = bits.f;
}

template <class T>
using Key = decltype(rank_key(T()));

}  // namespace voxkern
