// Growing from seeds: the regions of the interval, and of these the ones that hang with a seed.
#include <voxkern/regions/forest.cuh>

namespace voxkern::kernel {

template <class T>
__global__ void connected_inside(const T* x, u8* inside, i64 n, f64 lower, f64 upper) {
  for (i64 i = first(); i < n; i += step()) inside[i] = f64(x[i]) >= lower && f64(x[i]) <= upper;
}

template <class I>
__global__ void connected_seeds(const i64* seeds, I* parent, i64 count, Size size) {
  for (i64 n = first(); n < count; n += step()) {
    const i64 i = offset({seeds[3 * n], seeds[3 * n + 1], seeds[3 * n + 2]}, size);
    if (load_relaxed(&parent[i + 1]) >= 0) unite(parent, I(0), I(i + 1));
  }
}

template <class I>
__global__ void connected_write(const I* parent, u8* y, i64 n) {
  for (i64 i = first(); i < n; i += step())
    y[i] = parent[i + 1] >= 0 && root_of(parent, I(i + 1)) == 0;
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
static const voxkern::cuda::Exports exports{
    {"connected_inside<u8>",
     voxkern::cuda::launcher<voxkern::kernel::connected_inside<voxkern::u8>>},
    {"connected_inside<i16>",
     voxkern::cuda::launcher<voxkern::kernel::connected_inside<voxkern::i16>>},
    {"connected_inside<u16>",
     voxkern::cuda::launcher<voxkern::kernel::connected_inside<voxkern::u16>>},
    {"connected_inside<i32>",
     voxkern::cuda::launcher<voxkern::kernel::connected_inside<voxkern::i32>>},
    {"connected_inside<f32>",
     voxkern::cuda::launcher<voxkern::kernel::connected_inside<voxkern::f32>>},
    {"connected_inside<f64>",
     voxkern::cuda::launcher<voxkern::kernel::connected_inside<voxkern::f64>>},
    {"connected_seeds<i32>",
     voxkern::cuda::launcher<voxkern::kernel::connected_seeds<voxkern::i32>>},
    {"connected_seeds<i64>",
     voxkern::cuda::launcher<voxkern::kernel::connected_seeds<voxkern::i64>>},
    {"connected_write<i32>",
     voxkern::cuda::launcher<voxkern::kernel::connected_write<voxkern::i32>>},
    {"connected_write<i64>",
     voxkern::cuda::launcher<voxkern::kernel::connected_write<voxkern::i64>>},
};
#endif
