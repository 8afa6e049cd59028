// Vectors of keys, read from images and written to them.
#pragma once
#include <voxkern/filters/keys.hpp>
#include <voxkern/simd.hpp>

#include <type_traits>

namespace voxkern::cpu {

template <class T>
Vec<Key<T>> as_keys(Vec<T> v) {
  if constexpr (std::is_floating_point_v<T>)
    return simd::to_key(v);
  else
    return v;
}
template <class T>
Vec<T> as_numbers(Vec<Key<T>> k) {
  if constexpr (std::is_floating_point_v<T>)
    return simd::from_key<T>(k);
  else
    return k;
}

}  // namespace voxkern::cpu
