// Tile by tile, pair by pair: the weight of two voxels for each other is computed once, added to
// the sums of the one, and kept for a row until it is added to those of the other. Pairs with a
// voxel of another tile are looked at in both.
#include <voxkern/filters/bilateral.hpp>

#include <cpu/filters/block.hpp>
#include <cpu/filters/exp.hpp>

#include <vector>

namespace voxkern::cpu {

namespace {

constexpr int together = 5;  // neighbours along x whose weights are made in one sweep

// Where the others of some pairs lie: in a row that many planes and rows on, from `x` columns on,
// one beside the other.
template <class C>
struct Row {
  i64 z, y, x;
  int count;
  C near[together];
};

// One of each two opposite offsets, row by row.
template <class C>
std::vector<Row<C>> rows_of(List<const i64> offsets, List<const f64> near) {
  std::vector<Row<C>> rows;
  for (i64 i = 0; i < near.size; ++i) {
    const i64 z = offsets[3 * i], y = offsets[3 * i + 1], x = offsets[3 * i + 2];
    if (z < 0 || (z == 0 && (y < 0 || (y == 0 && x <= 0)))) continue;
    const bool joins = !rows.empty() && rows.back().z == z && rows.back().y == y &&
                       rows.back().x + rows.back().count == x && rows.back().count < together;
    if (!joins) rows.push_back({z, y, x, 0, {}});
    rows.back().near[rows.back().count++] = C(near[i]);
  }
  return rows;
}

template <class V>
V number_or_0(V v) {
  return simd::select(v == v, v, V(0));
}

// The weights of the voxels from `here` on and those from `there` on, there + 1 on, ... for each
// other, which become part of the sums of the former. Where there is NaN they are 0.
template <bool nan, int count, class C>
void compare(const C* here, const C* there, const C* near, C by, C* weights, i64 pitch, C* total,
             C* sum, i64 begin, i64 end) {
  using V = Vec<C>;
  V base[count];
  for (int i = 0; i < count; ++i) base[i] = near[i];
  for (i64 x = begin; x < end; x += V::lanes) {
    const V centre = simd::load(here + x);
    V e[count];
    for (int i = 0; i < count; ++i) {
      const V d = centre - simd::load(there + i + x);
      e[i] = simd::fma(d * d, by, base[i]);
    }
    simd::rough_exp2(e);
    V t[2] = {simd::load(total + x), C(0)}, s[2] = {simd::load(sum + x), C(0)};
    for (int i = 0; i < count; ++i) {
      V v = simd::load(there + i + x);
      if constexpr (nan) {
        const V d = v - centre;
        e[i] = simd::select(d == d, e[i], C(0)), v = number_or_0(v);
      }
      t[i % 2] = simd::fma(e[i], v, t[i % 2]);
      s[i % 2] += e[i];
      simd::store(weights + i * pitch + x, e[i]);
    }
    simd::store(total + x, t[0] + t[1]);
    simd::store(sum + x, s[0] + s[1]);
  }
}

// The same weights as part of the sums of the others, n voxels of a row.
template <bool nan, int count, class C>
void give_back(const C* here, const C* weights, i64 pitch, C* total, C* sum, i64 n) {
  using V = Vec<C>;
  for (i64 x = 0; x < n; x += V::lanes) {
    V t = simd::load(total + x), s = simd::load(sum + x);
    for (int i = 0; i < count; ++i) {
      const V e = simd::load(weights + i * (pitch - 1) + x);
      V v = simd::load(here - i + x);
      if constexpr (nan) v = number_or_0(v);
      t = simd::fma(e, v, t);
      s += e;
    }
    simd::store(total + x, t);
    simd::store(sum + x, s);
  }
}

// Calls use(count) with the count as a constant.
template <int most = together, class Use>
void by_count(int count, Use use) {
  if constexpr (most > 0) {
    if (count == most)
      use(std::integral_constant<int, most>{});
    else
      by_count<most - 1>(count, use);
  }
}

// The sums of a tile, of products and of weights: rows as those of a Block, one kind after the
// other, so that they never lie a whole page apart.
template <class C>
struct Sums {
  Size size;
  i64 pitch, before;
  Scratch<C> data{2 * (size.z * size.y + 1) * pitch + Block<C>::slack};

