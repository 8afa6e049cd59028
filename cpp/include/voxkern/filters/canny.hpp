// Canny's edges: sums along an axis as SciPy makes them, and which voxels are crests.
#pragma once
#include "../base.hpp"

namespace voxkern {

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// Weights along one axis, even or odd about their middle, summed in f64 from the ends inwards and
// without fused multiply-add.
template <class T>
void line_sums(On on, View<const T> in, View<T> out, List<const f64> w, i64 axis, Edge edge,
               f64 fill);

// 1 where `in` is at least `low`, above 0, and no less than on both sides along the slope; 2 where
// it is at least `high` besides; else 0. `slopes` has a volume an axis, in steps of voxels: three,
// or two for planes that stand alone. Voxels at the faces, or beside what is not in `mask`, are 0.
template <class T>
void crests(On on, View<const T> in, View<const T> slopes, View<const u8> mask, View<u8> out,
            f64 low, f64 high);
}  // namespace cpu
#endif

}  // namespace voxkern
