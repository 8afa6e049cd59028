// Averages of short integers: sums in float32 that are checked.
#include <cpu/filters/separable.hpp>

namespace voxkern::cpu {

bool averages(const Taps (&taps)[3]) {
  for (const Taps& axis : taps) {
    const axes::Line<f32> line(axis);
    if (!line.averages || line.kind != axes::Kind::even) return false;
  }
  return true;
}

template <class T>
void average_axes(On on, View<const T> in, View<T> out, const Taps (&taps)[3], f64 fill) {
  correlate_axes<T, f32>(on, in, out, taps, fill);
}

template void average_axes(On, View<const u8>, View<u8>, const Taps (&)[3], f64);
template void average_axes(On, View<const i16>, View<i16>, const Taps (&)[3], f64);
template void average_axes(On, View<const u16>, View<u16>, const Taps (&)[3], f64);

}  // namespace voxkern::cpu
