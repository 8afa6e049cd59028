// Grey morphology with heights, and differences: a thread a voxel.
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

template <class T>
__global__ void grey_erosion(const T* x, T* y, const i64* offsets, const f64* heights, i64 count,
                             Size size, i64 highest, i64 edge, f64 fill, f64 low, f64 high) {
  for (i64 i = first(); i < size.count(); i += step()) {
    const Size at = place(i, size);
    f64 best = 0;
    for (i64 n = 0; n < count; ++n) {
      const Size from{inside(at.z + offsets[3 * n], size.z, Edge(edge)),
                      inside(at.y + offsets[3 * n + 1], size.y, Edge(edge)),
                      inside(at.x + offsets[3 * n + 2], size.x, Edge(edge))};
      const f64 plain = contains(size, from) ? f64(x[offset(from, size)]) : fill;
      const f64 value = highest ? plain + heights[n] : plain - heights[n];
      const bool better = highest ? value > best || value != value : value < best || best != best;
      if (n == 0 || better) best = value;
    }
    y[i] = T(best < low ? low : best > high ? high : best);
  }
}

template <class T>
__global__ void difference(const T* a, const T* b, T* y, i64 size, i64 how) {
  for (i64 i = first(); i < size; i += step()) {
    if (how == 1)
      y[i] = a[i] != b[i];
    else if (how == 2)
      y[i] = a[i] != 0 && b[i] == 0;
    else if (how == 3)
      y[i] = a[i] == 0 && b[i] == 0;
    else if constexpr (T(0.5) == T(0))
      y[i] = T(u64(a[i]) - u64(b[i]));
    else
      y[i] = T(a[i] - b[i]);
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports grey{
    {"grey_erosion<u8>", launcher<kernel::grey_erosion<u8>>},
    {"grey_erosion<i16>", launcher<kernel::grey_erosion<i16>>},
    {"grey_erosion<u16>", launcher<kernel::grey_erosion<u16>>},
    {"grey_erosion<i32>", launcher<kernel::grey_erosion<i32>>},
    {"grey_erosion<f32>", launcher<kernel::grey_erosion<f32>>},
    {"grey_erosion<f64>", launcher<kernel::grey_erosion<f64>>},
    {"difference<u8>", launcher<kernel::difference<u8>>},
    {"difference<i16>", launcher<kernel::difference<i16>>},
    {"difference<u16>", launcher<kernel::difference<u16>>},
    {"difference<i32>", launcher<kernel::difference<i32>>},
    {"difference<f32>", launcher<kernel::difference<f32>>},
    {"difference<f64>", launcher<kernel::difference<f64>>},
};
}  // namespace voxkern::cuda
#endif
