// Correlation along one axis of a volume, which is seen as (before, along, after).
#include <voxkern/filters/separable.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

__device__ __forceinline__ void add(f32& sum, f32 value, f32 weight) {
  sum = fmaf(value, weight, sum);
}
__device__ __forceinline__ void add(f64& sum, f64 value, f64 weight) { sum = sum + value * weight; }

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

// Weights even (sign 1) or odd (-1) about a centre, `shift` away from the voxel; `half` is those
// from the centre on. A thread makes four neighbours, which share most of what they read.
template <class T>
__global__ void fold_across(const T* in, T* out, const sum_of<T>* half, i64 shift, i64 radius,
                            i64 sign, Size size, i64 edge, f64 fill) {
  using C = sum_of<T>;
  constexpr int group = 4;
  const Size turns{size.z, (size.y + group - 1) / group, size.x};
  for (i64 i = first(); i < turns.count(); i += step()) {
    const Size turn = place(i, turns);
    const i64 start = turn.z * size.y * size.x + turn.x, y = turn.y * group, c = y + shift;
    const Line<T> line{in + start, size.y, size.x, Edge(edge), C(fill)};
    C sum[group], before[group], after[group];
    for (int n = 0; n < group; ++n) {
      sum[n] = line[c + n] * half[0];
      before[n] = line[c + n - radius];
      after[n] = line[c + n + radius];
    }
    for (i64 far = radius; far > 0; --far) {
      const C weight = half[far];
      for (int n = 0; n < group; ++n)
        add(sum[n], sign > 0 ? before[n] + after[n] : before[n] - after[n], weight);
      for (int n = 0; n + 1 < group; ++n) {
        before[n] = before[n + 1];
        after[group - 1 - n] = after[group - 2 - n];
      }
      before[group - 1] = line[c + group - far];
      after[0] = line[c + far - 1];
    }
    for (int n = 0; n < group && y + n < size.y; ++n) put(out[start + (y + n) * size.x], sum[n]);
  }
}

// The same where neighbouring threads read neighbouring voxels of a line.
template <class T>
__global__ void fold_line(const T* in, T* out, const sum_of<T>* half, i64 shift, i64 radius,
                          i64 sign, Size size, i64 edge, f64 fill) {
  using C = sum_of<T>;
  for (i64 i = first(); i < size.count(); i += step()) {
    const Size at = place(i, size);
    const Line<T> line{in + at.z * size.y * size.x + at.x, size.y, size.x, Edge(edge), C(fill)};
    const i64 c = at.y + shift;
    C sum = line[c] * half[0];
    for (i64 far = radius; far > 0; --far) {
      const C before = line[c - far], after = line[c + far];
      add(sum, sign > 0 ? before + after : before - after, half[far]);
    }
    put(out[i], sum);
  }
}

// Any weights, the first of which meets the voxel `before` places back.
template <class T>
__global__ void correlate_line(const T* in, T* out, const sum_of<T>* weights, i64 before, i64 count,
                               Size size, i64 edge, f64 fill) {
  using C = sum_of<T>;
  for (i64 i = first(); i < size.count(); i += step()) {
    const Size at = place(i, size);
    const Line<T> line{in + at.z * size.y * size.x + at.x, size.y, size.x, Edge(edge), C(fill)};
    const i64 from = at.y - before;
    C sum = line[from + count - 1] * weights[count - 1];
    for (i64 n = 0; n + 1 < count; ++n) add(sum, line[from + n], weights[n]);
    put(out[i], sum);
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
using namespace voxkern;
using voxkern::cuda::launcher;
static const voxkern::cuda::Exports exports{
    {"fold_across<u8>", launcher<kernel::fold_across<u8>>},
    {"fold_across<i16>", launcher<kernel::fold_across<i16>>},
    {"fold_across<u16>", launcher<kernel::fold_across<u16>>},
    {"fold_across<i32>", launcher<kernel::fold_across<i32>>},
    {"fold_across<f32>", launcher<kernel::fold_across<f32>>},
    {"fold_across<f64>", launcher<kernel::fold_across<f64>>},
    {"fold_line<u8>", launcher<kernel::fold_line<u8>>},
    {"fold_line<i16>", launcher<kernel::fold_line<i16>>},
    {"fold_line<u16>", launcher<kernel::fold_line<u16>>},
    {"fold_line<i32>", launcher<kernel::fold_line<i32>>},
    {"fold_line<f32>", launcher<kernel::fold_line<f32>>},
    {"fold_line<f64>", launcher<kernel::fold_line<f64>>},
    {"correlate_line<u8>", launcher<kernel::correlate_line<u8>>},
    {"correlate_line<i16>", launcher<kernel::correlate_line<i16>>},
    {"correlate_line<u16>", launcher<kernel::correlate_line<u16>>},
    {"correlate_line<i32>", launcher<kernel::correlate_line<i32>>},
    {"correlate_line<f32>", launcher<kernel::correlate_line<f32>>},
    {"correlate_line<f64>", launcher<kernel::correlate_line<f64>>},
};
#endif
