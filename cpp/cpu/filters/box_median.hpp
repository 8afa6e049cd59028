// Medians of boxes through sorting networks whose parts neighbours share, an output in each lane.
//
// Columns along z are sorted once for the rows that use them, merged along y into one sorted list
// for each x, and the lists of neighbouring x are merged to the middle (after Adams 2021, "Fast
// Median Filters using Separable Sorting Networks", https://doi.org/10.1145/3450626.3459773,
// carried to 3-D). Two rows share the merge of what both cover, and so do two columns: even and odd
// columns lie in vectors of their own, so that what a pair of outputs shares is merged once. Two
// planes of the larger cube share what is read and most of the sorting along z.
#pragma once
#include <voxkern/filters/networks.hpp>
#include <voxkern/simd.hpp>

#include <cpu/filters/rank.hpp>
#include <cpu/memory.hpp>

#include <algorithm>
#include <utility>

namespace voxkern::cpu {

template <class V, int... i>
V evens(V a, V b, std::integer_sequence<int, i...>) {
  return simd::shuffle<(2 * i)...>(a, b);
}
template <class V, int... i>
V odds(V a, V b, std::integer_sequence<int, i...>) {
  return simd::shuffle<(2 * i + 1)...>(a, b);
}
// Lanes of a and b in turn: those of the lower half, or of the upper.
template <int half, class V, int... i>
V in_turn(V a, V b, std::integer_sequence<int, i...>) {
  constexpr int N = V::lanes;
  return simd::shuffle<(half * N / 2 + i / 2 + (i % 2) * N)...>(a, b);
}

// One plane or two, some rows, some columns: `vectors` of even ones and as many of odd ones.
template <class K, int wz, int w>
class BoxMedian {
  using V = Vec<K>;
  static constexpr int L = V::lanes;
  static constexpr int r = w / 2;
  static constexpr int list = wz * w;  // the sorted voxels at one x
  static constexpr std::make_integer_sequence<int, L> all{};
  static_assert(L >= 2);

 public:
  static constexpr int planes = wz == 5 ? 2 : 1;  // of 3 it does not pay
  // As many as keep the lines of a tile near.
  static constexpr i64 most_vectors = list == 25 ? 8 : list == 9 ? 16 : 32;

  BoxMedian(const KeyImage<K>& image, i64 vectors)
      : image_(image),
        vectors_(vectors),
        room_((planes * (w + 1) * 2 * wz + 4 * list + (w == 5 ? 2 * list : 0) + 2) * pitch) {
    columns_ = room_.data();
    lists_ = columns_ + planes * (w + 1) * 2 * wz * pitch;
    pairs_ = lists_ + 4 * list * pitch;
    row_ = pairs_ + (w == 5 ? 2 * list : 0) * pitch;
    std::fill(room_.begin(), room_.end(), K(0));
  }

  void run(i64 z, i64 y0, i64 y1, i64 x0) {
    const i64 width = 2 * vectors_ * L, count = std::min(width, image_.size.x - x0);
    for (i64 y = y0 - r; y < y0 + r; ++y) sort_column(z, y, x0);
    for (i64 y = y0; y < y1; y += 2) {
      sort_column(z, y + r, x0);
      sort_column(z, y + r + 1, x0);
      for (int plane = 0; plane < planes && z + plane < image_.size.z; ++plane) {
        for (int parity = 0; parity < 2; ++parity) merge_rows(y, parity, plane);
        for (i64 i = 0; i < 2 && y + i < y1; ++i) {
          if constexpr (w == 5) merge_pairs(int(i));
          middle(int(i));
          image_.write(z + plane, y + i, x0, count, row_);
        }
      }
    }
  }

 private:
  const KeyImage<K>& image_;
  const i64 vectors_;
  static constexpr i64 pitch = (most_vectors + 1) * L;  // of lines: known here, it costs no sums
  Scratch<K> room_;
  K *columns_, *lists_, *pairs_, *row_;

  K* column(i64 y, int parity, int plane) const {
    return columns_ + (((y + r) % (w + 1) * 2 + parity) * planes + plane) * wz * pitch;
  }
  K* lists(int row, int parity) const { return lists_ + (2 * row + parity) * list * pitch; }

  template <std::size_t n>
  static void load(const K* from, i64 x, V (&v)[n]) {
#pragma GCC unroll 64
    for (std::size_t i = 0; i < n; ++i) v[i] = simd::load(from + i64(i) * pitch + x);
  }
  template <std::size_t n>
  static void store(const V (&v)[n], K* to, i64 x) {
#pragma GCC unroll 64
    for (std::size_t i = 0; i < n; ++i) simd::store(to + i64(i) * pitch + x, v[i]);
  }

