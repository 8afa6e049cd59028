// Regions chosen by their size: how large each is, and then those that are kept.
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

template <class L>
__global__ void keep_sizes(const L* labels, i64* sizes, i64 n) {
  for (i64 i = first(); i < n; i += step())
    if (labels[i]) atomic_add(&sizes[labels[i]], i64(1));
}

template <class L>
__global__ void keep_write(const L* labels, const u8* kept, u8* y, i64 n) {
  for (i64 i = first(); i < n; i += step()) y[i] = kept[labels[i]];
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
static const voxkern::cuda::Exports exports{
    {"keep_sizes<i32>", voxkern::cuda::launcher<voxkern::kernel::keep_sizes<voxkern::i32>>},
    {"keep_sizes<i64>", voxkern::cuda::launcher<voxkern::kernel::keep_sizes<voxkern::i64>>},
    {"keep_write<i32>", voxkern::cuda::launcher<voxkern::kernel::keep_write<voxkern::i32>>},
    {"keep_write<i64>", voxkern::cuda::launcher<voxkern::kernel::keep_write<voxkern::i64>>},
};
#endif
