// Smoothed and compared in one pass over memory.
#include <voxkern/filters/unsharp.hpp>

#include <cpu/filters/separable.hpp>

namespace voxkern::cpu {

template <class T>
void unsharp(On on, View<const T> in, View<T> out, List<const f64> wz, List<const f64> wy,
             List<const f64> wx, f64 amount) {
  if (in.size.count() == 0) return;
  const Edge edge = Edge::reflect;
  const axes::Line<T> z({wz, wz.size / 2, edge}), y({wy, wy.size / 2, edge}),
      x({wx, wx.size / 2, edge});
  const Vec<T> factor{T(amount)};
  const auto finish = [&](const axes::Fields<T>& row) {
    axes::along(row.fields[0], row.spare, row.count, x, row.most, false);
    const T* from = in.row(row.z, row.y) + row.x;
    T* to = out.row(row.z, row.y) + row.x;
    const bool past = row.past && reinterpret_cast<u64>(to) % simd::bytes == 0;
    for (i64 i = 0; i < row.count; i += simd::lanes<T>) {
      const int n = int(std::min<i64>(simd::lanes<T>, row.count - i));
      const auto voxel = simd::load(from + i, n);
      const auto sharp = simd::fma(voxel - simd::load(row.spare + i), factor, voxel);
      past&& n == simd::lanes<T> ? simd::stream(to + i, sharp) : simd::store(to + i, sharp, n);
    }
  };
  axes::Stages<T> stages{{z}, {{0, y}}, x.radius, {edge, edge, edge}, 1};
  axes::Schedule<T, decltype(finish)>(on, in, std::move(stages), 0, finish).run();
}

using W = List<const f64>;
template void unsharp(On, View<const f32>, View<f32>, W, W, W, f64);
template void unsharp(On, View<const f64>, View<f64>, W, W, W, f64);

}  // namespace voxkern::cpu
