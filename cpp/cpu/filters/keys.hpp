// Numbers as whole numbers without a sign in the same order, and lists sorted by their digits.
#pragma once
#include <voxkern/filters/keys.hpp>

#include <type_traits>
#include <utility>

namespace voxkern::cpu {

template <class T>
using Digits = std::make_unsigned_t<Key<T>>;
template <class T>
constexpr Digits<T> sign = Digits<T>(1) << (8 * sizeof(T) - 1);

// Both zeros are one, and NaN of any kind comes last.
template <class T>
Digits<T> digits_of(T v) {
  return Digits<T>(rank_key(v + T(0))) ^ sign<T>;
}
template <class T>
T value_of(Digits<T> digits) {
  T v;
  from_rank_key(Key<T>(digits ^ sign<T>), v);
  return v;
}

// Sorts n items of a by their keys with the help of b, so many bits at a time from the lowest on,
// and returns the one of both where they are. Equal keys stay as they come.
template <int bits, class Item>
Item* sorted(Item* a, Item* b, i64 n) {
  constexpr int digits = (8 * sizeof(Item::key) + bits - 1) / bits, values = 1 << bits;
  const auto digit = [](const Item& item, int d) { return item.key >> (bits * d) & (values - 1); };
  i64 counts[digits][values] = {};
  for (i64 i = 0; i < n; ++i)
    for (int d = 0; d < digits; ++d) ++counts[d][digit(a[i], d)];
  for (int d = 0; d < digits; ++d) {
    if (counts[d][digit(a[0], d)] == n) continue;
    i64 place = 0;
    for (i64& count : counts[d]) place += std::exchange(count, place);
    for (i64 i = 0; i < n; ++i) b[counts[d][digit(a[i], d)]++] = a[i];
    std::swap(a, b);
  }
  return a;
}

}  // namespace voxkern::cpu
