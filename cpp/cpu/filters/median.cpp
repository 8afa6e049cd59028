// Two schedules, both with an output voxel in each lane of a vector.
//
// Boxes of 3 or 5 go through sorting networks whose parts neighbours share: columns along z are
// sorted once for the rows that use them, merged along y into one sorted list for each x, and
// the lists of neighbouring x are merged to the middle (after Adams 2021, "Fast Median Filters
// using Separable Sorting Networks", https://doi.org/10.1145/3450626.3459773, carried to 3-D).
//
// Every other footprint and rank is found by bisection: the answer's bits from the highest down,
// each by counting how many neighbours lie below.
#include <voxkern/filters/median.hpp>

#include <voxkern/simd.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

namespace voxkern::cpu {
namespace {

template <class T>
using Key = decltype(rank_key(T()));

// The keys of n numbers, and back. Bytes are copied as such: stores through a byte pointer could
// change anything, so a loop over them is not made into vectors.
template <class T>
void to_keys(const T* from, Key<T>* to, i64 n) {
  if constexpr (std::is_same_v<T, Key<T>>)
    std::memcpy(to, from, n * sizeof(T));
  else
    for (i64 i = 0; i < n; ++i) to[i] = rank_key(from[i]);
}
template <class T>
void from_keys(const Key<T>* from, T* to, i64 n) {
  if constexpr (std::is_same_v<T, Key<T>>)
    std::memcpy(to, from, n * sizeof(T));
  else
    for (i64 i = 0; i < n; ++i) from_rank_key(from[i], to[i]);
}

// Rows of keys of one width, with what lies outside the image filled in.
template <class T>
class Rows {
 public:
  Rows(View<const T> in, Edge edge, T fill, i64 width)
      : in_(in), edge_(edge), fill_(rank_key(fill)), width_(width) {}

  // The row at (z, y), or null where that is outside and filled.
  const T* row(i64 z, i64 y) const {
    const i64 zz = inside(z, in_.size.z, edge_), yy = inside(y, in_.size.y, edge_);
    return zz < 0 || yy < 0 ? nullptr : in_.row(zz, yy);
  }

  // The keys of a row from x on.
  void read(const T* row, i64 x, Key<T>* out) const {
    const i64 width = width_;
    if (!row) {
      std::fill_n(out, width, fill_);
    } else if (0 <= x && x + width <= in_.size.x) {
      to_keys(row + x, out, width);
    } else {
      const i64 from = std::clamp<i64>(-x, 0, width), to = std::clamp(in_.size.x - x, from, width);
      for (i64 i = 0; i < from; ++i) out[i] = outside(row, x + i);
      to_keys(row + x + from, out + from, to - from);
      for (i64 i = to; i < width; ++i) out[i] = outside(row, x + i);
    }
  }

 private:
  Key<T> outside(const T* row, i64 x) const {
    const i64 at = inside(x, in_.size.x, edge_);
    return at < 0 ? fill_ : rank_key(row[at]);
  }

  View<const T> in_;
  Edge edge_;
  Key<T> fill_;
  i64 width_;
};

// ---- boxes through networks ----

// The median of a box of wz x w x w voxels for a tile of outputs: one plane, some rows, some
// columns.
template <class T, int wz, int w>
class BoxTile {
  using K = Key<T>;
  using V = simd::Vec<K>;
  static constexpr int r = w / 2;
  static constexpr int vectors = 8;
  static constexpr int width = (vectors + 1) * V::lanes;  // columns that are read
  static constexpr int list = wz * w;                     // a sorted list for each x

 public:
  static constexpr i64 columns = vectors * V::lanes;  // columns that are written
  static_assert(V::lanes >= 2 * r);

  BoxTile(View<const T> in, View<T> out, Edge edge, T fill)
      : out_(out), rows_(in, edge, fill, width) {}

  // The lists of a row are made one row ahead: read at once, at places in between, they would
  // have to wait until the vectors just stored have reached the cache.
  void run(i64 z, i64 y0, i64 y1, i64 x0) {
    for (int i = 0; i < w; ++i) sort_column(z, y0 - r + i, x0);
    merge_rows(y0);
    for (i64 y = y0; y < y1; ++y) {
      if (y + 1 < y1) {
        sort_column(z, y + 1 + r, x0);
        merge_rows(y + 1);
      }
      if constexpr (w == 5) merge_pairs(y);
      for (int v = 0; v < vectors; ++v)
        simd::store(result_ + v * V::lanes, middle(y, v * V::lanes));
      from_keys(result_, out_.row(z, y) + x0, std::min<i64>(columns, out_.size.x - x0));
    }
  }

