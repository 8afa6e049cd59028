// One erosion or dilation of a mask: a thread a voxel, which looks no further than it has to.
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

__global__ void binary_erosion(const u8* x, u8* y, const u8* mask, const i64* offsets, i64 count,
                               Size size, i64 border, i64 any, i32* changed) {
  for (i64 i = first(); i < size.count(); i += step()) {
    const Size at = place(i, size);
    const bool before = x[i] != 0, wanted = any != 0;
    bool after = before;
    if (!mask || mask[i]) {
      after = !wanted;
      for (i64 n = 0; n < count && after != wanted; ++n) {
        const Size near{at.z + offsets[3 * n], at.y + offsets[3 * n + 1],
                        at.x + offsets[3 * n + 2]};
        const bool value = contains(size, near) ? x[offset(near, size)] != 0 : border != 0;
        if (value == wanted) after = wanted;
      }
    }
    y[i] = after;
    if (after != before) store_relaxed(changed, 1);
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
static const voxkern::cuda::Exports exports{
    {"binary_erosion", voxkern::cuda::launcher<voxkern::kernel::binary_erosion>},
};
#endif
