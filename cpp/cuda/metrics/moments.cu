// Sums over pairs of voxels: each block its own, then one block to add them up in order.
#include <voxkern/launch.cuh>
#include <voxkern/metrics/moments.hpp>

namespace voxkern::kernel {

template <class T>
__global__ void square_differences(const T* a, const T* b, const u8* mask, f64* parts, i64 n) {
  VOXKERN_SHARED(f64, room, 32);
  f64 sums[2] = {};
  for (i64 i = first(); i < n; i += step()) {
    if (mask && !mask[i]) continue;
    const f64 d = f64(a[i]) - f64(b[i]);
    sums[0] += 1;
    sums[1] += d * d;
  }
  for (int k = 0; k < 2; ++k) {
    const f64 sum = block_sum(sums[k], room);
    if (threadIdx.x == 0) parts[2 * blockIdx.x + k] = sum;
  }
}

template <class T>
__global__ void comoments(const T* a, const T* b, const u8* mask, f64* parts, i64 n, f64 a0,
                          f64 b0) {
  VOXKERN_SHARED(f64, room, 32);
  f64 sums[6] = {};
  for (i64 i = first(); i < n; i += step()) {
    if (mask && !mask[i]) continue;
    const f64 u = f64(a[i]) - a0, v = f64(b[i]) - b0;
    sums[0] += 1;
    sums[1] += u;
    sums[2] += v;
    sums[3] += u * u;
    sums[4] += v * v;
    sums[5] += u * v;
  }
  for (int k = 0; k < 6; ++k) {
    const f64 sum = block_sum(sums[k], room);
    if (threadIdx.x == 0) parts[6 * blockIdx.x + k] = sum;
  }
}

// sums[k] = the sum of parts[i * width + k] over i; one block for each k.
__global__ void add_parts(const f64* parts, f64* sums, i64 count, i64 width) {
  VOXKERN_SHARED(f64, room, 32);
  f64 sum = 0;
  for (i64 i = threadIdx.x; i < count; i += blockDim.x) sum += parts[i * width + blockIdx.x];
  sum = block_sum(sum, room);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

template <class T, class R>
__global__ void pair_gradient(const T* a, const T* b, const u8* mask, R* out, i64 n, f64 a0, f64 b0,
                              f64 by_a, f64 by_b) {
  for (i64 i = first(); i < n; i += step())
    out[i] = mask && !mask[i] ? R(0) : R(by_a * (f64(a[i]) - a0) + by_b * (f64(b[i]) - b0));
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports moments{
    {"add_parts", launcher<kernel::add_parts>},
    {"square_differences<u8>", launcher<kernel::square_differences<u8>>},
    {"square_differences<i16>", launcher<kernel::square_differences<i16>>},
    {"square_differences<u16>", launcher<kernel::square_differences<u16>>},
    {"square_differences<i32>", launcher<kernel::square_differences<i32>>},
    {"square_differences<f32>", launcher<kernel::square_differences<f32>>},
    {"square_differences<f64>", launcher<kernel::square_differences<f64>>},
    {"comoments<u8>", launcher<kernel::comoments<u8>>},
    {"comoments<i16>", launcher<kernel::comoments<i16>>},
    {"comoments<u16>", launcher<kernel::comoments<u16>>},
    {"comoments<i32>", launcher<kernel::comoments<i32>>},
    {"comoments<f32>", launcher<kernel::comoments<f32>>},
    {"comoments<f64>", launcher<kernel::comoments<f64>>},
    {"pair_gradient<u8,f32>", launcher<kernel::pair_gradient<u8, f32>>},
    {"pair_gradient<i16,f32>", launcher<kernel::pair_gradient<i16, f32>>},
    {"pair_gradient<u16,f32>", launcher<kernel::pair_gradient<u16, f32>>},
    {"pair_gradient<i32,f64>", launcher<kernel::pair_gradient<i32, f64>>},
    {"pair_gradient<f32,f32>", launcher<kernel::pair_gradient<f32, f32>>},
    {"pair_gradient<f64,f64>", launcher<kernel::pair_gradient<f64, f64>>},
};
}  // namespace voxkern::cuda
#endif