  bool has(i64 z, i64 y) const { return z >= 0 && z < size.z && y >= 0 && y < size.y; }
  // One row more takes what lies outside the tile.
  C* total(i64 z, i64 y) const {
    return data.data() + 2 * (has(z, y) ? z * size.y + y : size.z * size.y) * pitch + before;
  }
  C* sum(i64 z, i64 y) const { return total(z, y) + pitch; }
};

template <bool nan, class C>
void filter(const Block<C>& block, const std::vector<Row<C>>& rows, C by, Size reach,
            const Sums<C>& sums) {
  constexpr i64 lanes = simd::lanes<C>;
  const i64 pitch = block.pitch();
  const Size size = sums.size;
  const Scratch<C> room(together * pitch + 2 * reach.x + Block<C>::slack);
  C* weights = room.data() + reach.x;
  for (i64 z = -reach.z; z < size.z; ++z)
    for (i64 y = -reach.y; y < size.y + reach.y; ++y)
      for (const Row<C>& row : rows) {
        const bool gives = sums.has(z + row.z, y + row.y);
        if (!gives && !sums.has(z, y)) continue;
        const C *here = block.row(z, y), *there = block.row(z + row.z, y + row.y);
        const i64 last = row.x + row.count - 1;
        const i64 begin = last > 0 ? (last + lanes - 1) / -lanes * lanes : 0;
        by_count(row.count, [&](auto count) {
          compare<nan, count>(here, there + row.x, row.near, by, weights, pitch, sums.total(z, y),
                              sums.sum(z, y), begin, size.x - std::min<i64>(row.x, 0));
          if (gives)
            give_back<nan, count>(here - row.x, weights - row.x, pitch,
                                  sums.total(z + row.z, y + row.y), sums.sum(z + row.z, y + row.y),
                                  size.x);
        });
      }
}

}  // namespace

template <class T, class R>
void bilateral(On on, View<const T> x, View<R> y, List<const i64> offsets, List<const f64> near,
               Size reach, f64 by, Edge edge, f64 fill) {
  using V = Vec<R>;
  const std::vector<Row<R>> rows = rows_of<R>(offsets, near);
  const Size room{reach.z, reach.y, (reach.x + V::lanes - 1) / V::lanes * V::lanes};
  for_tiles(on, x.size, fitted({16, 16, 256}, x.size), [&](Size from, Size size) {
    Block<R> block(size, room);
    block.read(x, from, size, edge, R(fill));
    const bool nan = std::is_floating_point_v<T> && block.has_nan(-reach.z, size.z + reach.z);
    const Sums<R> sums{size, block.pitch(), room.x};
    const auto each_row = [&](auto use) {
      for (i64 z = 0; z < size.z; ++z)
        for (i64 j = 0; j < size.y; ++j) use(z, j, sums.total(z, j), sums.sum(z, j));
    };
    // A voxel's weight for itself is 1.
    each_row([&](i64 z, i64 j, R* total, R* sum) {
      for (i64 i = 0; i < size.x; i += V::lanes) {
        const V v = simd::load(block.row(z, j) + i);
        simd::store(total + i, number_or_0(v));
        simd::store(sum + i, simd::select(v == v, V(1), R(0)));
      }
    });
    if (nan)
      filter<true>(block, rows, R(by), room, sums);
    else
      filter<false>(block, rows, R(by), room, sums);
    each_row([&](i64 z, i64 j, const R* total, const R* sum) {
      R* to = y.row(from.z + z, from.y + j) + from.x;
      for (i64 i = 0; i < size.x; i += V::lanes)
        simd::store(to + i, simd::load(total + i) / simd::load(sum + i),
                    int(std::min<i64>(V::lanes, size.x - i)));
    });
  });
}

using Offsets = List<const i64>;
using Near = List<const f64>;
template void bilateral(On, View<const u8>, View<f32>, Offsets, Near, Size, f64, Edge, f64);
template void bilateral(On, View<const i16>, View<f32>, Offsets, Near, Size, f64, Edge, f64);
template void bilateral(On, View<const u16>, View<f32>, Offsets, Near, Size, f64, Edge, f64);
template void bilateral(On, View<const i32>, View<f64>, Offsets, Near, Size, f64, Edge, f64);
template void bilateral(On, View<const f32>, View<f32>, Offsets, Near, Size, f64, Edge, f64);
template void bilateral(On, View<const f64>, View<f64>, Offsets, Near, Size, f64, Edge, f64);

}  // namespace voxkern::cpu
