// Sums over windows along one axis after the other, seen as (before, along, after), in float64:
// those of the voxels, then those of their squares. A level that is one of the voxels is taken away
// first.
#include <voxkern/filters/local_moments.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

template <class T>
__device__ __forceinline__ f64 level_of(const T* in) {
  const f64 level = f64(in[0]);
  return level - level == 0 ? level : 0.0;
}

template <class T>
__global__ void moments_first(const T* in, f64* sums, i64 window, i64 before, Size size, i64 edge,
                              f64 fill) {
  const f64 level = level_of(in);
  const i64 voxels = size.count();
  for (i64 i = first(); i < voxels; i += step()) {
    const Size at = place(i, size);
    const i64 start = at.z * size.y * size.x + at.x;
    f64 sum = 0, squares = 0;
    for (i64 k = at.y - before; k < at.y - before + window; ++k) {
      const i64 from = inside(k, size.y, Edge(edge));
      const f64 v = (from < 0 ? fill : f64(in[start + from * size.x])) - level;
      sum += v;
      squares += v * v;
    }
    sums[i] = sum;
    sums[voxels + i] = squares;
  }
}

// `weight`: how many voxels each number is the sum of.
template <class T>
__global__ void moments_next(const T* in, const f64* from, f64* to, i64 window, i64 before,
                             Size size, i64 edge, f64 fill, f64 weight) {
  const f64 outside = fill - level_of(in);
  const i64 voxels = size.count();
  for (i64 i = first(); i < 2 * voxels; i += step()) {
    const i64 field = i / voxels;
    const Size at = place(i % voxels, size);
    const f64* line = from + field * voxels + at.z * size.y * size.x + at.x;
    const f64 beyond = weight * (field ? outside * outside : outside);
    f64 sum = 0;
    for (i64 k = at.y - before; k < at.y - before + window; ++k) {
      const i64 place = inside(k, size.y, Edge(edge));
      sum += place < 0 ? beyond : line[place * size.x];
    }
    to[i] = sum;
  }
}

template <class T, class U>
__global__ void moments_last(const T* in, const f64* sums, U* out, i64 voxels, f64 count,
                             i64 deviation) {
  const f64 level = level_of(in);
  for (i64 i = first(); i < voxels; i += step()) {
    const f64 mean = sums[i] / count;
    f64 value = mean + level;
    if (deviation) {
      const f64 spread = sums[voxels + i] / count - mean * mean;
      value = spread < 0 ? 0.0 : sqrt(spread);
    }
    out[i] = U(value);
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
using namespace voxkern;
using voxkern::cuda::launcher;
static const voxkern::cuda::Exports exports{
    {"moments_first<u8>", launcher<kernel::moments_first<u8>>},
    {"moments_first<i16>", launcher<kernel::moments_first<i16>>},
    {"moments_first<u16>", launcher<kernel::moments_first<u16>>},
    {"moments_first<i32>", launcher<kernel::moments_first<i32>>},
    {"moments_first<f32>", launcher<kernel::moments_first<f32>>},
    {"moments_first<f64>", launcher<kernel::moments_first<f64>>},
    {"moments_next<u8>", launcher<kernel::moments_next<u8>>},
    {"moments_next<i16>", launcher<kernel::moments_next<i16>>},
    {"moments_next<u16>", launcher<kernel::moments_next<u16>>},
    {"moments_next<i32>", launcher<kernel::moments_next<i32>>},
    {"moments_next<f32>", launcher<kernel::moments_next<f32>>},
    {"moments_next<f64>", launcher<kernel::moments_next<f64>>},
    {"moments_last<u8,f32>", launcher<kernel::moments_last<u8, f32>>},
    {"moments_last<i16,f32>", launcher<kernel::moments_last<i16, f32>>},
    {"moments_last<u16,f32>", launcher<kernel::moments_last<u16, f32>>},
    {"moments_last<i32,f64>", launcher<kernel::moments_last<i32, f64>>},
    {"moments_last<f32,f32>", launcher<kernel::moments_last<f32, f32>>},
    {"moments_last<f64,f64>", launcher<kernel::moments_last<f64, f64>>},
};
#endif
