// Products that are made where they are summed, and never meet memory.
#include <voxkern/filters/smooth_products.hpp>

#include <cpu/filters/separable.hpp>

namespace voxkern::cpu {

template <class T>
void smooth_products(On on, View<const T> in, View<T> out, List<const f64> wz, List<const f64> wy,
                     List<const f64> wx, Size before, Edge ez, Edge ey, Edge ex, f64 fill) {
  if (out.size.count() == 0) return;
  const i64 images = 2 * out.size.z / in.size.z - 1, planes = in.size.z / images;
  const Taps taps[] = {{wz, before.z, ez}, {wy, before.y, ey}, {wx, before.x, ex}};
  const auto part = [&](auto of, i64 n) {
    of.data += n * planes * of.step.z;
    of.size.z = planes;
    return of;
  };
  i64 done = 0;
  for (i64 p = 0; p < images; ++p)
    for (i64 q = p; q < images; ++q)
      correlate_axes(on, part(in, p), part(out, done++), taps, fill, part(in, q));
}

using W = List<const f64>;
template void smooth_products(On, View<const f32>, View<f32>, W, W, W, Size, Edge, Edge, Edge, f64);
template void smooth_products(On, View<const f64>, View<f64>, W, W, W, Size, Edge, Edge, Edge, f64);

}  // namespace voxkern::cpu
