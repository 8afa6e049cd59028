// Tile by tile, two vectors of neighbouring voxels at a time, which go through the neighbourhood
// together.
#include <voxkern/filters/bilateral.hpp>

#include <cpu/filters/block.hpp>
#include <cpu/filters/exp.hpp>

#include <vector>

namespace voxkern::cpu {

namespace {

// to[x] for n voxels from `at` on. Where there is NaN it has no weight.
template <bool nan, class C>
void filter_row(const C* at, C* to, i64 n, const std::vector<i64>& steps,
                const std::vector<C>& near, C by) {
  using V = Vec<C>;
  constexpr int group = 2;
  const i64 count = i64(steps.size());
  const i64* step = steps.data();
  const C* weight = near.data();
  for (i64 x = 0; x < n; x += group * V::lanes) {
    V centre[group], total[group], sum[group];
    for (int g = 0; g < group; ++g) {
      centre[g] = simd::load(at + x + g * V::lanes);
      total[g] = sum[g] = V(C(0));
    }
    for (i64 i = 0; i < count; ++i) {
      const C* from = at + x + step[i];
      const V base = weight[i];
      for (int g = 0; g < group; ++g) {
        V v = simd::load(from + g * V::lanes);
        const V d = v - centre[g];
        V e = simd::exp2(simd::fma(d * d, by, base));
        if constexpr (nan) {
          e = simd::select(d == d, e, C(0));
          v = simd::select(v == v, v, C(0));
        }
        total[g] = simd::fma(e, v, total[g]);
        sum[g] += e;
      }
    }
    for (int g = 0; g < group; ++g) {
      const i64 left = n - x - g * V::lanes;
      if (left > 0)
        simd::store(to + x + g * V::lanes, total[g] / sum[g], int(std::min<i64>(V::lanes, left)));
    }
  }
}

}  // namespace

template <class T, class R>
void bilateral(On on, View<const T> x, View<R> y, List<const i64> offsets, List<const f64> near,
               Size reach, f64 by, Edge edge, f64 fill) {
  const std::vector<R> weights(near.data, near.data + near.size);
  for_tiles(on, x.size, fitted({8, 16, 256}, x.size), [&](Size from, Size size) {
    Block<R> block(size, reach);
    block.read(x, from, size, edge, R(fill));
    std::vector<i64> steps(weights.size());
    for (size_t i = 0; i < steps.size(); ++i)
      steps[i] =
          block.row(offsets[3 * i], offsets[3 * i + 1]) + offsets[3 * i + 2] - block.row(0, 0);
    const bool nan = std::is_floating_point_v<T> && block.has_nan(-reach.z, size.z + reach.z);
    for (i64 z = 0; z < size.z; ++z)
      for (i64 j = 0; j < size.y; ++j) {
        R* to = y.row(from.z + z, from.y + j) + from.x;
        if (nan)
          filter_row<true>(block.row(z, j), to, size.x, steps, weights, R(by));
        else
          filter_row<false>(block.row(z, j), to, size.x, steps, weights, R(by));
      }
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
