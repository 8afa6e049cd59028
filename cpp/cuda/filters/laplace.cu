// The sum of second differences, a thread a voxel.
#include <voxkern/filters/laplace.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

template <class T>
__device__ __forceinline__ f64 second(const T* at, i64 i, i64 n, i64 step, i64 edge, f64 fill) {
  const i64 before = inside(i - 1, n, Edge(edge)), after = inside(i + 1, n, Edge(edge));
  const f64 voxel = f64(at[0]);
  const f64 left = before < 0 ? fill : f64(at[(before - i) * step]);
  const f64 right = after < 0 ? fill : f64(at[(after - i) * step]);
  return (left - voxel) + (right - voxel);
}

__device__ __forceinline__ void settle(f32& to, f64 sum) { to = f32(sum); }
__device__ __forceinline__ void settle(f64& to, f64 sum) { to = sum; }
template <class T>
__device__ __forceinline__ void settle(T& to, f64 sum) {
  to = T(i32(sum));
}

template <class T>
__global__ void laplace(const T* in, T* out, Size size, Vec3 scale, i64 ez, i64 ey, i64 ex,
                        f64 fill) {
  for (i64 i = first(); i < size.count(); i += step()) {
    const Size at = place(i, size);
    const T* voxel = in + i;
    f64 sum = 0;
    if (scale.z != 0) sum += scale.z * second(voxel, at.z, size.z, size.y * size.x, ez, fill);
    if (scale.y != 0) sum += scale.y * second(voxel, at.y, size.y, size.x, ey, fill);
    if (scale.x != 0) sum += scale.x * second(voxel, at.x, size.x, 1, ex, fill);
    settle(out[i], sum);
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
using namespace voxkern;
using voxkern::cuda::launcher;
static const voxkern::cuda::Exports exports{
    {"laplace<u8>", launcher<kernel::laplace<u8>>},
    {"laplace<i16>", launcher<kernel::laplace<i16>>},
    {"laplace<u16>", launcher<kernel::laplace<u16>>},
    {"laplace<i32>", launcher<kernel::laplace<i32>>},
    {"laplace<f32>", launcher<kernel::laplace<f32>>},
    {"laplace<f64>", launcher<kernel::laplace<f64>>},
};
#endif
