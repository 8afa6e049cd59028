// A voxel looks for its share among the values of its own image, and for what has that share in
// the other.
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

// How many of a sorted list are smaller than v, or, with `equal`, not larger.
template <class T>
__device__ __forceinline__ i64 rank_of(T v, const T* list, i64 count, bool equal) {
  i64 low = 0, high = count;
  while (low < high) {
    const i64 middle = (low + high) / 2;
    if (list[middle] < v || (equal && list[middle] == v))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

template <class T>
__global__ void match_sorted(const T* x, T* y, i64 voxels, const T* source, i64 n, const T* target,
                             i64 m) {
  for (i64 i = first(); i < voxels; i += step()) {
    const f64 share = f64(rank_of(x[i], source, n, true)) / f64(n);
    const T middle = target[least(i64(share * f64(m)), m - 1)];
    i64 below = rank_of(middle, target, m, false), above = below;
    while (below < m) {
      above = rank_of(target[below], target, m, true);
      if (f64(above) / f64(m) > share) break;
      below = above;
    }
    if (below == 0) {
      y[i] = target[0];
    } else if (below == m) {
      y[i] = target[m - 1];
    } else {
      const f64 a = f64(target[below - 1]), b = f64(target[below]), from = f64(below) / f64(m);
      y[i] = T((b - a) / (f64(above) / f64(m) - from) * (share - from) + a);
    }
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports match{
    {"match_sorted<f32>", launcher<kernel::match_sorted<f32>>},
    {"match_sorted<f64>", launcher<kernel::match_sorted<f64>>},
};
}  // namespace voxkern::cuda
#endif
