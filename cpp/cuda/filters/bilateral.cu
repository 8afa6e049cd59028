// Bilateral filter: a thread a voxel.
#include <voxkern/filters/bilateral.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

template <class T, class R>
__global__ void bilateral(const T* x, R* y, const i64* offsets, const f64* near, i64 count,
                          Size size, f64 by, i64 mode, f64 fill) {
  const Edge edge = Edge(i32(mode));
  for (i64 i = first(); i < size.count(); i += step()) {
    const Size at = place(i, size);
    const R centre = R(x[i]), factor = R(by);
    R total = 0, sum = 0;
    for (i64 n = 0; n < count; ++n) {
      const i64* o = offsets + 3 * n;
      const i64 zz = inside(at.z + o[0], size.z, edge), yy = inside(at.y + o[1], size.y, edge),
                xx = inside(at.x + o[2], size.x, edge);
      const bool outside = zz < 0 || yy < 0 || xx < 0;
      const R v = outside ? R(fill) : R(x[(zz * size.y + yy) * size.x + xx]);
      const R d = v - centre;
      if (d != d) continue;
      const R weight = exp2(R(near[n]) + d * d * factor);
      total += weight * v;
      sum += weight;
    }
    y[i] = total / sum;
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports bilateral{
    {"bilateral<u8,f32>", launcher<kernel::bilateral<u8, f32>>},
    {"bilateral<i16,f32>", launcher<kernel::bilateral<i16, f32>>},
    {"bilateral<u16,f32>", launcher<kernel::bilateral<u16, f32>>},
    {"bilateral<i32,f64>", launcher<kernel::bilateral<i32, f64>>},
    {"bilateral<f32,f32>", launcher<kernel::bilateral<f32, f32>>},
    {"bilateral<f64,f64>", launcher<kernel::bilateral<f64, f64>>},
};
}  // namespace voxkern::cuda
#endif
