// Grey level co-occurrence: a row of blocks for each direction. Counts are integers, so the order
// in which they are added makes no difference.
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

// Calls count(a, b) for the pairs of levels, from 0, that this thread finds in direction
// blockIdx.y.
template <class F>
__device__ __forceinline__ void each_pair(const u16* x, const i64* offsets, Size size, F count) {
  const i64* o = offsets + 3 * i64(blockIdx.y);
  for (i64 i = first(); i < size.count(); i += step()) {
    const Size at = place(i, size), to = {at.z + o[0], at.y + o[1], at.x + o[2]};
    if (!x[i] || !contains(size, to)) continue;
    const u16 other = x[offset(to, size)];
    if (other) count(i64(x[i]) - 1, i64(other) - 1);
  }
}

// Up to 64 levels, in a table of the block.
__global__ void glcm_shared(const u16* x, const i64* offsets, Size size, i64 n, i64* counts) {
  VOXKERN_SHARED(u32, table, 4096);
  const int thread = thread_in_block(), threads = block_threads();
  for (i64 k = thread; k < n * n; k += threads) table[k] = 0;
  __syncthreads();
  each_pair(x, offsets, size, [&](i64 a, i64 b) { atomic_add(&table[a * n + b], u32(1)); });
  __syncthreads();
  for (i64 k = thread; k < n * n; k += threads)
    if (table[k]) atomic_add(&counts[i64(blockIdx.y) * n * n + k], i64(table[k]));
}

__global__ void glcm(const u16* x, const i64* offsets, Size size, i64 n, i64* counts) {
  i64* own = counts + i64(blockIdx.y) * n * n;
  each_pair(x, offsets, size, [&](i64 a, i64 b) { atomic_add(&own[a * n + b], i64(1)); });
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports glcm{
    {"glcm_shared", launcher<kernel::glcm_shared>},
    {"glcm", launcher<kernel::glcm>},
};
}  // namespace voxkern::cuda
#endif
