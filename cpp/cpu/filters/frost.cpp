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
      const auto at = [&](auto read, i64 x) {
        const V v = read(spread + x), slope = simd::max(V(rate) * v, V(T(-1000)));
        V sum = T(0), weights = T(0);
        for (i64 t = 0; t < count;) {
          const f64 distance = distances[t];
          const i64 first = t;
          V ring = read(near[size_t(t)] + x);
          while (++t < count && distances[t] == distance) ring = ring + read(near[size_t(t)] + x);
          const V w = simd::exp2(slope * V(T(distance)));
          sum = simd::fma(w, ring, sum);
          weights = simd::fma(w, V(T(t - first)), weights);
        }
        return simd::select(v == v, sum / weights, v);
      };
      i64 x = 0;
      for (; x + V::lanes <= n.x; x += V::lanes)
        simd::store(to + x, at([](const T* p) { return simd::load(p); }, x));
      if (x == n.x) continue;
      const int rest = int(n.x - x);
      simd::store(to + x, at([=](const T* p) { return simd::load(p, rest); }, x), rest);
    }
  });
}

template void frost(On, View<const f32>, View<const f32>, View<f32>, List<const i64>,
                    List<const f64>, f64);
template void frost(On, View<const f64>, View<const f64>, View<f64>, List<const i64>,
                    List<const f64>, f64);

}  // namespace voxkern::cpu
