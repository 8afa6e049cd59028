// Extremes and counts: integers, so that the order of the threads is nothing.
#include <voxkern/launch.cuh>
#include <voxkern/metrics/histogram.hpp>

namespace voxkern::kernel {

constexpr i64 shared_bins = 4096;  // what a block counts for itself; more go straight to all

// Numbers as integers in the same order.
__device__ __forceinline__ i64 ordered(f64 v) {
  const i64 bits = __double_as_longlong(v);
  return bits ^ ((bits >> 63) & 0x7fffffffffffffffll);
}

// out = the smallest and the largest number as ordered() has them, how many NaN, how many voxels.
template <class T>
__global__ void extremes(const T* x, const u8* mask, i64* out, i64 n) {
  VOXKERN_SHARED(i64, own, 4);
  if (threadIdx.x < 4) own[threadIdx.x] = out[4 + threadIdx.x];
  __syncthreads();
  i64 low = out[4], high = out[5], nans = 0, count = 0;
  for (i64 i = first(); i < n; i += step()) {
    if (mask && !mask[i]) continue;
    const f64 v = f64(x[i]);
    ++count;
    if (v != v) {
      ++nans;
      continue;
    }
    low = least(low, ordered(v));
    high = most(high, ordered(v));
  }
  atomic_min(own, low);
  atomic_max(own + 1, high);
  atomic_add(own + 2, nans);
  atomic_add(own + 3, count);
  __syncthreads();
  if (threadIdx.x == 0) {
    atomic_min(out, own[0]);
    atomic_max(out + 1, own[1]);
    atomic_add(out + 2, own[2]);
    atomic_add(out + 3, own[3]);
  }
}

template <class T>
__global__ void histogram(const T* x, const u8* mask, const f64* edges, i64* counts, i64 n,
                          i64 bins) {
  VOXKERN_SHARED(u32, own, shared_bins);
  const bool few = bins <= shared_bins;
  if (few)
    for (i64 k = threadIdx.x; k < bins; k += blockDim.x) own[k] = 0;
  __syncthreads();
  for (i64 i = first(); i < n; i += step()) {
    if (mask && !mask[i]) continue;
    const i64 bin = bin_of(f64(x[i]), edges, bins);
    if (bin < 0) continue;
    if (few)
      atomic_add(own + bin, u32(1));
    else
      atomic_add(counts + bin, i64(1));
  }
  __syncthreads();
  if (few)
    for (i64 k = threadIdx.x; k < bins; k += blockDim.x)
      if (own[k]) atomic_add(counts + k, i64(own[k]));
}

template <class T>
__global__ void joint_histogram(const T* a, const T* b, const u8* mask, const f64* a_edges,
                                const f64* b_edges, i64* counts, i64 n, i64 a_bins, i64 b_bins) {
  VOXKERN_SHARED(u32, own, shared_bins);
  const i64 bins = a_bins * b_bins;
  const bool few = bins <= shared_bins;
  if (few)
    for (i64 k = threadIdx.x; k < bins; k += blockDim.x) own[k] = 0;
  __syncthreads();
  for (i64 i = first(); i < n; i += step()) {
    if (mask && !mask[i]) continue;
    const i64 p = bin_of(f64(a[i]), a_edges, a_bins), q = bin_of(f64(b[i]), b_edges, b_bins);
    if (p < 0 || q < 0) continue;
    if (few)
      atomic_add(own + p * b_bins + q, u32(1));
    else
      atomic_add(counts + p * b_bins + q, i64(1));
  }
  __syncthreads();
  if (few)
    for (i64 k = threadIdx.x; k < bins; k += blockDim.x)
      if (own[k]) atomic_add(counts + k, i64(own[k]));
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports histogram{
    {"extremes<u8>", launcher<kernel::extremes<u8>>},
    {"extremes<i16>", launcher<kernel::extremes<i16>>},
    {"extremes<u16>", launcher<kernel::extremes<u16>>},
    {"extremes<i32>", launcher<kernel::extremes<i32>>},
    {"extremes<f32>", launcher<kernel::extremes<f32>>},
    {"extremes<f64>", launcher<kernel::extremes<f64>>},
    {"histogram<u8>", launcher<kernel::histogram<u8>>},
    {"histogram<i16>", launcher<kernel::histogram<i16>>},
    {"histogram<u16>", launcher<kernel::histogram<u16>>},
    {"histogram<i32>", launcher<kernel::histogram<i32>>},
    {"histogram<f32>", launcher<kernel::histogram<f32>>},
    {"histogram<f64>", launcher<kernel::histogram<f64>>},
    {"joint_histogram<u8>", launcher<kernel::joint_histogram<u8>>},
    {"joint_histogram<i16>", launcher<kernel::joint_histogram<i16>>},
    {"joint_histogram<u16>", launcher<kernel::joint_histogram<u16>>},
    {"joint_histogram<i32>", launcher<kernel::joint_histogram<i32>>},
    {"joint_histogram<f32>", launcher<kernel::joint_histogram<f32>>},
    {"joint_histogram<f64>", launcher<kernel::joint_histogram<f64>>},
};
}  // namespace voxkern::cuda
#endif
