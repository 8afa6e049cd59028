// Means over a window along one axis of a volume, which is seen as (before, along, after). A thread
// makes eight neighbours, whose windows share all but their ends.
#include <voxkern/filters/uniform.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

__device__ __forceinline__ void put_mean(f32& to, f64 sum, i64 size) { to = f32(sum / f64(size)); }
__device__ __forceinline__ void put_mean(f64& to, f64 sum, i64 size) { to = sum / f64(size); }
template <class T>
__device__ __forceinline__ void put_mean(T& to, f64 sum, i64 size) {
  to = T(i64(sum / f64(size)));
}

template <class T>
__global__ void uniform(const T* in, T* out, i64 window, i64 before, Size size, i64 edge,
                        f64 fill) {
  constexpr int group = 8;
  const Size turns{size.z, (size.y + group - 1) / group, size.x};
  for (i64 i = first(); i < turns.count(); i += step()) {
    const Size turn = place(i, turns);
    const i64 start = turn.z * size.y * size.x + turn.x, y = turn.y * group;
    const auto voxel = [&](i64 at) {
      const i64 from = inside(at, size.y, Edge(edge));
      return from < 0 ? fill : f64(in[start + from * size.x]);
    };
    // The n-th window is [from + n, from + n + window).
    const i64 from = y - before, shared = from + group - 1, end = from + window;
    f64 common = 0;
    for (i64 at = shared; at < end; ++at) common += voxel(at);
    for (int n = 0; n < group && y + n < size.y; ++n) {
      f64 sum = common;
      for (i64 at = from + n; at < least(shared, from + n + window); ++at) sum += voxel(at);
      for (i64 at = most(end, shared); at < from + n + window; ++at) sum += voxel(at);
      put_mean(out[start + (y + n) * size.x], sum, window);
    }
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
using namespace voxkern;
using voxkern::cuda::launcher;
static const voxkern::cuda::Exports exports{
    {"uniform<u8>", launcher<kernel::uniform<u8>>},
    {"uniform<i16>", launcher<kernel::uniform<i16>>},
    {"uniform<u16>", launcher<kernel::uniform<u16>>},
    {"uniform<i32>", launcher<kernel::uniform<i32>>},
    {"uniform<f32>", launcher<kernel::uniform<f32>>},
    {"uniform<f64>", launcher<kernel::uniform<f64>>},
};
#endif
