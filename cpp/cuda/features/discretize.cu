// Where a region is, how far its intensities reach, and those as grey levels.
#include <voxkern/features/discretize.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

// parts[10 * block] on: what cpu::region finds in the block's voxels, the box as its first voxel
// and the one after its last. 256 threads.
template <class T>
__global__ void region(const T* x, const u8* mask, Size size, f64* parts) {
  VOXKERN_SHARED(f64, room, 256);
  f64 low = 1.7976931348623157e308, high = -low, odd = 0, count = 0;
  f64 first_z = f64(size.z), first_y = f64(size.y), first_x = f64(size.x);
  f64 end_z = 0, end_y = 0, end_x = 0;
  for (i64 i = first(); i < size.count(); i += step()) {
    if (mask && !mask[i]) continue;
    const f64 v = f64(x[i]);
    const Size at = place(i, size);
    if (!(v - v == 0)) odd = 1;
    low = least(low, v);
    high = most(high, v);
    count += 1;
    first_z = least(first_z, f64(at.z));
    first_y = least(first_y, f64(at.y));
    first_x = least(first_x, f64(at.x));
    end_z = most(end_z, f64(at.z + 1));
    end_y = most(end_y, f64(at.y + 1));
    end_x = most(end_x, f64(at.x + 1));
  }
  f64 found[10] = {low, -high, -odd, count, first_z, first_y, first_x, -end_z, -end_y, -end_x};
  const int thread = thread_in_block();
  for (int k = 0; k < 10; ++k) {
    __syncthreads();
    room[thread] = found[k];
    for (int far = 128; far > 0; far /= 2) {
      __syncthreads();
      if (thread < far)
        room[thread] =
            k == 3 ? room[thread] + room[thread + far] : least(room[thread], room[thread + far]);
    }
    if (thread == 0) {
      const bool turned = k == 1 || k == 2 || k >= 7;
      parts[10 * i64(blockIdx.x) + k] = turned ? 0.0 - room[0] : room[0];
    }
  }
}

template <class T>
__global__ void discretize(const T* x, const u8* mask, u16* levels, i64 n, f64 low, f64 times,
                           f64 over, f64 most) {
  for (i64 i = first(); i < n; i += step())
    levels[i] = !mask || mask[i] ? level_of(f64(x[i]), low, times, over, most) : u16(0);
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports discretize{
    {"region<u8>", launcher<kernel::region<u8>>},
    {"region<i16>", launcher<kernel::region<i16>>},
    {"region<u16>", launcher<kernel::region<u16>>},
    {"region<i32>", launcher<kernel::region<i32>>},
    {"region<f32>", launcher<kernel::region<f32>>},
    {"region<f64>", launcher<kernel::region<f64>>},
    {"discretize<u8>", launcher<kernel::discretize<u8>>},
    {"discretize<i16>", launcher<kernel::discretize<i16>>},
    {"discretize<u16>", launcher<kernel::discretize<u16>>},
    {"discretize<i32>", launcher<kernel::discretize<i32>>},
    {"discretize<f32>", launcher<kernel::discretize<f32>>},
    {"discretize<f64>", launcher<kernel::discretize<f64>>},
};
}  // namespace voxkern::cuda
#endif
