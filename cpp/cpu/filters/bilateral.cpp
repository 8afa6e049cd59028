// Tile by tile, pair by pair: the weight of two voxels for each other is computed once, added to
// the sums of the one, and kept for a row until it is added to those of the other. Pairs with a
// voxel of another tile are looked at in both.
#include <voxkern/filters/bilateral.hpp>

#include <cpu/filters/block.hpp>
#include <cpu/filters/exp.hpp>

#include <cmath>
#include <vector>

namespace voxkern::cpu {

namespace {

// 2^(near + by * d^2) for differences d. NaN gives nothing of use.
template <class C>
struct Weight {
  using V = Vec<C>;
  V near, by;

  Weight(f64 near, f64 by) : near(C(near)), by(C(by)) {}
  static bool counts(f64) { return true; }
  V operator()(V d) const { return simd::exp2(simd::fma(d * d, by, near)); }
};

// As simd::exp2, with 2^near in the polynomial, whose parts are under way at once.
template <>
struct Weight<f32> {
  using V = Vec<f32>;
  V c[6], by, most;  // no square counts as larger: 2^-125 is the least weight

  Weight(f64 near, f64 b)
      : by(f32(std::max(b, -1e36))), most(f32((125 + near) / -std::max(b, -1e36))) {
    const f64 series[] = {1.0,
                          0.69314718802622877,
                          0.24022107485308339,
                          0.055503571142190782,
                          0.009676031918322052,
                          0.0013390863364671211};
    for (int i = 0; i < 6; ++i) c[i] = f32(series[i] * std::exp2(near));
  }
  // Beside 1, which is the centre's, less than the last bit of a sum.
  static bool counts(f64 near) { return near > -60; }
  V operator()(V d) const {
    const V magic = 12582912.0f;  // 1.5 * 2^23: what is added to it is rounded to a whole number
    const V a = simd::min(d * d, most), t = simd::fma(a, by, magic);
    const V r = simd::fma(a, by, magic - t), square = r * r;
    const V high = simd::fma(simd::fma(c[5], r, c[4]), square, simd::fma(c[3], r, c[2]));
    const V p = simd::fma(high, square, simd::fma(c[1], r, c[0]));
    return simd::bits_as<f32>(simd::bits_as<i32>(p) + (simd::bits_as<i32>(t) << 23));
  }
};

constexpr i64 together = 16;  // steps whose weights are kept, so that these stay in the cache

// Where the other voxel of a pair lies: `x` columns on from a row that many planes and rows on.
template <class C>
struct Row {
  struct Step {
    i64 x;
    Weight<C> weight;
  };
  i64 z, y;
  std::vector<Step> steps;
};

// One of each two opposite offsets, row by row.
template <class C>
std::vector<Row<C>> rows_of(List<const i64> offsets, List<const f64> near, f64 by) {
  std::vector<Row<C>> rows;
  for (i64 i = 0; i < near.size; ++i) {
    const i64 z = offsets[3 * i], y = offsets[3 * i + 1], x = offsets[3 * i + 2];
    const bool ahead = z > 0 || (z == 0 && (y > 0 || (y == 0 && x > 0)));
    if (!ahead || !Weight<C>::counts(near[i])) continue;
    if (rows.empty() || rows.back().z != z || rows.back().y != y ||
        rows.back().steps.size() == together)
      rows.push_back({z, y, {}});
    rows.back().steps.push_back({x, {near[i], by}});
  }
  return rows;
}

template <class V>
V number_or_0(V v) {
  return simd::select(v == v, v, V(0));
}

// The weights of the voxels from `here` on and those from `there` on for each other, which become
// part of the sums of the former. Where there is NaN they are 0.
template <bool nan, class C>
void compare(const C* here, const C* there, Weight<C> weight, C* weights, C* total, C* sum,
             i64 begin, i64 end) {
  using V = Vec<C>;
  for (i64 x = begin; x < end; x += V::lanes) {
    V v = simd::load(there + x);
    const V d = v - simd::load(here + x);
    V e = weight(d);
    if constexpr (nan) e = simd::select(d == d, e, C(0)), v = number_or_0(v);
    const V t = simd::fma(e, v, simd::load(total + x)), s = e + simd::load(sum + x);
    simd::store(weights + x, e);
    simd::store(total + x, t);
    simd::store(sum + x, s);
  }
}

// The same weights as part of the sums of the others, of a few vectors.
template <bool nan, int many, class C>
void give_back(const C* here, const std::vector<typename Row<C>::Step>& steps, const C* weights,
               i64 pitch, C* total, C* sum) {
  using V = Vec<C>;
  V t[many], s[many];
  for (int g = 0; g < many; ++g) {
    t[g] = simd::load(total + g * V::lanes);
    s[g] = simd::load(sum + g * V::lanes);
  }
  for (const auto& step : steps) {
    for (int g = 0; g < many; ++g) {
      const i64 at = g * V::lanes - step.x;
      const V e = simd::load(weights + at);
      V v = simd::load(here + at);
      if constexpr (nan) v = number_or_0(v);
      t[g] = simd::fma(e, v, t[g]);
      s[g] += e;
    }
    weights += pitch;
  }
  for (int g = 0; g < many; ++g) {
    simd::store(total + g * V::lanes, t[g]);
    simd::store(sum + g * V::lanes, s[g]);
  }
}
template <bool nan, class C>
void give_back(const C* here, const std::vector<typename Row<C>::Step>& steps, const C* weights,
               i64 pitch, C* total, C* sum, i64 n) {
  constexpr i64 lanes = simd::lanes<C>;
  constexpr int many = 4;
  i64 x = 0;
  for (; x + many * lanes <= n; x += many * lanes)
    give_back<nan, many>(here + x, steps, weights + x, pitch, total + x, sum + x);
  for (; x < n; x += lanes)
    give_back<nan, 1>(here + x, steps, weights + x, pitch, total + x, sum + x);
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
void filter(const Block<C>& block, const std::vector<Row<C>>& rows, Size reach,
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
        C *total = sums.total(z, y), *sum = sums.sum(z, y), *to = weights;
        for (const auto& [x, weight] : row.steps) {
          const i64 begin = x > 0 ? (x + lanes - 1) / -lanes * lanes : 0;
          compare<nan>(here, there + x, weight, to, total, sum, begin,
                       size.x - std::min<i64>(x, 0));
          to += pitch;
        }
        if (gives)
          give_back<nan, C>(here, row.steps, weights, pitch, sums.total(z + row.z, y + row.y),
                            sums.sum(z + row.z, y + row.y), size.x);
      }
}

}  // namespace

template <class T, class R>
void bilateral(On on, View<const T> x, View<R> y, List<const i64> offsets, List<const f64> near,
               Size reach, f64 by, Edge edge, f64 fill) {
  using V = Vec<R>;
  const std::vector<Row<R>> rows = rows_of<R>(offsets, near, by);
  const Size room{reach.z, reach.y, (reach.x + V::lanes - 1) / V::lanes * V::lanes};
  for_tiles(on, x.size, fitted({16, 32, 256}, x.size), [&](Size from, Size size) {
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
      filter<true>(block, rows, room, sums);
    else
      filter<false>(block, rows, room, sums);
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
