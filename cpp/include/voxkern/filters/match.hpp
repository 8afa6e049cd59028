// One image's values given the shares that another's have.
#pragma once
#include "../base.hpp"

namespace voxkern::cpu {
struct On;
// y = the value of `target` whose share of smaller or equal ones is that of x in `source`, between
// two values on a line. Both lists are sorted; every value of x is in `source`.
template <class T>
void match_sorted(On, View<const T> x, View<T> y, List<const T> source, List<const T> target);
}  // namespace voxkern::cpu
