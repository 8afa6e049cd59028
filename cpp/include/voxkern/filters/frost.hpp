// Means weighted by exponentials that fall faster where the image varies more: Frost et al., IEEE
// TPAMI 4:157-166, 1982.
#pragma once
#include "../base.hpp"

#ifndef __CUDACC_RTC__
namespace voxkern::cpu {
struct On;
// `wide` is the image with a border, `vary` the square of its local coefficient of variation.
// `offsets` are (z, y, x) from a voxel's own index to its neighbours in `wide`, `distances` how far
// they are from it, in rising order.
template <class T>
void frost(On on, View<const T> wide, View<const T> vary, View<T> y, List<const i64> offsets,
           List<const f64> distances, f64 damping);
}  // namespace voxkern::cpu
#endif
