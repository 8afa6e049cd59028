// Numbers as whole numbers in the same order, to sort by their digits.
#pragma once
#include <voxkern/base.hpp>

#include <cstring>
#include <limits>
#include <type_traits>

namespace voxkern::cpu {

template <class T>
using Key = std::conditional_t<sizeof(T) == 4, u32, u64>;

// Both zeros are one, and NaN of any kind comes last.
template <class T>
Key<T> key_of(T v) {
  constexpr int sign = 8 * sizeof(T) - 1;
  v = v == v ? v + T(0) : std::numeric_limits<T>::quiet_NaN();
  Key<T> key;
  std::memcpy(&key, &v, sizeof v);
  return key ^ (key >> sign ? ~Key<T>(0) : Key<T>(1) << sign);
}
template <class T>
T value_of(Key<T> key) {
  constexpr int sign = 8 * sizeof(T) - 1;
  key ^= key >> sign ? Key<T>(1) << sign : ~Key<T>(0);
  T v;
  std::memcpy(&v, &key, sizeof v);
  return v;
}

}  // namespace voxkern::cpu
