// Short integers under whole weights: sums that wrap in 16 bits.
#include <cpu/filters/separable.hpp>

#include <cmath>

namespace voxkern::cpu {

bool whole(const Taps (&taps)[3], f64 fill) {
  if (fill != std::rint(fill) || std::abs(fill) > 65535) return false;
  for (const Taps& axis : taps) {
    f64 total = 0;
    for (i64 n = 0; n < axis.weights.size; ++n) {
      if (axis.weights[n] != std::rint(axis.weights[n])) return false;
      total += std::abs(axis.weights[n]);
    }
    if (total > 32767) return false;  // no sum passes 2^31
  }
  return true;
}

template <class T>
void whole_axes(On on, View<const T> in, View<T> out, const Taps (&taps)[3], f64 fill) {
  correlate_axes<T, i16>(on, in, out, taps, fill);
}

template void whole_axes(On, View<const u8>, View<u8>, const Taps (&)[3], f64);
template void whole_axes(On, View<const i16>, View<i16>, const Taps (&)[3], f64);
template void whole_axes(On, View<const u16>, View<u16>, const Taps (&)[3], f64);

}  // namespace voxkern::cpu