 private:
  using Row = K[width];
  Row* column(i64 y) { return columns_[(y % w + w) % w]; }
  Row* lists(i64 y) { return lists_[y & 1]; }

  // The wz rows at y, sorted along z.
  void sort_column(i64 z, i64 y, i64 x0) {
    auto sorted = column(y);
    for (int i = 0; i < wz; ++i) rows_.read(rows_.row(z + i - wz / 2, y), x0 - r, sorted[i]);
    if constexpr (wz > 1) {
      for (int x = 0; x < width; x += V::lanes) {
        V v[wz];
        load(sorted, x, v);
        network::sort<wz>(v);
        store(v, sorted, x);
      }
    }
  }

  // The w columns around y, merged into one sorted list for each x.
  void merge_rows(i64 y) {
    for (int x = 0; x < width; x += V::lanes) {
      V part[w][wz], whole[list];
      for (int i = 0; i < w; ++i) load(column(y - r + i), x, part[i]);
      if constexpr (w == 3) {
        V two[2 * wz];
        network::merge<wz, wz>(part[0], part[1], two);
        network::merge<2 * wz, wz>(two, part[2], whole);
      } else {
        V a[2 * wz], b[2 * wz], four[4 * wz];
        network::merge<wz, wz>(part[0], part[1], a);
        network::merge<wz, wz>(part[2], part[3], b);
        network::merge<2 * wz, 2 * wz>(a, b, four);
        network::merge<4 * wz, wz>(four, part[4], whole);
      }
      store(whole, lists(y), x);
    }
  }

  // The lists of x and x + 1 together: two outputs use each.
  void merge_pairs(i64 y) {
    for (int x = 0; x + V::lanes < width; x += V::lanes) pair_at(y, x);
    pair_at(y, width - V::lanes - 1);
  }
  void pair_at(i64 y, int x) {
    V a[list], b[list], both[2 * list];
    load(lists(y), x, a);
    load(lists(y), x + 1, b);
    network::merge<list, list>(a, b, both);
    store(both, pairs_, x);
  }

  // The medians of the boxes whose lists begin at x.
  V middle(i64 y, int x) {
    constexpr int half = list * w / 2;
    V a[list];
    if constexpr (w == 3) {
      V b[list], c[list], both[2 * list];
      load(lists(y), x, a);
      load(lists(y), x + 1, b);
      load(lists(y), x + 2, c);
      network::merge<list, list>(a, b, both);
      return network::select<2 * list, list, half>(both, c);
    } else {
      V b[2 * list], c[2 * list], four[4 * list];
      load(pairs_, x, b);
      load(pairs_, x + 2, c);
      load(lists(y), x + 4, a);
      network::merge<2 * list, 2 * list>(b, c, four);
      return network::select<4 * list, list, half>(four, a);
    }
  }

  template <std::size_t n>
  static void load(const K (*from)[width], int x, V (&v)[n]) {
#pragma GCC unroll 64
    for (std::size_t i = 0; i < n; ++i) v[i] = simd::load(from[i] + x);
  }
  template <std::size_t n>
  static void store(const V (&v)[n], K (*to)[width], int x) {
#pragma GCC unroll 64
    for (std::size_t i = 0; i < n; ++i) simd::store(to[i] + x, v[i]);
  }

