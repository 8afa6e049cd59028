#include <voxkern/filters/spikes.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

template <class T>
__device__ __forceinline__ T distance(T a, T b) {
  return a < b ? b - a : a - b;
}

template <class T>
__global__ void spikes(const T* x, const T* middle, T* y, Size size, Size reach, f64 threshold,
                       f64 least, i64 mode) {
  const Edge edge = Edge(i32(mode));
  const i64 whole = (2 * reach.z + 1) * (2 * reach.y + 1) * (2 * reach.x + 1);
  for (i64 i = first(); i < size.count(); i += step()) {
    const Size at = place(i, size);
    const T m = middle[i], apart = distance(x[i], m), near = apart / T(threshold);
    i64 count = 0;
    for (i64 z = -reach.z; z <= reach.z; ++z)
      for (i64 j = -reach.y; j <= reach.y; ++j) {
        const i64 row =
            (inside(at.z + z, size.z, edge) * size.y + inside(at.y + j, size.y, edge)) * size.x;
        for (i64 k = -reach.x; k <= reach.x; ++k)
          count += distance(x[row + inside(at.x + k, size.x, edge)], m) < near;
      }
    y[i] = apart > T(least) && 2 * count > whole ? m : x[i];
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports spikes{
    {"spikes<f32>", launcher<kernel::spikes<f32>>},
    {"spikes<f64>", launcher<kernel::spikes<f64>>},
};
}  // namespace voxkern::cuda
#endif
