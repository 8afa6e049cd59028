// Correlation along one axis of a volume with weights that are even (sign 1) or odd (-1).
#include <voxkern/filters/gaussian.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

__device__ __forceinline__ void add(f32& sum, f32 pair, f32 weight) {
  sum = fmaf(pair, weight, sum);
}
__device__ __forceinline__ void add(f64& sum, f64 pair, f64 weight) { sum = sum + pair * weight; }

__device__ __forceinline__ void put(f32& to, f32 sum) { to = sum; }
__device__ __forceinline__ void put(f64& to, f64 sum) { to = sum; }
// Integers wrap where their type ends.
template <class T>
__device__ __forceinline__ void put(T& to, f64 sum) {
  to = T(i32(sum));
}

// A line of voxels `step` apart, with what lies outside it.
template <class T>
struct Line {
  const T* at;
  i64 size, step;
  Edge edge;
  sum_of<T> fill;
  __device__ sum_of<T> operator[](i64 i) const {
    const i64 from = inside(i, size, edge);
    return from < 0 ? fill : sum_of<T>(at[from * step]);
  }
};

// Along the middle axis. A thread makes four neighbours, which share most of what they read.
template <class T>
__global__ void gaussian_across(const T* in, T* out, const sum_of<T>* half, i64 radius, i64 sign,
                                Size size, i64 edge, f64 fill) {
  using C = sum_of<T>;
  constexpr int group = 4;
  const Size turns{size.z, (size.y + group - 1) / group, size.x};
  for (i64 i = first(); i < turns.count(); i += step()) {
    const Size turn = place(i, turns);
    const i64 start = turn.z * size.y * size.x + turn.x, y = turn.y * group;
    const Line<T> line{in + start, size.y, size.x, Edge(edge), C(fill)};
    C sum[group], before[group], after[group];
    for (int n = 0; n < group; ++n) {
      sum[n] = line[y + n] * half[0];
      before[n] = line[y + n - radius];
      after[n] = line[y + n + radius];
    }
    for (i64 far = radius; far > 0; --far) {
      const C weight = half[far];
      for (int n = 0; n < group; ++n)
        add(sum[n], sign > 0 ? before[n] + after[n] : before[n] - after[n], weight);
      for (int n = 0; n + 1 < group; ++n) {
        before[n] = before[n + 1];
        after[group - 1 - n] = after[group - 2 - n];
      }
      before[group - 1] = line[y + group - far];
      after[0] = line[y + far - 1];
    }
    for (int n = 0; n < group && y + n < size.y; ++n) put(out[start + (y + n) * size.x], sum[n]);
  }
}

// Along the last axis. Neighbouring threads read neighbouring voxels.
template <class T>
__global__ void gaussian_along(const T* in, T* out, const sum_of<T>* half, i64 radius, i64 sign,
                               Size size, i64 edge, f64 fill) {
  using C = sum_of<T>;
  for (i64 i = first(); i < size.count(); i += step()) {
    const i64 x = i % size.x;
    const Line<T> line{in + (i - x), size.x, 1, Edge(edge), C(fill)};
    C sum = line[x] * half[0];
    for (i64 far = radius; far > 0; --far) {
      const C before = line[x - far], after = line[x + far];
      add(sum, sign > 0 ? before + after : before - after, half[far]);
    }
    put(out[i], sum);
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
static const voxkern::cuda::Exports exports{
    {"gaussian_across<u8>", voxkern::cuda::launcher<voxkern::kernel::gaussian_across<voxkern::u8>>},
    {"gaussian_across<i16>",
     voxkern::cuda::launcher<voxkern::kernel::gaussian_across<voxkern::i16>>},
    {"gaussian_across<u16>",
     voxkern::cuda::launcher<voxkern::kernel::gaussian_across<voxkern::u16>>},
    {"gaussian_across<i32>",
     voxkern::cuda::launcher<voxkern::kernel::gaussian_across<voxkern::i32>>},
    {"gaussian_across<f32>",
     voxkern::cuda::launcher<voxkern::kernel::gaussian_across<voxkern::f32>>},
    {"gaussian_across<f64>",
     voxkern::cuda::launcher<voxkern::kernel::gaussian_across<voxkern::f64>>},
    {"gaussian_along<u8>", voxkern::cuda::launcher<voxkern::kernel::gaussian_along<voxkern::u8>>},
    {"gaussian_along<i16>", voxkern::cuda::launcher<voxkern::kernel::gaussian_along<voxkern::i16>>},
    {"gaussian_along<u16>", voxkern::cuda::launcher<voxkern::kernel::gaussian_along<voxkern::u16>>},
    {"gaussian_along<i32>", voxkern::cuda::launcher<voxkern::kernel::gaussian_along<voxkern::i32>>},
    {"gaussian_along<f32>", voxkern::cuda::launcher<voxkern::kernel::gaussian_along<voxkern::f32>>},
    {"gaussian_along<f64>", voxkern::cuda::launcher<voxkern::kernel::gaussian_along<voxkern::f64>>},
};
#endif
