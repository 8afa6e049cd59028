#include <voxkern/filters/pool.hpp>
#include <voxkern/simd.hpp>

#include <cpu/parallel.hpp>

#include <algorithm>

namespace voxkern::cpu {

template <class T>
void pool(On on, View<const T> a, View<const T> b, View<T> y, i64 what, i64 how, f64 weight) {
  using V = Vec<T>;
  const Size n = y.size;
  const V share = T(weight);
  const Joins joins = Joins(what);
  const Pooling pooling = Pooling(how);
  parallel_slabs(on, n.z * n.y, 32, [&](i64 begin, i64 end) {
    for (i64 line = begin; line < end; ++line) {
      const i64 k = line / n.y, j = line % n.y;
      const T *p = a.row(k, j), *q = b.row(k, j);
      T* to = y.row(k, j);
      for (i64 i = 0; i < n.x; i += V::lanes) {
        const int some = int(std::min<i64>(V::lanes, n.x - i));
        V v = simd::load(p + i, some);
        if (joins == Joins::modulus) {
          const V w = simd::load(q + i, some);
          v = simd::sqrt(v * v + w * w);
        } else if (joins == Joins::magnitude) {
          v = simd::abs(v);
        } else if (joins == Joins::product) {
          v = v * simd::load(q + i, some);
        }
        v = v * share;
        const V there = simd::load(to + i, some);
        if (pooling == Pooling::add)
          v = there + v;
        else if (pooling == Pooling::max)
          v = simd::select((there >= v) | (there != there), there, v);
        else
          v = simd::select((there <= v) | (there != there), there, v);
        simd::store(to + i, v, some);
      }
    }
  });
}

template void pool(On, View<const f32>, View<const f32>, View<f32>, i64, i64, f64);
template void pool(On, View<const f64>, View<const f64>, View<f64>, i64, i64, f64);

}  // namespace voxkern::cpu