  View<T> out_;
  Rows<T> rows_;
  alignas(64) K columns_[w][wz][width];
  alignas(64) K lists_[2][list][width];
  alignas(64) K pairs_[w == 5 ? 2 * list : 1][width];
  alignas(64) K result_[columns];
};

template <class T, int wz, int w>
void box_median(On on, View<const T> in, View<T> out, Edge edge, T fill) {
  using Tile = BoxTile<T, wz, w>;
  const Size n = out.size;
  const i64 across = (n.x + Tile::columns - 1) / Tile::columns;
  const i64 strip = std::clamp<i64>(n.y * n.z / (4 * std::max(1, on.threads)), 16, 128);
  const i64 down = (n.y + strip - 1) / strip;
  parallel_for(on, n.z * down * across, [&](i64 i) {
    Tile tile(in, out, edge, fill);
    const i64 x = i % across, y = i / across % down, z = i / across / down;
    tile.run(z, y * strip, std::min(n.y, (y + 1) * strip), x * Tile::columns);
  });
}

// ---- any footprint, by bisection ----

// A signed integer that counts neighbours and orders like the key: bytes get room for the count.
template <class K>
using Wide =
    std::conditional_t<sizeof(K) == 1, i16, std::conditional_t<std::is_same_v<K, u16>, i32, K>>;

template <class W>
constexpr W sign = std::numeric_limits<W>::min();

// For each lane the rank-th smallest of n vectors; `bits` is how many low bits tell keys apart.
// Keys are signed: the bits of the answer are found on the unsigned scale, compared on the signed.
template <class W>
simd::Vec<W> bisect(const simd::Vec<W>* keys, i64 n, i64 rank, int bits) {
  using V = simd::Vec<W>;
  using U = std::make_unsigned_t<W>;
  const bool all = bits == 8 * int(sizeof(W));
  const V flip = all ? sign<W> : W(0);
  V answer = W(0);  // on the unsigned scale
  for (int bit = bits - 1; bit >= 0; --bit) {
    const V tried = answer | V(W(U(1) << bit));
    const V limit = tried ^ flip;
    V below = W(0);
    for (i64 i = 0; i < n; ++i) below = below - simd::bits_as<W>(keys[i] < limit);
    answer = simd::select(simd::bits_as<W>(below > V(W(rank))), answer, tried);
  }
  return answer ^ flip;
}

template <class T>
void any_median(On on, View<const T> in, View<T> out, List<const i64> offsets, i64 rank, Edge edge,
                T fill) {
  using K = Key<T>;
  using W = Wide<K>;
  using V = simd::Vec<W>;
  constexpr int bits = sizeof(W) > sizeof(K) ? 8 * sizeof(K) : 8 * sizeof(W);
  const i64 n = offsets.size / 3;
  const Size size = out.size;
  parallel_for(on, size.z * size.y, [&](i64 line) {
    const i64 z = line / size.y, y = line % size.y;
    const Rows<T> rows(in, edge, fill, V::lanes);
    std::vector<const T*> row(n);
    for (i64 i = 0; i < n; ++i) row[i] = rows.row(z + offsets[3 * i], y + offsets[3 * i + 1]);
    Scratch<V> keys(n);
    K some[V::lanes];
    W wide[V::lanes];
    for (i64 x = 0; x < size.x; x += V::lanes) {
      for (i64 i = 0; i < n; ++i) {
        rows.read(row[i], x + offsets[3 * i + 2], some);
        for (int lane = 0; lane < V::lanes; ++lane) wide[lane] = some[lane];
        keys[i] = simd::load(wide);
      }
      simd::store(wide, bisect<W>(keys.data(), n, rank, bits));
      for (int lane = 0; lane < V::lanes; ++lane) some[lane] = K(wide[lane]);
      from_keys(some, out.row(z, y) + x, std::min<i64>(V::lanes, size.x - x));
    }
  });
}

}  // namespace

template <class T>
void median(On on, View<const T> in, View<T> out, List<const i64> offsets, Size box, i64 rank,
            Edge edge, T fill) {
  const bool middle = rank == box.count() / 2;
  const auto is = [&](i64 z, i64 y, i64 x) {
    return middle && box.z == z && box.y == y && box.x == x;
  };
  constexpr int lanes = simd::Vec<Key<T>>::lanes;
  if constexpr (lanes >= 2) {
    if (is(3, 3, 3)) return box_median<T, 3, 3>(on, in, out, edge, fill);
    if (is(1, 3, 3)) return box_median<T, 1, 3>(on, in, out, edge, fill);
  }
  if constexpr (lanes >= 4) {
    if (is(5, 5, 5)) return box_median<T, 5, 5>(on, in, out, edge, fill);
    if (is(1, 5, 5)) return box_median<T, 1, 5>(on, in, out, edge, fill);
  }
  any_median(on, in, out, offsets, rank, edge, fill);
}

template void median(On, View<const u8>, View<u8>, List<const i64>, Size, i64, Edge, u8);
template void median(On, View<const i16>, View<i16>, List<const i64>, Size, i64, Edge, i16);
template void median(On, View<const u16>, View<u16>, List<const i64>, Size, i64, Edge, u16);
template void median(On, View<const i32>, View<i32>, List<const i64>, Size, i64, Edge, i32);
template void median(On, View<const f32>, View<f32>, List<const i64>, Size, i64, Edge, f32);
template void median(On, View<const f64>, View<f64>, List<const i64>, Size, i64, Edge, f64);

}  // namespace voxkern::cpu
