// The least or the greatest of a neighbourhood.
#pragma once
#include "keys.hpp"

#ifndef __CUDACC_RTC__
namespace voxkern::cpu {
struct On;

// y(v) = the least of x over a neighbourhood of v, or with `highest` the greatest; NaN counts as
// larger than any number. The neighbourhood is v + offset over the offsets, triples (z, y, x); with
// no offset it is the box of `size` voxels whose lowest corner is v + first.
template <class T>
void extreme(On, View<const T> x, View<T> y, List<const i64> offsets, Size size, Size first,
             i64 highest, Edge ez, Edge ey, Edge ex, f64 fill);
}  // namespace voxkern::cpu
#endif
