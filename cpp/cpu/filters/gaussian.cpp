#include <voxkern/filters/gaussian.hpp>

#include <cpu/filters/separable.hpp>

namespace voxkern::cpu {

template <class T>
void gaussian(On on, View<const T> in, View<T> out, List<const f64> wz, List<const f64> wy,
              List<const f64> wx, Edge ez, Edge ey, Edge ex, f64 fill) {
  correlate(on, in, out, {{wz, ez}, {wy, ey}, {wx, ex}}, fill);
}

using Weights = List<const f64>;
template void gaussian(On, View<const u8>, View<u8>, Weights, Weights, Weights, Edge, Edge, Edge,
                       f64);
template void gaussian(On, View<const i16>, View<i16>, Weights, Weights, Weights, Edge, Edge, Edge,
                       f64);
template void gaussian(On, View<const u16>, View<u16>, Weights, Weights, Weights, Edge, Edge, Edge,
                       f64);
template void gaussian(On, View<const i32>, View<i32>, Weights, Weights, Weights, Edge, Edge, Edge,
                       f64);
template void gaussian(On, View<const f32>, View<f32>, Weights, Weights, Weights, Edge, Edge, Edge,
                       f64);
template void gaussian(On, View<const f64>, View<f64>, Weights, Weights, Weights, Edge, Edge, Edge,
                       f64);

}  // namespace voxkern::cpu
