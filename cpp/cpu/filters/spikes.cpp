// Nothing is sorted: the box is counted.
#include <voxkern/filters/spikes.hpp>

#include <cpu/filters/block.hpp>

#include <vector>

namespace voxkern::cpu {

template <class T>
void spikes(On on, View<const T> x, View<const T> middle, View<T> y, Size reach, f64 threshold,
            f64 least, Edge edge) {
  using V = Vec<T>;
  using M = typename V::Mask;
  for_tiles(on, x.size, fitted({8, 16, 256}, x.size), [&](Size from, Size size) {
    Block<T> block(size, reach);
    block.read(x, from, size, edge);
    std::vector<i64> steps;
    for (i64 z = -reach.z; z <= reach.z; ++z)
      for (i64 j = -reach.y; j <= reach.y; ++j)
        for (i64 i = -reach.x; i <= reach.x; ++i)
          steps.push_back(block.row(z, j) + i - block.row(0, 0));
    const M half(typename M::Lane(steps.size() / 2));
    const V by = T(threshold), floor = T(least);
    for (i64 z = 0; z < size.z; ++z)
      for (i64 j = 0; j < size.y; ++j) {
        const T* row = block.row(z, j);
        const T* m = middle.row(from.z + z, from.y + j) + from.x;
        T* to = y.row(from.z + z, from.y + j) + from.x;
        for (i64 i = 0; i < size.x; i += V::lanes) {
          const int some = int(std::min<i64>(V::lanes, size.x - i));
          const V v = simd::load(row + i), centre = simd::load(m + i, some);
          const V apart = simd::abs(v - centre), near = apart / by;
          M count(0);
          for (const i64 step : steps)
            count -= simd::abs(simd::load(row + i + step) - centre) < near;
          simd::store(to + i, simd::select((apart > floor) & (count > half), centre, v), some);
        }
      }
  });
}

template void spikes(On, View<const f32>, View<const f32>, View<f32>, Size, f64, f64, Edge);
template void spikes(On, View<const f64>, View<const f64>, View<f64>, Size, f64, f64, Edge);

}  // namespace voxkern::cpu
