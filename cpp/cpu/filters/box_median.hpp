// Medians of boxes through sorting networks whose parts neighbours share, an output in each lane.
//
// Columns along z are sorted once for the rows that use them, merged along y into one sorted list
// for each x, and the lists of neighbouring x are merged to the middle (after Adams 2021, "Fast
// Median Filters using Separable Sorting Networks", https://doi.org/10.1145/3450626.3459773,
// carried to 3-D). Two rows share the merge of what both cover, and so do two columns: even and odd
// columns lie in vectors of their own, so that what a pair of outputs shares is merged once.
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

// One plane, some rows, some columns: `vectors` of even ones and as many of odd ones.
template <class K, int wz, int w>
class BoxMedian {
  using V = Vec<K>;
  static constexpr int L = V::lanes;
  static constexpr int r = w / 2;
  static constexpr int list = wz * w;  // the sorted voxels at one x
  static constexpr std::make_integer_sequence<int, L> all{};
  static_assert(L >= 2);

 public:
  // Lines of a tile: as many vectors as keep it near.
  static constexpr i64 most_vectors = list == 25 ? 8 : list == 9 ? 16 : 32;

  BoxMedian(const KeyImage<K>& image, i64 vectors)
      : image_(image),
        vectors_(vectors),
        pitch_((vectors + 1) * L),
        room_(((w + 1) * 2 * wz + 4 * list + (w == 5 ? 2 * list : 0) + 2) * pitch_) {
    columns_ = room_.data();
    lists_ = columns_ + (w + 1) * 2 * wz * pitch_;
    pairs_ = lists_ + 4 * list * pitch_;
    row_ = pairs_ + (w == 5 ? 2 * list : 0) * pitch_;
  }

  void run(i64 z, i64 y0, i64 y1, i64 x0) {
    const i64 width = 2 * vectors_ * L, count = std::min(width, image_.size.x - x0);
    for (i64 y = y0 - r; y < y0 + r; ++y) sort_column(z, y, x0);
    for (i64 y = y0; y < y1; y += 2) {
      sort_column(z, y + r, x0);
      sort_column(z, y + r + 1, x0);
      for (int parity = 0; parity < 2; ++parity) merge_rows(y, parity);
      for (i64 i = 0; i < 2 && y + i < y1; ++i) {
        if constexpr (w == 5) merge_pairs(int(i));
        for (i64 x = 0; x < vectors_ * L; x += L) middle(int(i), x);
        image_.write(z, y + i, x0, count, row_);
      }
    }
  }

 private:
  const KeyImage<K>& image_;
  const i64 vectors_, pitch_;
  Scratch<K> room_;
  K *columns_, *lists_, *pairs_, *row_;

  K* column(i64 y, int parity) const {
    return columns_ + ((y + r) % (w + 1) * 2 + parity) * wz * pitch_;
  }
  K* lists(int row, int parity) const { return lists_ + (2 * row + parity) * list * pitch_; }

  template <std::size_t n>
  void load(const K* from, i64 x, V (&v)[n]) const {
#pragma GCC unroll 64
    for (std::size_t i = 0; i < n; ++i) v[i] = simd::load(from + i64(i) * pitch_ + x);
  }
  template <std::size_t n>
  void store(const V (&v)[n], K* to, i64 x) const {
#pragma GCC unroll 64
    for (std::size_t i = 0; i < n; ++i) simd::store(to + i64(i) * pitch_ + x, v[i]);
  }

  // The rows at y of wz planes, even and odd columns apart, sorted along z.
  void sort_column(i64 z, i64 y, i64 x0) {
    K *even = column(y, 0), *odd = column(y, 1);
    for (int i = 0; i < wz; ++i) {
      image_.read(z + i - wz / 2, y, x0 - r, 2 * pitch_, row_);
      for (i64 x = 0; x < pitch_; x += L) {
        const V a = simd::load(row_ + 2 * x), b = simd::load(row_ + 2 * x + L);
        simd::store(even + i * pitch_ + x, evens(a, b, all));
        simd::store(odd + i * pitch_ + x, odds(a, b, all));
      }
    }
    if constexpr (wz > 1) {
      for (K* line : {even, odd})
        for (i64 x = 0; x < pitch_; x += L) {
          V v[wz];
          load(line, x, v);
          network::sort<wz>(v);
          store(v, line, x);
        }
    }
  }

  // The lists of the rows y and y + 1: the w + 1 columns around them, all but two of which both
  // use.
  void merge_rows(i64 y, int parity) {
    for (i64 x = 0; x < pitch_; x += L) {
      V first[wz], last[wz], shared[(w - 1) * wz], whole[list];
      if constexpr (w == 3) {
        V a[wz], b[wz];
        load(column(y, parity), x, a);
        load(column(y + 1, parity), x, b);
        network::merge<wz, wz>(a, b, shared);
      } else {
        V a[wz], b[wz], c[wz], d[wz], ab[2 * wz], cd[2 * wz];
        load(column(y - 1, parity), x, a);
        load(column(y, parity), x, b);
        load(column(y + 1, parity), x, c);
        load(column(y + 2, parity), x, d);
        network::merge<wz, wz>(a, b, ab);
        network::merge<wz, wz>(c, d, cd);
        network::merge<2 * wz, 2 * wz>(ab, cd, shared);
      }
      load(column(y - r, parity), x, first);
      network::merge<(w - 1) * wz, wz>(shared, first, whole);
      store(whole, lists(0, parity), x);
      load(column(y + 1 + r, parity), x, last);
      network::merge<(w - 1) * wz, wz>(shared, last, whole);
      store(whole, lists(1, parity), x);
    }
  }

  // The lists of each odd column and the even one behind it together: two outputs use each.
  void merge_pairs(int row) {
    for (i64 x = 0; x < vectors_ * L; x += L) pair_at(row, x);
    pair_at(row, (vectors_ - 1) * L + 1);
  }
  void pair_at(int row, i64 x) {
    V a[list], b[list], both[2 * list];
    load(lists(row, 1), x, a);
    load(lists(row, 0), x + 1, b);
    network::merge<list, list>(a, b, both);
    store(both, pairs_, x);
  }

  // The medians of two neighbouring columns in each lane.
  void middle(int row, i64 x) {
    constexpr int half = list * w / 2;
    constexpr int inner = (w - 1) * list;
    V shared[inner], before[list], behind[list];
    if constexpr (w == 3) {
      V a[list], b[list];
      load(lists(row, 1), x, a);
      load(lists(row, 0), x + 1, b);
      network::merge<list, list>(a, b, shared);
    } else {
      V a[2 * list], b[2 * list];
      load(pairs_, x, a);
      load(pairs_, x + 1, b);
      network::merge<2 * list, 2 * list>(a, b, shared);
    }
    load(lists(row, 0), x, before);
    load(lists(row, 1), x + r, behind);
    const V even = network::select<inner, list, half>(shared, before);
    const V odd = network::select<inner, list, half>(shared, behind);
    simd::store(row_ + 2 * x, in_turn<0>(even, odd, all));
    simd::store(row_ + 2 * x + L, in_turn<1>(even, odd, all));
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
  const i64 down = (n.y + strip - 1) / strip;
  parallel_for(on, n.z * down * across, [&](i64 i) {
    const i64 x = i % across * vectors * pair, y = i / across % down * strip;
    if (x < n.x) Tile(image, vectors).run(i / across / down, y, std::min(n.y, y + strip), x);
  });
}

}  // namespace voxkern::cpu
