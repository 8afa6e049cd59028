// An image read at an affine map: a thread a voxel.
#include <voxkern/launch.cuh>
#include <voxkern/warp/affine.hpp>

namespace voxkern::kernel {

// The point of the image for the i-th voxel of the output.
__device__ __forceinline__ Vec3 mapped(const f64* m, i64 i, Size size) {
  const Size at = place(i, size);
  const Line z{m[0], m[1], m[2], m[3]}, y{m[4], m[5], m[6], m[7]}, x{m[8], m[9], m[10], m[11]};
  return {z.at(z.base(at.z, at.y), at.x), y.at(y.base(at.z, at.y), at.x),
          x.at(x.base(at.z, at.y), at.x)};
}

template <class T>
__global__ void affine_linear(const T* in, T* out, const f64* matrix, Size from, Size to, i64 order,
                              i64 outside, f64 fill) {
  for (i64 i = first(); i < to.count(); i += step()) {
    const Vec3 at = mapped(matrix, i, to);
    out[i] = read_linear(dense(in, from), at.z, at.y, at.x, order, outside, fill);
  }
}

template <class R, class U>
__global__ void __launch_bounds__(256, 2)
    affine_spline(const R* in, U* out, const f64* matrix, Size from, Size to, i64 order,
                  i64 outside, f64 fill) {
  for (i64 i = first(); i < to.count(); i += step()) {
    const Vec3 at = mapped(matrix, i, to);
    out[i] = read_spline<U>(dense(in, from), at.z, at.y, at.x, order, outside, fill);
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
static const voxkern::cuda::Exports exports{
    {"affine_linear<u8>", voxkern::cuda::launcher<voxkern::kernel::affine_linear<voxkern::u8>>},
    {"affine_linear<i16>", voxkern::cuda::launcher<voxkern::kernel::affine_linear<voxkern::i16>>},
    {"affine_linear<u16>", voxkern::cuda::launcher<voxkern::kernel::affine_linear<voxkern::u16>>},
    {"affine_linear<i32>", voxkern::cuda::launcher<voxkern::kernel::affine_linear<voxkern::i32>>},
    {"affine_linear<f32>", voxkern::cuda::launcher<voxkern::kernel::affine_linear<voxkern::f32>>},
    {"affine_linear<f64>", voxkern::cuda::launcher<voxkern::kernel::affine_linear<voxkern::f64>>},
    {"affine_spline<f32,u8>",
     voxkern::cuda::launcher<voxkern::kernel::affine_spline<voxkern::f32, voxkern::u8>>},
    {"affine_spline<f32,i16>",
     voxkern::cuda::launcher<voxkern::kernel::affine_spline<voxkern::f32, voxkern::i16>>},
    {"affine_spline<f32,u16>",
     voxkern::cuda::launcher<voxkern::kernel::affine_spline<voxkern::f32, voxkern::u16>>},
    {"affine_spline<f32,f32>",
     voxkern::cuda::launcher<voxkern::kernel::affine_spline<voxkern::f32, voxkern::f32>>},
    {"affine_spline<f64,i32>",
     voxkern::cuda::launcher<voxkern::kernel::affine_spline<voxkern::f64, voxkern::i32>>},
    {"affine_spline<f64,f64>",
     voxkern::cuda::launcher<voxkern::kernel::affine_spline<voxkern::f64, voxkern::f64>>},
};
#endif
