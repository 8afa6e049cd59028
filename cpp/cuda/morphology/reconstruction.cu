// Grey reconstruction and local extrema: a thread a voxel, a launch a step, until nothing changes.
#include <voxkern/launch.cuh>
#include <voxkern/morphology/reconstruction.hpp>

namespace voxkern::kernel {

template <class T>
__device__ __forceinline__ Key<T> height(T value, i64 lower) {
  const Key<T> key = rank_key(value);
  return lower ? Key<T>(~key) : key;
}

template <class T>
__global__ void reconstruction(const T* from, const T* mask, T* to, const i64* offsets, i64 count,
                               Size size, i64 lower, i32* changed) {
  for (i64 i = first(); i < size.count(); i += step()) {
    const Size at = place(i, size);
    const Key<T> before = height(from[i], lower), limit = height(mask[i], lower);
    Key<T> best = before;
    for (i64 n = 0; n < count; ++n) {
      const Size near{at.z + offsets[3 * n], at.y + offsets[3 * n + 1], at.x + offsets[3 * n + 2]};
      if (!contains(size, near)) continue;
      best = most(best, height(from[offset(near, size)], lower));
    }
    best = least(best, limit);
    from_rank_key(lower ? Key<T>(~best) : best, to[i]);
    if (best != before) store_relaxed(changed, 1);
  }
}

// One step on from `before`, the flags of the last step; none on the first.
template <class T>
__global__ void local_extrema(const T* x, const u8* before, u8* y, const i64* offsets, i64 count,
                              Size size, i64 lower, i64 borders, i32* changed) {
  for (i64 i = first(); i < size.count(); i += step()) {
    const Size at = place(i, size);
    const bool at_end = (size.z > 1 && (at.z == 0 || at.z == size.z - 1)) ||
                        (size.y > 1 && (at.y == 0 || at.y == size.y - 1)) ||
                        (size.x > 1 && (at.x == 0 || at.x == size.x - 1));
    const bool was = before ? before[i] != 0 : borders || !at_end;
    bool is = was;
    const Key<T> here = height(x[i], lower);
    for (i64 n = 0; n < count && is; ++n) {
      const Size near{at.z + offsets[3 * n], at.y + offsets[3 * n + 1], at.x + offsets[3 * n + 2]};
      if (!contains(size, near)) continue;
      const Key<T> there = height(x[offset(near, size)], lower);
      if (there > here || (there == here && before && !before[offset(near, size)])) is = false;
    }
    y[i] = is;
    if (is != was || !before) store_relaxed(changed, 1);
    if (!is) store_relaxed(changed + 1, 1);
  }
}

__global__ void local_extrema_none(u8* y, i64 size) {
  for (i64 i = first(); i < size; i += step()) y[i] = 0;
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports reconstruction{
    {"reconstruction<u8>", launcher<kernel::reconstruction<u8>>},
    {"reconstruction<i16>", launcher<kernel::reconstruction<i16>>},
    {"reconstruction<u16>", launcher<kernel::reconstruction<u16>>},
    {"reconstruction<i32>", launcher<kernel::reconstruction<i32>>},
    {"reconstruction<f32>", launcher<kernel::reconstruction<f32>>},
    {"reconstruction<f64>", launcher<kernel::reconstruction<f64>>},
    {"local_extrema<u8>", launcher<kernel::local_extrema<u8>>},
    {"local_extrema<i16>", launcher<kernel::local_extrema<i16>>},
    {"local_extrema<u16>", launcher<kernel::local_extrema<u16>>},
    {"local_extrema<i32>", launcher<kernel::local_extrema<i32>>},
    {"local_extrema<f32>", launcher<kernel::local_extrema<f32>>},
    {"local_extrema<f64>", launcher<kernel::local_extrema<f64>>},
    {"local_extrema_none", launcher<kernel::local_extrema_none>},
};
}  // namespace voxkern::cuda
#endif
