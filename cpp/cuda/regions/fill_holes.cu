// Holes: regions of the background that do not hang with node 0, which stands for the border.
#include <voxkern/regions/forest.cuh>

namespace voxkern::kernel {

template <class I>
__global__ void fill_begin(const u8* x, I* parent, Size size, i64 axes) {
  if (first() == 0) parent[0] = 0;
  for (i64 i = first(); i < size.count(); i += step()) {
    const Size at = place(i, size);
    const bool border = at.x == 0 || at.x == size.x - 1 ||
                        (axes > 1 && (at.y == 0 || at.y == size.y - 1)) ||
                        (axes > 2 && (at.z == 0 || at.z == size.z - 1));
    parent[i + 1] = x[i] ? I(-1) : border ? I(0) : I(i + 1);
  }
}

template <class I>
__global__ void fill_sizes(const I* parent, i64* sizes, i64 n) {
  for (i64 i = first(); i < n; i += step())
    if (parent[i + 1] > 0) atomic_add(&sizes[parent[i + 1]], i64(1));
}

template <class I>
__global__ void fill_write(const I* parent, const i64* sizes, u8* y, i64 n, i64 most) {
  for (i64 i = first(); i < n; i += step()) {
    const I root = parent[i + 1];
    y[i] = root < 0 || (root > 0 && (!sizes || sizes[root] <= most));
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
static const voxkern::cuda::Exports exports{
    {"fill_begin<i32>", voxkern::cuda::launcher<voxkern::kernel::fill_begin<voxkern::i32>>},
    {"fill_begin<i64>", voxkern::cuda::launcher<voxkern::kernel::fill_begin<voxkern::i64>>},
    {"fill_sizes<i32>", voxkern::cuda::launcher<voxkern::kernel::fill_sizes<voxkern::i32>>},
    {"fill_sizes<i64>", voxkern::cuda::launcher<voxkern::kernel::fill_sizes<voxkern::i64>>},
    {"fill_write<i32>", voxkern::cuda::launcher<voxkern::kernel::fill_write<voxkern::i32>>},
    {"fill_write<i64>", voxkern::cuda::launcher<voxkern::kernel::fill_write<voxkern::i64>>},
};
#endif
