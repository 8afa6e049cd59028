// An image read on a grid along its axes: a thread a voxel.
#include <voxkern/launch.cuh>
#include <voxkern/warp/zoom.hpp>

namespace voxkern::kernel {

template <class T>
__global__ void zoom_linear(const T* in, T* out, const f64* zs, const f64* ys, const f64* xs,
                            Size from, Size to, i64 order, i64 outside, f64 fill) {
  for (i64 i = first(); i < to.count(); i += step()) {
    const Size at = place(i, to);
    out[i] = read_linear(dense(in, from), zs[at.z], ys[at.y], xs[at.x], order, outside, fill);
  }
}

template <class R, class U>
__global__ void zoom_spline(const R* in, U* out, const f64* zs, const f64* ys, const f64* xs,
                            Size from, Size to, i64 order, i64 outside, f64 fill) {
  for (i64 i = first(); i < to.count(); i += step()) {
    const Size at = place(i, to);
    out[i] = read_spline<U>(dense(in, from), zs[at.z], ys[at.y], xs[at.x], order, outside, fill);
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
static const voxkern::cuda::Exports exports{
    {"zoom_linear<u8>", voxkern::cuda::launcher<voxkern::kernel::zoom_linear<voxkern::u8>>},
    {"zoom_linear<i16>", voxkern::cuda::launcher<voxkern::kernel::zoom_linear<voxkern::i16>>},
    {"zoom_linear<u16>", voxkern::cuda::launcher<voxkern::kernel::zoom_linear<voxkern::u16>>},
    {"zoom_linear<i32>", voxkern::cuda::launcher<voxkern::kernel::zoom_linear<voxkern::i32>>},
    {"zoom_linear<f32>", voxkern::cuda::launcher<voxkern::kernel::zoom_linear<voxkern::f32>>},
    {"zoom_linear<f64>", voxkern::cuda::launcher<voxkern::kernel::zoom_linear<voxkern::f64>>},
    {"zoom_spline<f32,u8>",
     voxkern::cuda::launcher<voxkern::kernel::zoom_spline<voxkern::f32, voxkern::u8>>},
    {"zoom_spline<f32,i16>",
     voxkern::cuda::launcher<voxkern::kernel::zoom_spline<voxkern::f32, voxkern::i16>>},
    {"zoom_spline<f32,u16>",
     voxkern::cuda::launcher<voxkern::kernel::zoom_spline<voxkern::f32, voxkern::u16>>},
    {"zoom_spline<f32,f32>",
     voxkern::cuda::launcher<voxkern::kernel::zoom_spline<voxkern::f32, voxkern::f32>>},
    {"zoom_spline<f64,i32>",
     voxkern::cuda::launcher<voxkern::kernel::zoom_spline<voxkern::f64, voxkern::i32>>},
    {"zoom_spline<f64,f64>",
     voxkern::cuda::launcher<voxkern::kernel::zoom_spline<voxkern::f64, voxkern::f64>>},
};
#endif
