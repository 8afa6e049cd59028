// Contrast-limited adaptive histogram equalisation: gray bins, a map for each tile, their blend.
#pragma once
#include "../base.hpp"

namespace voxkern {

constexpr i64 clahe_grays = 16384;

// The bin of a value among `clahe_grays` gray levels, `size` to a bin.
VOXKERN_HD u16 gray_bin(f64 v, f64 low, f64 width, i64 size) {
  const f64 gray = rint((v - low) / width * f64(clahe_grays - 1));
  if (!(gray > 0)) return 0;
  return u16(i64(least(gray, f64(clahe_grays - 1))) / size);
}

// Cuts bins above `limit` and spreads what is cut evenly over those below it.
VOXKERN_HD void clip_bins(i64* bins, i64 count, i64 limit) {
  i64 excess = 0;
  for (i64 k = 0; k < count; ++k)
    if (bins[k] > limit) {
      excess += bins[k] - limit;
      bins[k] = limit;
    }
  const i64 step = excess / count, upper = limit - step;
  for (i64 k = 0; k < count; ++k) {
    if (bins[k] < upper) {
      excess -= step;
      bins[k] += step;
    }
    if (bins[k] >= upper && bins[k] < limit) {
      excess -= limit - bins[k];
      bins[k] = limit;
    }
  }
  i64 under = 0;
  for (i64 k = 0; k < count; ++k) under += bins[k] < limit;
  while (excess > 0) {
    const i64 before = excess;
    for (i64 first = 0; first < count && excess > 0; ++first) {
      const i64 stride = most(under / excess, i64(1));
      for (i64 k = first; k < count; k += stride)
        if (bins[k] < limit) {
          under -= ++bins[k] == limit;
          --excess;
        }
    }
    if (before == excess) break;
  }
}

// The two tiles between which an index lies, and how far it is from the first: of n indices in
// tiles of `tile`.
struct Between {
  i64 first, second;
  f32 part;
  VOXKERN_HD Between(i64 i, i64 tile, i64 tiles) {
    const i64 at = i + tile / 2, block = at / tile;
    first = most(block - 1, i64(0));
    second = least(block, tiles - 1);
    part = f32(f64(at % tile) / f64(tile));
  }
};

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
template <class T>
void gray_bins(On, View<const T> x, View<u16> bins, f64 low, f64 width, i64 size);
// maps[tile][bin], from the counts of each tile; the last tiles go on beyond the image as in a
// mirror.
void tile_maps(On, View<const u16> bins, Size tile, i64 limit, List<f32> maps);
// y = the maps of the eight tiles around, mixed by distance.
void tile_blend(On, View<const u16> bins, Size tile, List<const f32> maps, View<u16> y);
}  // namespace cpu
#endif

}  // namespace voxkern
