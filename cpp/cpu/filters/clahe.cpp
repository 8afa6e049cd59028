// For a row of voxels the four maps along z and y are mixed once for each tile along x; a voxel
// then reads two of the mixed maps.
#include <voxkern/filters/clahe.hpp>
#include <voxkern/simd.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <vector>

namespace voxkern::cpu {
namespace {

constexpr i64 lanes = simd::lanes<f32>;

i64 cover(i64 n, i64 tile) { return (n + tile - 1) / tile; }
Size cover(Size n, Size tile) {
  return {cover(n.z, tile.z), cover(n.y, tile.y), cover(n.x, tile.x)};
}

}  // namespace

template <class T>
void gray_bins(On on, View<const T> x, View<u16> bins, f64 low, f64 width, i64 size) {
  constexpr i64 wide = simd::lanes<f64>;
  const Size n = x.size;
  // The quotient is exact enough to be cut: grays are whole and below 2^14.
  const f64 by = 1.0 / f64(size), half = 0.5 * by;
  parallel_for(on, n.z * n.y, [&](i64 line) {
    const T* row = x.row(line / n.y, line % n.y);
    u16* to = bins.row(line / n.y, line % n.y);
    i64 i = 0;
    for (; i + wide <= n.x; i += wide) {
      const Vec<f64> t = (simd::load_as<f64>(row + i) - low) / width * f64(clahe_grays - 1);
      const Vec<f64> gray = round(min(max(t, 0.0), f64(clahe_grays - 1)));
      simd::store_as<u16>(to + i, simd::convert<i32>(gray * by + half));
    }
    for (; i < n.x; ++i) to[i] = gray_bin(f64(row[i]), low, width, size);
  });
}

void tile_maps(On on, View<const u16> bins, Size tile, i64 limit, List<f32> maps) {
  const Size n = bins.size, tiles = cover(n, tile);
  const i64 count = maps.size / tiles.count();
  const f64 scale = f64(clahe_grays - 1) / f64(tile.count());
  parallel_for(on, tiles.count(), [&](i64 i) {
    const Size at{i / (tiles.x * tiles.y) * tile.z, i / tiles.x % tiles.y * tile.y,
                  i % tiles.x * tile.x};
    std::vector<u32> few(4 * count);
    for (i64 z = at.z; z < at.z + tile.z; ++z)
      for (i64 y = at.y; y < at.y + tile.y; ++y) {
        const u16* row = bins.row(inside(z, n.z, Edge::mirror), inside(y, n.y, Edge::mirror));
        const i64 whole = least(at.x + tile.x, n.x);
        i64 x = at.x;
        for (; x + 4 <= whole; x += 4)
          for (int k = 0; k < 4; ++k) ++few[k * count + row[x + k]];
        for (; x < at.x + tile.x; ++x) ++few[row[inside(x, n.x, Edge::mirror)]];
      }
    std::vector<i64> own(count);
    for (i64 k = 0; k < 4 * count; ++k) own[k % count] += few[k];
    clip_bins(own.data(), count, limit);
    i64 sum = 0;
    for (i64 k = 0; k < count; ++k) {
      sum += own[k];
      maps[i * count + k] = f32(i64(least(f64(sum) * scale, f64(clahe_grays - 1))));
    }
  });
}

// to = a * (1 - part) + b * part for n numbers.
static void mix(const f32* a, const f32* b, f32 part, i64 n, f32* to) {
  const f32 rest = 1.0f - part;
  for (i64 i = 0; i < n; ++i) to[i] = a[i] * rest + b[i] * part;
}

// What each place of a row reads: where its two maps begin, and how far it is from the first.
struct Along {
  std::vector<i32> first, second;
  std::vector<f32> part;
  Along(i64 n, i64 tile, i64 tiles, i64 count)
      : first(n + lanes), second(n + lanes), part(n + lanes) {
    for (i64 x = 0; x < n; ++x) {
      const Between at(x, tile, tiles);
      first[x] = i32(at.first * count);
      second[x] = i32(at.second * count);
      part[x] = at.part;
    }
  }
};

void tile_blend(On on, View<const u16> bins, Size tile, List<const f32> maps, View<u16> y) {
  const Size n = bins.size, tiles = cover(n, tile);
  const i64 count = maps.size / tiles.count(), across = tiles.x * count;
  const i64 layer = tiles.y * across;
  const Along along(n.x, tile.x, tiles.x, count);
  const i64 rows = most(i64(65536) / most(n.x, i64(1)), i64(1)), down = cover(n.y, rows);
  parallel_for(on, n.z * down, [&](i64 i) {
    const i64 z = i / down, end = least((i % down + 1) * rows, n.y);
    const Between a(z, tile.z, tiles.z);
    Scratch<f32> plane(layer), mixed(across);
    mix(maps.data + a.first * layer, maps.data + a.second * layer, a.part, layer, plane.data());
    for (i64 j = i % down * rows; j < end; ++j) {
      const Between b(j, tile.y, tiles.y);
      mix(&plane[b.first * across], &plane[b.second * across], b.part, across, mixed.data());
      const u16* row = bins.row(z, j);
      u16* to = y.row(z, j);
      for (i64 x = 0; x < n.x; x += lanes) {
        const int some = int(least(lanes, n.x - x));
        const auto bin = simd::load_as<i32, int(lanes)>(row + x, some);
        const Vec<f32> left = simd::gather(mixed.data(), bin + simd::load(&along.first[x]));
        const Vec<f32> right = simd::gather(mixed.data(), bin + simd::load(&along.second[x]));
        const Vec<f32> part = simd::load(&along.part[x]);
        const Vec<f32> gray = left * (Vec<f32>(1.0f) - part) + right * part;
        simd::store_as<u16>(to + x, simd::convert<i32>(gray), some);
      }
    }
  });
}

template void gray_bins(On, View<const u8>, View<u16>, f64, f64, i64);
template void gray_bins(On, View<const i16>, View<u16>, f64, f64, i64);
template void gray_bins(On, View<const u16>, View<u16>, f64, f64, i64);
template void gray_bins(On, View<const i32>, View<u16>, f64, f64, i64);
template void gray_bins(On, View<const f32>, View<u16>, f64, f64, i64);
template void gray_bins(On, View<const f64>, View<u16>, f64, f64, i64);

}  // namespace voxkern::cpu
