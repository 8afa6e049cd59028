// The sum, the largest or the smallest of many images, one joining after the other.
#pragma once
#include "../base.hpp"

namespace voxkern {

// What of an image joins, and how; the codes are those of _pool.py.
enum class Joins : i32 { plain, magnitude, modulus, product };
enum class Pooling : i32 { add, max, min };

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// y joined by weight times a, |a|, sqrt(a^2 + b^2) or a b. NaN stays.
template <class T>
void pool(On, View<const T> a, View<const T> b, View<T> y, i64 what, i64 how, f64 weight);
}  // namespace cpu
#endif
}  // namespace voxkern
