// Kernels of any weights along the axes of a volume, one after the other.
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
// are cut towards zero after each. Weight n of an axis meets the voxel n - before; `before` lies in
// [0, number of weights). No weights leave the axis alone. Lists of an odd length that are even or
// odd about their centre are summed by pairs, the farthest first.
template <class T>
void separable(On on, View<const T> in, View<T> out, List<const f64> wz, List<const f64> wy,
               List<const f64> wx, Size before, Edge ez, Edge ey, Edge ex, f64 fill);
}  // namespace cpu
#endif

}  // namespace voxkern
