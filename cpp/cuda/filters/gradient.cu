// First differences, a thread a voxel.
#include <voxkern/filters/gradient.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

template <class T>
__device__ __forceinline__ f64 slope(const T* at, i64 i, i64 n, i64 step, f64 scale, f64 face) {
  const i64 a = most<i64>(i - 1, 0), b = least(i + 1, n - 1);
  return (f64(at[(b - i) * step]) - f64(at[(a - i) * step])) * scale * (b - a == 2 ? 0.5 : face);
}

template <class T, class U>
__global__ void gradient(const T* in, U* out, Size size, Vec3 scale, f64 face, i64 magnitude) {
  const i64 voxels = size.count();
  for (i64 i = first(); i < voxels; i += step()) {
    const Size at = place(i, size);
    f64 d[3];
    int count = 0;
    if (scale.z != 0) d[count++] = slope(in + i, at.z, size.z, size.y * size.x, scale.z, face);
    if (scale.y != 0) d[count++] = slope(in + i, at.y, size.y, size.x, scale.y, face);
    if (scale.x != 0) d[count++] = slope(in + i, at.x, size.x, 1, scale.x, face);
    f64 sum = 0;
    for (int n = 0; n < count; ++n) {
      sum += d[n] * d[n];
      if (!magnitude) out[n * voxels + i] = U(d[n]);
    }
    if (magnitude) out[i] = U(sqrt(sum));
  }
}

template <class T>
__global__ void length(const T* in, T* out, i64 voxels, i64 count) {
  for (i64 i = first(); i < voxels; i += step()) {
    f64 sum = 0;
    for (i64 n = 0; n < count; ++n) sum += f64(in[n * voxels + i]) * f64(in[n * voxels + i]);
    out[i] = T(sqrt(sum));
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
using namespace voxkern;
using voxkern::cuda::launcher;
static const voxkern::cuda::Exports exports{
    {"gradient<u8,f32>", launcher<kernel::gradient<u8, f32>>},
    {"gradient<i16,f32>", launcher<kernel::gradient<i16, f32>>},
    {"gradient<u16,f32>", launcher<kernel::gradient<u16, f32>>},
    {"gradient<i32,f64>", launcher<kernel::gradient<i32, f64>>},
    {"gradient<f32,f32>", launcher<kernel::gradient<f32, f32>>},
    {"gradient<f64,f64>", launcher<kernel::gradient<f64, f64>>},
    {"length<f32>", launcher<kernel::length<f32>>},
    {"length<f64>", launcher<kernel::length<f64>>},
};
#endif
