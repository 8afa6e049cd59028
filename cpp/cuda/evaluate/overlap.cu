// Voxels in common, label by label: each thread its own counts, added up in integers.
#include <voxkern/evaluate/overlap.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

// labels: None counts what is not zero. Blocks along y take a label each.
template <class P, class R>
__global__ void overlap(const P* p, const R* r, const i64* labels, i64* counts, i64 n, i64 sets) {
  VOXKERN_SHARED(i64, room, 32);
  for (i64 k = blockIdx.y; k < sets; k += gridDim.y) {
    const i64 label = labels ? labels[k] : 0;
    const bool equal = labels != nullptr;
    i64 found[3] = {};
    for (i64 i = first(); i < n; i += step()) {
      const bool in_p = (i64(p[i]) == label) == equal, in_r = (i64(r[i]) == label) == equal;
      found[0] += in_p && in_r;
      found[1] += in_p;
      found[2] += in_r;
    }
    for (int c = 0; c < 3; ++c) {
      const i64 sum = block_sum(found[c], room);
      if (threadIdx.x == 0) atomic_add(counts + 3 * k + c, sum);
    }
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports overlap{
    {"overlap<u8,u8>", launcher<kernel::overlap<u8, u8>>},
    {"overlap<u8,u16>", launcher<kernel::overlap<u8, u16>>},
    {"overlap<u8,i32>", launcher<kernel::overlap<u8, i32>>},
    {"overlap<u8,i64>", launcher<kernel::overlap<u8, i64>>},
    {"overlap<u16,u8>", launcher<kernel::overlap<u16, u8>>},
    {"overlap<u16,u16>", launcher<kernel::overlap<u16, u16>>},
    {"overlap<u16,i32>", launcher<kernel::overlap<u16, i32>>},
    {"overlap<u16,i64>", launcher<kernel::overlap<u16, i64>>},
    {"overlap<i32,u8>", launcher<kernel::overlap<i32, u8>>},
    {"overlap<i32,u16>", launcher<kernel::overlap<i32, u16>>},
    {"overlap<i32,i32>", launcher<kernel::overlap<i32, i32>>},
    {"overlap<i32,i64>", launcher<kernel::overlap<i32, i64>>},
    {"overlap<i64,u8>", launcher<kernel::overlap<i64, u8>>},
    {"overlap<i64,u16>", launcher<kernel::overlap<i64, u16>>},
    {"overlap<i64,i32>", launcher<kernel::overlap<i64, i32>>},
    {"overlap<i64,i64>", launcher<kernel::overlap<i64, i64>>},
};
}  // namespace voxkern::cuda
#endif
