// Neighbours at one distance have one weight: they are added up first.
#include <voxkern/filters/frost.hpp>

#include <cpu/filters/exp.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <vector>

namespace voxkern::cpu {

template <class T>
void frost(On on, View<const T> wide, View<const T> vary, View<T> y, List<const i64> offsets,
           List<const f64> distances, f64 damping) {
  using V = Vec<T>;
  const Size n = y.size;
  const i64 count = distances.size;
  const T rate = T(std::max(-damping * 1.4426950408889634, -1e30));
  parallel_slabs(on, n.z * n.y, 4, [&](i64 begin, i64 end) {
    std::vector<const T*> near(static_cast<size_t>(count));
    for (i64 line = begin; line < end; ++line) {
      const i64 z = line / n.y, j = line % n.y;
      for (i64 t = 0; t < count; ++t) {
        const i64* by = offsets.data + 3 * t;
        near[size_t(t)] = wide.row(z + by[0], j + by[1]) + by[2];
      }
      const T* spread = vary.row(z, j);
      T* to = y.row(z, j);
      // A few vectors together, which share the walk over the neighbours.
      const auto filter = [&](i64 x, auto vectors, auto read, auto write) {
        constexpr int K = decltype(vectors)::value;
        V v[K], slope[K], sum[K], weights[K], ring[K], w[K];
        for (int k = 0; k < K; ++k) {
          v[k] = read(spread + x + k * V::lanes);
          slope[k] = simd::max(V(rate) * v[k], V(T(-1000)));
          sum[k] = weights[k] = T(0);
        }
        for (i64 t = 0; t < count;) {
          const f64 distance = distances[t];
          const i64 first = t;
          for (int k = 0; k < K; ++k) ring[k] = read(near[size_t(t)] + x + k * V::lanes);
          while (++t < count && distances[t] == distance)
            for (int k = 0; k < K; ++k)
              ring[k] = ring[k] + read(near[size_t(t)] + x + k * V::lanes);
          for (int k = 0; k < K; ++k) w[k] = slope[k] * V(T(distance));
          simd::exp2(w);
          for (int k = 0; k < K; ++k) {
            sum[k] = simd::fma(w[k], ring[k], sum[k]);
            weights[k] = simd::fma(w[k], V(T(t - first)), weights[k]);
          }
        }
        for (int k = 0; k < K; ++k)
          write(to + x + k * V::lanes, simd::select(v[k] == v[k], sum[k] / weights[k], v[k]));
      };
      const auto whole = [&](i64 x, auto vectors) {
        filter(
            x, vectors, [](const T* p) { return simd::load(p); },
            [](T* p, V result) { simd::store(p, result); });
      };
      constexpr std::integral_constant<int, 3> few{};
      constexpr std::integral_constant<int, 1> one{};
      i64 x = 0;
      for (; x + few * V::lanes <= n.x; x += few * V::lanes) whole(x, few);
      for (; x + V::lanes <= n.x; x += V::lanes) whole(x, one);
      if (x == n.x) continue;
      const int rest = int(n.x - x);
      filter(
          x, one, [=](const T* p) { return simd::load(p, rest); },
          [=](T* p, V result) { simd::store(p, result, rest); });
    }
  });
}

template void frost(On, View<const f32>, View<const f32>, View<f32>, List<const i64>,
                    List<const f64>, f64);
template void frost(On, View<const f64>, View<const f64>, View<f64>, List<const i64>,
                    List<const f64>, f64);

}  // namespace voxkern::cpu
