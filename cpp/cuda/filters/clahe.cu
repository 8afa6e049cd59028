#include <voxkern/filters/clahe.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

constexpr i64 clahe_shared = 1024;  // bins that a block counts for itself

template <class T>
__global__ void gray_bins(const T* x, u16* bins, i64 n, f64 low, f64 width, i64 size) {
  for (i64 i = first(); i < n; i += step()) bins[i] = gray_bin(f64(x[i]), low, width, size);
}

// A block for each tile; one of its threads cuts the counts and adds them up.
__global__ void tile_maps(const u16* bins, Size n, Size tile, Size tiles, i64 limit, i64 count,
                          i64* all, f32* maps) {
  VOXKERN_SHARED(i64, room, clahe_shared);
  for (i64 t = blockIdx.x; t < tiles.count(); t += gridDim.x) {
    i64* own = count <= clahe_shared ? room : all + t * count;
    for (i64 k = threadIdx.x; k < count; k += blockDim.x) own[k] = 0;
    __syncthreads();
    const Size at = corner(t, tiles, tile);
    for (i64 i = threadIdx.x; i < tile.count(); i += blockDim.x) {
      const Size p = place(i, tile);
      const Size q{inside(at.z + p.z, n.z, Edge::mirror), inside(at.y + p.y, n.y, Edge::mirror),
                   inside(at.x + p.x, n.x, Edge::mirror)};
      atomic_add(own + bins[offset(q, n)], i64(1));
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      clip_bins(own, count, limit);
      const f64 scale = f64(clahe_grays - 1) / f64(tile.count());
      i64 sum = 0;
      for (i64 k = 0; k < count; ++k) {
        sum += own[k];
        maps[t * count + k] = f32(i64(least(f64(sum) * scale, f64(clahe_grays - 1))));
      }
    }
    __syncthreads();
  }
}

__global__ void tile_blend(const u16* bins, Size n, Size tile, Size tiles, const f32* maps,
                           i64 count, u16* y) {
  for (i64 i = first(); i < n.count(); i += step()) {
    const Size p = place(i, n);
    const Between a(p.z, tile.z, tiles.z), b(p.y, tile.y, tiles.y), c(p.x, tile.x, tiles.x);
    f32 sides[2];
    for (int side = 0; side < 2; ++side) {
      const f32* from = maps + (side ? c.second : c.first) * count + bins[i];
      f32 rows[2];
      for (int row = 0; row < 2; ++row) {
        const i64 at = row ? b.second : b.first, across = tiles.x * count;
        rows[row] = from[(a.first * tiles.y + at) * across] * (1.0f - a.part) +
                    from[(a.second * tiles.y + at) * across] * a.part;
      }
      sides[side] = rows[0] * (1.0f - b.part) + rows[1] * b.part;
    }
    y[i] = u16(sides[0] * (1.0f - c.part) + sides[1] * c.part);
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports clahe{
    {"gray_bins<u8>", launcher<kernel::gray_bins<u8>>},
    {"gray_bins<i16>", launcher<kernel::gray_bins<i16>>},
    {"gray_bins<u16>", launcher<kernel::gray_bins<u16>>},
    {"gray_bins<i32>", launcher<kernel::gray_bins<i32>>},
    {"gray_bins<f32>", launcher<kernel::gray_bins<f32>>},
    {"gray_bins<f64>", launcher<kernel::gray_bins<f64>>},
    {"tile_maps", launcher<kernel::tile_maps>},
    {"tile_blend", launcher<kernel::tile_blend>},
};
}  // namespace voxkern::cuda
#endif
