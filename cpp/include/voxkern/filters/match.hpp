// One image's values given the shares that another's have.
#pragma once
#include "../base.hpp"

namespace voxkern::cpu {
struct On;
// y = the value of `reference` whose share of smaller or equal ones is that of x in its own image,
// between two values on a line. All are finite.
template <class T>
void match(On, View<const T> x, View<T> y, View<const T> reference);
}  // namespace voxkern::cpu
