// Small kernels for testing the emulator and the way from Python to a kernel, not images.
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

// Everything that a kernel can be given.
template <class T>
__global__ void probe_arguments(const T* x, T* y, i64 n, f64 factor, Size size, Vec3 step) {
  for (i64 i = first(); i < n; i += voxkern::step()) {
    Size at = place(i, size);
    f64 here = f64(at.z) * step.z + f64(at.y) * step.y + f64(at.x) * step.x;
    y[i] = T((x ? f64(x[i]) : 0.0) * factor + here);
  }
}

// Reverses each run of 64 values through shared memory.
__global__ void probe_reverse(const f32* x, f32* y) {
  VOXKERN_SHARED(f32, run, 64);
  i64 from = i64(blockIdx.x) * 64;
  run[threadIdx.x] = x[from + threadIdx.x];
  __syncthreads();
  y[from + threadIdx.x] = run[63 - threadIdx.x];
}

// The sum of each block's share, and the sum of all integers.
__global__ void probe_sums(const i32* x, f64* blocks, i64* total, i64 n) {
  VOXKERN_SHARED(f64, room, 32);
  f64 own = 0;
  for (i64 i = first(); i < n; i += step()) {
    own += x[i];
    atomic_add(total, i64(x[i]));
  }
  own = block_sum(own, room);
  if (threadIdx.x == 0) blocks[blockIdx.x] = own;
}

// Marks every voxel of a volume once, tile by tile.
template <int TZ, int TY, int TX>
__global__ void probe_tiles(i32* visits, Size size) {
  Size tile{TZ, TY, TX}, tiles = tiling(size, tile);
  for (i64 t = blockIdx.x; t < tiles.count(); t += gridDim.x) {
    Size at = corner(t, tiles, tile);
    at = {at.z + threadIdx.z, at.y + threadIdx.y, at.x + threadIdx.x};
    if (contains(size, at)) visits[offset(at, size)] += 1;
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../../cpp/cuda/export.hpp"
static const voxkern::cuda::Exports exports{
    {"probe_arguments<u8>", voxkern::cuda::launcher<voxkern::kernel::probe_arguments<voxkern::u8>>},
    {"probe_arguments<f32>",
     voxkern::cuda::launcher<voxkern::kernel::probe_arguments<voxkern::f32>>},
    {"probe_reverse", voxkern::cuda::launcher<voxkern::kernel::probe_reverse>},
    {"probe_sums", voxkern::cuda::launcher<voxkern::kernel::probe_sums>},
    {"probe_tiles<2,3,16>", voxkern::cuda::launcher<voxkern::kernel::probe_tiles<2, 3, 16>>},
};
#endif