  // The rows at y of the planes around, even and odd columns apart, sorted along z. Those of two
  // planes follow each other: the second's first line holds what the first plane does not cover.
  void sort_column(i64 z, i64 y, i64 x0) {
    const i64 end = vectors_ * L;
    const i64 places = std::min(2 * vectors_ * L, image_.size.x - x0) + 2 * r;
    K *even = column(y, 0, 0), *odd = column(y, 1, 0);
    for (int i = 0; i < wz + planes - 1; ++i) {
      const K* const row = row_;
      image_.read(z + i - wz / 2, y, x0 - r, places, row_);
      for (i64 x = 0; x <= end; x += L) {
        const V a = simd::load(row + 2 * x), b = simd::load(row + 2 * x + L);
        simd::store(even + i * pitch + x, evens(a, b, all));
        simd::store(odd + i * pitch + x, odds(a, b, all));
      }
    }
    if constexpr (wz > 1) {
      for (K* line : {even, odd})
        for (i64 x = 0; x <= end; x += L) {
          V v[wz + planes - 1];
          load(line, x, v);
          if constexpr (planes == 1) {
            network::sort<wz>(v);
            store(v, line, x);
          } else {
            V first[wz], second[wz];
            network::sort<wz - 1>(v + 1);
            network::merge<wz - 1, 1>(v + 1, v, first);
            network::merge<wz - 1, 1>(v + 1, v + wz, second);
            store(first, line, x);
            store(second, line + wz * pitch, x);
          }
        }
    }
  }

  // The lists of the rows y and y + 1: the w + 1 columns around them, all but two of which both
  // use. (Pointers are kept in variables here and below: a store might change a member.)
  void merge_rows(i64 y, int parity, int plane) {
    const K* from[w + 1];
    for (int i = 0; i <= w; ++i) from[i] = column(y - r + i, parity, plane);
    K *const upper = lists(0, parity), *const lower = lists(1, parity);
    const i64 end = vectors_ * L;
    for (i64 x = 0; x <= end; x += L) {
      V part[w + 1][wz], shared[(w - 1) * wz], whole[list];
      for (int i = 0; i <= w; ++i) load(from[i], x, part[i]);
      if constexpr (w == 3) {
        network::merge<wz, wz>(part[1], part[2], shared);
      } else {
        V ab[2 * wz], cd[2 * wz];
        network::merge<wz, wz>(part[1], part[2], ab);
        network::merge<wz, wz>(part[3], part[4], cd);
        network::merge<2 * wz, 2 * wz>(ab, cd, shared);
      }
      network::merge<(w - 1) * wz, wz>(shared, part[0], whole);
      store(whole, upper, x);
      network::merge<(w - 1) * wz, wz>(shared, part[w], whole);
      store(whole, lower, x);
    }
  }

  // The lists of each odd column and the even one behind it together: two outputs use each.
  void merge_pairs(int row) {
    const K *const even = lists(row, 0), *const odd = lists(row, 1);
    K* const pairs = pairs_;
    const i64 last = (vectors_ - 1) * L;
    for (i64 x = 0;; x = std::min(x + L, last + 1)) {
      V a[list], b[list], both[2 * list];
      load(odd, x, a);
      load(even, x + 1, b);
      network::merge<list, list>(a, b, both);
      store(both, pairs, x);
      if (x > last) break;
    }
  }

  // The medians of a row, of two neighbouring columns in each lane.
  void middle(int row) {
    constexpr int half = list * w / 2;
    constexpr int inner = (w - 1) * list;
    const K *const even = lists(row, 0), *const odd = lists(row, 1), *const pairs = pairs_;
    K* const out = row_;
    const i64 end = vectors_ * L;
    for (i64 x = 0; x < end; x += L) {
      V shared[inner], before[list], behind[list];
      if constexpr (w == 3) {
        V a[list], b[list];
        load(odd, x, a);
        load(even, x + 1, b);
        network::merge<list, list>(a, b, shared);
      } else {
        V a[2 * list], b[2 * list];
        load(pairs, x, a);
        load(pairs, x + 1, b);
        network::merge<2 * list, 2 * list>(a, b, shared);
      }
      load(even, x, before);
      load(odd, x + r, behind);
      const V first = network::select<inner, list, half>(shared, before);
      const V second = network::select<inner, list, half>(shared, behind);
      simd::store(out + 2 * x, in_turn<0>(first, second, all));
      simd::store(out + 2 * x + L, in_turn<1>(first, second, all));
    }
  }
};

template <class K, int wz, int w>
void box_median(On on, const KeyImage<K>& image) {
  using Tile = BoxMedian<K, wz, w>;
  const Size n = image.size;
  const i64 pair = 2 * Vec<K>::lanes, needed = (n.x + pair - 1) / pair;
  const i64 across = (needed + Tile::most_vectors - 1) / Tile::most_vectors;
  const i64 vectors = (needed + across - 1) / across;
  const i64 strip = std::clamp<i64>(n.y * n.z / (4 * std::max(1, on.threads)), 16, 256);
  const i64 down = (n.y + strip - 1) / strip, deep = (n.z + Tile::planes - 1) / Tile::planes;
  parallel_for(on, deep * down * across, [&](i64 i) {
    const i64 x = i % across * vectors * pair, y = i / across % down * strip;
    const i64 z = i / across / down * Tile::planes;
    if (x < n.x) Tile(image, vectors).run(z, y, std::min(n.y, y + strip), x);
    simd::stream_fence();
  });
}

}  // namespace voxkern::cpu
