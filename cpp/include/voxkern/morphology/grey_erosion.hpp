// Grey morphology with an element that has heights, and what is left after it.
#pragma once
#include "../base.hpp"

namespace voxkern::cpu {
struct On;

// y(v) = the least of x(v + offset) - height over the offsets (z, y, x triples), or with `highest`
// the greatest of x(v + offset) + height, in float64, then no less than
// `low` and no more than `high`. NaN counts as larger than any number.
template <class T>
void grey_erosion(On, View<const T> x, View<T> y, List<const i64> offsets, List<const f64> heights,
                  i64 highest, Edge, f64 fill, f64 low, f64 high);

// y = a - b, which wraps for integers; or where they differ (how 1), where a is set and b is not
// (2), where neither is (3). y may be a or b.
template <class T>
void difference(On, View<const T> a, View<const T> b, View<T> y, i64 how);
}  // namespace voxkern::cpu
