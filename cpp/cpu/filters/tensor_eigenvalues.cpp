#include <voxkern/filters/jet.hpp>
#include <voxkern/filters/tensor_eigenvalues.hpp>

#include <cpu/filters/lanes.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>

namespace voxkern::cpu {

template <class T>
void tensor_eigenvalues(On on, View<const T> in, View<T> out) {
  if (out.size.count() == 0) return;
  using V = Vec<T>;
  const bool solid = in.size.z == 2 * out.size.z;
  const i64 planes = out.size.z / (solid ? 3 : 2), rows = out.size.y;
  parallel_slabs(on, planes * rows, 16, [&](i64 begin, i64 end) {
    for (i64 row = begin; row < end; ++row) {
      const i64 z = row / rows, y = row % rows;
      for (i64 x = 0; x < out.size.x; x += V::lanes) {
        const int n = int(std::min<i64>(V::lanes, out.size.x - x));
        const auto m = [&](i64 part) { return simd::load(in.row(part * planes + z, y) + x, n); };
        const auto put = [&](i64 part, V v) {
          simd::store(out.row(part * planes + z, y) + x, v, n);
        };
        if (solid) {
          const auto e =
              eigenvalues<sizeof(T) / 8, Lanes>(Symmetric<V>{m(0), m(1), m(2), m(3), m(4), m(5)});
          put(0, e.high), put(1, e.middle), put(2, e.low);
        } else {
          const auto e = eigenvalues<Lanes>(m(0), m(1), m(2));
          put(0, e.high), put(1, e.low);
        }
      }
    }
  });
}

template void tensor_eigenvalues(On, View<const f32>, View<f32>);
template void tensor_eigenvalues(On, View<const f64>, View<f64>);

}  // namespace voxkern::cpu
