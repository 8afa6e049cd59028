// Gaussians along the axes of a volume, or any other kernel that is even or odd along each.
#pragma once
#include "../base.hpp"

namespace voxkern {

// What images of type T are summed in. Integers need doubles to be cut where SciPy cuts them.
template <class T>
struct SumOf {
  using type = f64;
};
template <>
struct SumOf<f32> {
  using type = f32;
};
template <class T>
using sum_of = typename SumOf<T>::type;

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// Correlates with wz along z, then with wy along y, then with wx along x, as SciPy does: integers
// are cut towards zero after each. Each list has an odd number of weights, even or odd about its
// centre; none leaves the axis alone.
template <class T>
void gaussian(On, View<const T> in, View<T> out, List<const f64> wz, List<const f64> wy,
              List<const f64> wx, Edge ez, Edge ey, Edge ex, f64 fill);
}  // namespace cpu
#endif

}  // namespace voxkern
