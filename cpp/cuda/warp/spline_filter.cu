// Spline coefficients: the image is copied and padded, then a thread filters a line.
#include <voxkern/launch.cuh>
#include <voxkern/warp/spline_filter.hpp>

namespace voxkern::kernel {

template <class T, class R>
__global__ void spline_copy(const T* in, R* out, Size from, Size to, Size pad, i64 outside,
                            f64 fill) {
  const View<const T> image = dense(in, from);
  for (i64 i = first(); i < to.count(); i += step()) {
    Size at = place(i, to);
    at = {at.z - pad.z, at.y - pad.y, at.x - pad.x};
    if (contains(from, at)) {
      out[i] = R(image(at.z, at.y, at.x));
    } else if (Outside(i32(outside)) == Outside::grid_constant) {
      out[i] = R(fill);
    } else {
      out[i] = R(image(inside(at.z, from.z, Edge::nearest), inside(at.y, from.y, Edge::nearest),
                       inside(at.x, from.x, Edge::nearest)));
    }
  }
}

// Along the middle axis of (before, along, after): neighbouring threads filter neighbouring lines.
template <class R>
__global__ void spline_lines(R* data, Size size, i64 order, i64 outside) {
  const Poles poles = poles_of(order);
  const Line_end end = line_end(Outside(i32(outside)));
  for (i64 i = first(); i < size.z * size.x; i += step()) {
    R* line = data + i / size.x * size.y * size.x + i % size.x;
    for (int p = 0; p < poles.count; ++p)
      filter_line(line, size.y, size.x, poles.z[p], p == 0 ? poles.gain : 1.0, end);
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
static const voxkern::cuda::Exports exports{
    {"spline_copy<u8,f32>",
     voxkern::cuda::launcher<voxkern::kernel::spline_copy<voxkern::u8, voxkern::f32>>},
    {"spline_copy<i16,f32>",
     voxkern::cuda::launcher<voxkern::kernel::spline_copy<voxkern::i16, voxkern::f32>>},
    {"spline_copy<u16,f32>",
     voxkern::cuda::launcher<voxkern::kernel::spline_copy<voxkern::u16, voxkern::f32>>},
    {"spline_copy<f32,f32>",
     voxkern::cuda::launcher<voxkern::kernel::spline_copy<voxkern::f32, voxkern::f32>>},
    {"spline_copy<i32,f64>",
     voxkern::cuda::launcher<voxkern::kernel::spline_copy<voxkern::i32, voxkern::f64>>},
    {"spline_copy<f64,f64>",
     voxkern::cuda::launcher<voxkern::kernel::spline_copy<voxkern::f64, voxkern::f64>>},
    {"spline_lines<f32>", voxkern::cuda::launcher<voxkern::kernel::spline_lines<voxkern::f32>>},
    {"spline_lines<f64>", voxkern::cuda::launcher<voxkern::kernel::spline_lines<voxkern::f64>>},
};
#endif
