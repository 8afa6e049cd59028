// A tile of an image with what lies around it, copied side by side as floats: a schedule that works
// on one needs no borders, and finds everything in the cache.
#pragma once
#include <voxkern/simd.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>

namespace voxkern::cpu {

// Numbers at (z, y, x) of a box that begins at -reach, and room for two vectors behind the last. A
// vector that runs beyond the end of a row runs into the next.
template <class C>
class Block {
 public:
  static constexpr i64 lanes = 64 / sizeof(C);
  static constexpr i64 slack = 2 * lanes;

  // Of any content.
  Block(Size size, Size reach)
      : reach_(reach),
        rows_(size.y + 2 * reach.y),
        pitch_((size.x + 2 * reach.x + lanes - 1) / lanes * lanes),
        data_((size.z + 2 * reach.z) * rows_ * pitch_ + slack) {}

  C* row(i64 z, i64 y) const {
    return data_.data() + ((z + reach_.z) * rows_ + y + reach_.y) * pitch_ + reach_.x;
  }
  // The first number of a plane, those before and after its rows included.
  C* begin(i64 z) const { return data_.data() + (z + reach_.z) * plane(); }
  i64 pitch() const { return pitch_; }
  i64 plane() const { return rows_ * pitch_; }

  // Whether there is NaN in a plane from `first` to before `last`.
  bool has_nan(i64 first, i64 last) const {
    typename Vec<C>::Mask found(0);
    for (const C* p = begin(first); p < begin(last); p += Vec<C>::lanes) {
      const Vec<C> v = simd::load(p);
      found |= v != v;
    }
    return simd::any(found);
  }

  // Copies `size` voxels from `from` on, and `reach` more on every side.
  template <class T>
  void read(View<const T> in, Size from, Size size, Edge edge, C fill = C(0)) {
    const i64 wide = size.x + 2 * reach_.x, left = from.x - reach_.x;
    const i64 begin = std::clamp<i64>(-left, 0, wide);
    const i64 end = std::clamp<i64>(in.size.x - left, begin, wide);
    for (i64 z = -reach_.z; z < size.z + reach_.z; ++z)
      for (i64 y = -reach_.y; y < size.y + reach_.y; ++y) {
        const i64 zz = inside(from.z + z, in.size.z, edge),
                  yy = inside(from.y + y, in.size.y, edge);
        C* to = row(z, y) - reach_.x;
        if (zz < 0 || yy < 0) {
          std::fill(to, to + pitch_, fill);
          continue;
        }
        const T* line = in.row(zz, yy);
        for (i64 x = 0; x < begin; ++x) to[x] = at(line, left + x, in.size.x, edge, fill);
        for (i64 x = begin; x < end; ++x) to[x] = C(line[left + x]);
        for (i64 x = end; x < wide; ++x) to[x] = at(line, left + x, in.size.x, edge, fill);
        std::fill(to + wide, to + pitch_, C(0));
      }
  }

 private:
  template <class T>
  static C at(const T* line, i64 x, i64 n, Edge edge, C fill) {
    const i64 from = inside(x, n, edge);
    return from < 0 ? fill : C(line[from]);
  }

  Size reach_;
  i64 rows_, pitch_;
  Scratch<C> data_;
};

// Runs task(from, size) for the tiles of a volume.
template <class Task>
void for_tiles(On on, Size size, Size tile, Task task) {
  const Size tiles{(size.z + tile.z - 1) / tile.z, (size.y + tile.y - 1) / tile.y,
                   (size.x + tile.x - 1) / tile.x};
  parallel_for(on, tiles.count(), [&](i64 i) {
    const i64 row = i / tiles.x;
    const Size from{row / tiles.y * tile.z, row % tiles.y * tile.y, i % tiles.x * tile.x};
    task(from, Size{std::min(tile.z, size.z - from.z), std::min(tile.y, size.y - from.y),
                    std::min(tile.x, size.x - from.x)});
  });
}

// A tile of about as many voxels as asked for, where the volume may be thin along some axes.
inline Size fitted(Size tile, Size size) {
  const i64 wanted = tile.count();
  tile = {std::min(tile.z, size.z), std::min(tile.y, size.y), std::min(tile.x, size.x)};
  while (tile.count() < wanted && (tile.z < size.z || tile.y < size.y)) {
    if (tile.z < size.z && (tile.z <= tile.y || tile.y >= size.y))
      tile.z = std::min(2 * tile.z, size.z);
    else
      tile.y = std::min(2 * tile.y, size.y);
  }
  return tile;
}

}  // namespace voxkern::cpu
