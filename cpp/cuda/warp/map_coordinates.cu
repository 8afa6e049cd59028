// An image read at a list of points: a thread a point.
#include <voxkern/launch.cuh>
#include <voxkern/warp/map_coordinates.hpp>

namespace voxkern::kernel {

template <class T, class C>
__global__ void points_linear(const T* in, T* out, const C* zs, const C* ys, const C* xs, Size from,
                              i64 count, i64 order, i64 outside, f64 fill) {
  for (i64 i = first(); i < count; i += step())
    out[i] = read_linear(dense(in, from), f64(zs[i]), f64(ys[i]), f64(xs[i]), order, outside, fill);
}

template <class R, class U, class C>
__global__ void __launch_bounds__(256, 2)
    points_spline(const R* in, U* out, const C* zs, const C* ys, const C* xs, Size from, i64 count,
                  i64 order, i64 outside, f64 fill) {
  for (i64 i = first(); i < count; i += step())
    out[i] =
        read_spline<U>(dense(in, from), f64(zs[i]), f64(ys[i]), f64(xs[i]), order, outside, fill);
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
static const voxkern::cuda::Exports exports{
    {"points_linear<u8,f32>",
     voxkern::cuda::launcher<voxkern::kernel::points_linear<voxkern::u8, voxkern::f32>>},
    {"points_linear<u8,f64>",
     voxkern::cuda::launcher<voxkern::kernel::points_linear<voxkern::u8, voxkern::f64>>},
    {"points_linear<i16,f32>",
     voxkern::cuda::launcher<voxkern::kernel::points_linear<voxkern::i16, voxkern::f32>>},
    {"points_linear<i16,f64>",
     voxkern::cuda::launcher<voxkern::kernel::points_linear<voxkern::i16, voxkern::f64>>},
    {"points_linear<u16,f32>",
     voxkern::cuda::launcher<voxkern::kernel::points_linear<voxkern::u16, voxkern::f32>>},
    {"points_linear<u16,f64>",
     voxkern::cuda::launcher<voxkern::kernel::points_linear<voxkern::u16, voxkern::f64>>},
    {"points_linear<i32,f32>",
     voxkern::cuda::launcher<voxkern::kernel::points_linear<voxkern::i32, voxkern::f32>>},
    {"points_linear<i32,f64>",
     voxkern::cuda::launcher<voxkern::kernel::points_linear<voxkern::i32, voxkern::f64>>},
    {"points_linear<f32,f32>",
     voxkern::cuda::launcher<voxkern::kernel::points_linear<voxkern::f32, voxkern::f32>>},
    {"points_linear<f32,f64>",
     voxkern::cuda::launcher<voxkern::kernel::points_linear<voxkern::f32, voxkern::f64>>},
    {"points_linear<f64,f32>",
     voxkern::cuda::launcher<voxkern::kernel::points_linear<voxkern::f64, voxkern::f32>>},
    {"points_linear<f64,f64>",
     voxkern::cuda::launcher<voxkern::kernel::points_linear<voxkern::f64, voxkern::f64>>},
    {"points_spline<f32,u8,f32>",
     voxkern::cuda::launcher<
         voxkern::kernel::points_spline<voxkern::f32, voxkern::u8, voxkern::f32>>},
    {"points_spline<f32,u8,f64>",
     voxkern::cuda::launcher<
         voxkern::kernel::points_spline<voxkern::f32, voxkern::u8, voxkern::f64>>},
    {"points_spline<f32,i16,f32>",
     voxkern::cuda::launcher<
         voxkern::kernel::points_spline<voxkern::f32, voxkern::i16, voxkern::f32>>},
    {"points_spline<f32,i16,f64>",
     voxkern::cuda::launcher<
         voxkern::kernel::points_spline<voxkern::f32, voxkern::i16, voxkern::f64>>},
    {"points_spline<f32,u16,f32>",
     voxkern::cuda::launcher<
         voxkern::kernel::points_spline<voxkern::f32, voxkern::u16, voxkern::f32>>},
    {"points_spline<f32,u16,f64>",
     voxkern::cuda::launcher<
         voxkern::kernel::points_spline<voxkern::f32, voxkern::u16, voxkern::f64>>},
    {"points_spline<f32,f32,f32>",
     voxkern::cuda::launcher<
         voxkern::kernel::points_spline<voxkern::f32, voxkern::f32, voxkern::f32>>},
    {"points_spline<f32,f32,f64>",
     voxkern::cuda::launcher<
         voxkern::kernel::points_spline<voxkern::f32, voxkern::f32, voxkern::f64>>},
    {"points_spline<f64,i32,f32>",
     voxkern::cuda::launcher<
         voxkern::kernel::points_spline<voxkern::f64, voxkern::i32, voxkern::f32>>},
    {"points_spline<f64,i32,f64>",
     voxkern::cuda::launcher<
         voxkern::kernel::points_spline<voxkern::f64, voxkern::i32, voxkern::f64>>},
    {"points_spline<f64,f64,f32>",
     voxkern::cuda::launcher<
         voxkern::kernel::points_spline<voxkern::f64, voxkern::f64, voxkern::f32>>},
    {"points_spline<f64,f64,f64>",
     voxkern::cuda::launcher<
         voxkern::kernel::points_spline<voxkern::f64, voxkern::f64, voxkern::f64>>},
};
#endif
