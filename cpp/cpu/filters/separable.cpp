#include <voxkern/filters/separable.hpp>

#include <cpu/filters/separable.hpp>

namespace voxkern::cpu {

template <class T>
void separable(On on, View<const T> in, View<T> out, List<const f64> wz, List<const f64> wy,
               List<const f64> wx, Size before, Edge ez, Edge ey, Edge ex, f64 fill) {
  if (in.size.count() == 0) return;
  const Taps taps[] = {{wz, before.z, ez}, {wy, before.y, ey}, {wx, before.x, ex}};
  if constexpr (sizeof(T) <= 2) {
    if (averages(taps)) return average_axes(on, in, out, taps, fill);
    if (whole(taps, fill)) return whole_axes(on, in, out, taps, fill);
  }
  correlate_axes(on, in, out, taps, fill);
}

using W = List<const f64>;
template void separable(On, View<const u8>, View<u8>, W, W, W, Size, Edge, Edge, Edge, f64);
template void separable(On, View<const i16>, View<i16>, W, W, W, Size, Edge, Edge, Edge, f64);
template void separable(On, View<const u16>, View<u16>, W, W, W, Size, Edge, Edge, Edge, f64);
template void separable(On, View<const i32>, View<i32>, W, W, W, Size, Edge, Edge, Edge, f64);
template void separable(On, View<const f32>, View<f32>, W, W, W, Size, Edge, Edge, Edge, f64);
template void separable(On, View<const f64>, View<f64>, W, W, W, Size, Edge, Edge, Edge, f64);

}  // namespace voxkern::cpu
