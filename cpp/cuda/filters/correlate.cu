// Correlation with a kernel of three axes, a thread a voxel.
#include <voxkern/filters/correlate.hpp>
#include <voxkern/filters/separable.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

__device__ __forceinline__ void settle_sum(f32& to, f32 sum) { to = sum; }
__device__ __forceinline__ void settle_sum(f64& to, f64 sum) { to = sum; }
template <class T>
__device__ __forceinline__ void settle_sum(T& to, f64 sum) {
  to = T(i32(sum));
}

template <class T>
__global__ void correlate(const T* in, T* out, const f64* weights, Size size, Size box, Size before,
                          i64 edge, f64 fill) {
  using C = sum_of<T>;
  for (i64 i = first(); i < size.count(); i += step()) {
    const Size at = place(i, size);
    C sum = 0;
    for (i64 dz = 0; dz < box.z; ++dz) {
      const i64 z = inside(at.z + dz - before.z, size.z, Edge(edge));
      for (i64 dy = 0; dy < box.y; ++dy) {
        const i64 y = inside(at.y + dy - before.y, size.y, Edge(edge));
        const T* row = in + (most(z, i64(0)) * size.y + most(y, i64(0))) * size.x;
        for (i64 dx = 0; dx < box.x; ++dx) {
          const C weight = C(weights[(dz * box.y + dy) * box.x + dx]);
          if (weight == 0) continue;
          const i64 x = inside(at.x + dx - before.x, size.x, Edge(edge));
          sum += (z < 0 || y < 0 || x < 0 ? C(fill) : C(row[x])) * weight;
        }
      }
    }
    settle_sum(out[i], sum);
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
using namespace voxkern;
using voxkern::cuda::launcher;
static const voxkern::cuda::Exports exports{
    {"correlate<u8>", launcher<kernel::correlate<u8>>},
    {"correlate<i16>", launcher<kernel::correlate<i16>>},
    {"correlate<u16>", launcher<kernel::correlate<u16>>},
    {"correlate<i32>", launcher<kernel::correlate<i32>>},
    {"correlate<f32>", launcher<kernel::correlate<f32>>},
    {"correlate<f64>", launcher<kernel::correlate<f64>>},
};
#endif
