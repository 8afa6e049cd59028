// Anisotropic diffusion: a thread a voxel, which computes what flows through its six faces.
#include <voxkern/filters/diffuse.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

template <class R, class T>
__device__ __forceinline__ R nearest(const T* x, Size size, i64 z, i64 y, i64 i) {
  const Size at{inside(z, size.z, Edge::nearest), inside(y, size.y, Edge::nearest),
                inside(i, size.x, Edge::nearest)};
  return R(x[offset(at, size)]);
}

// A step along the axis 0, 1 or 2.
__device__ __forceinline__ Size along(int axis) { return {axis == 0, axis == 1, axis == 2}; }
__device__ __forceinline__ f64 part(Vec3 v, int axis) {
  return axis == 0 ? v.z : axis == 1 ? v.y : v.x;
}

// What flows from `at` to the next voxel along an axis.
template <class R, class T>
__device__ __forceinline__ R flow_on(const T* x, Size size, Size at, int axis, R ahead, Vec3 scale,
                                     R by, Flow flow) {
  const Size to = along(axis);
  R square = ahead * ahead;
  if (flow != Flow::plain) {
    for (int far = 1; far < 3; ++far) {
      const int other = (axis + far) % 3;
      const Size o = along(other);
      const R across =
          (nearest<R>(x, size, at.z + o.z, at.y + o.y, at.x + o.x) -
           nearest<R>(x, size, at.z - o.z, at.y - o.y, at.x - o.x)) +
          (nearest<R>(x, size, at.z + to.z + o.z, at.y + to.y + o.y, at.x + to.x + o.x) -
           nearest<R>(x, size, at.z + to.z - o.z, at.y + to.y - o.y, at.x + to.x - o.x));
      const R slope = across * R(0.25 * part(scale, other));
      square += slope * slope;
    }
  }
  const R flown = ahead * exp2(square * by);
  if (flow == Flow::curvature) return flown / sqrt(square + R(1e-10));
  return flow == Flow::plain ? flown * R(part(scale, axis)) : flown;
}

template <class T, class R>
__global__ void diffuse(const T* x, R* y, Size size, Vec3 scale, f64 by, f64 length, i64 kind) {
  const Flow flow = Flow(i32(kind));
  for (i64 i = first(); i < size.count(); i += step()) {
    const Size at = place(i, size);
    const R here = R(x[i]);
    R speed = 0, up = 0, down = 0;
    for (int axis = 0; axis < 3; ++axis) {
      const Size o = along(axis), back{at.z - o.z, at.y - o.y, at.x - o.x};
      const R unit = R(part(scale, axis));
      const R ahead = (nearest<R>(x, size, at.z + o.z, at.y + o.y, at.x + o.x) - here) * unit;
      const R behind = (here - nearest<R>(x, size, back.z, back.y, back.x)) * unit;
      speed += flow_on(x, size, at, axis, ahead, scale, R(by), flow) -
               flow_on(x, size, back, axis, behind, scale, R(by), flow);
      const R a = most(ahead, R(0)), b = least(behind, R(0));
      const R c = least(ahead, R(0)), d = most(behind, R(0));
      up += a * a + b * b;
      down += c * c + d * d;
    }
    if (flow == Flow::curvature) speed *= sqrt(speed > 0 ? up : down);
    y[i] = here + R(length) * speed;
  }
}

template <class T>
__global__ void gradient_power(const T* x, f64* parts, Size size, Vec3 scale) {
  VOXKERN_SHARED(f64, room, 32);
  f64 sum = 0;
  for (i64 i = first(); i < size.count(); i += step()) {
    const Size at = place(i, size);
    for (int axis = 0; axis < 3; ++axis) {
      const Size o = along(axis);
      const f64 slope = (nearest<f64>(x, size, at.z + o.z, at.y + o.y, at.x + o.x) -
                         nearest<f64>(x, size, at.z - o.z, at.y - o.y, at.x - o.x)) *
                        (0.5 * part(scale, axis));
      sum += slope * slope;
    }
  }
  sum = block_sum(sum, room);
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports diffuse{
    {"diffuse<u8,f32>", launcher<kernel::diffuse<u8, f32>>},
    {"diffuse<i16,f32>", launcher<kernel::diffuse<i16, f32>>},
    {"diffuse<u16,f32>", launcher<kernel::diffuse<u16, f32>>},
    {"diffuse<i32,f64>", launcher<kernel::diffuse<i32, f64>>},
    {"diffuse<f32,f32>", launcher<kernel::diffuse<f32, f32>>},
    {"diffuse<f64,f64>", launcher<kernel::diffuse<f64, f64>>},
    {"gradient_power<u8>", launcher<kernel::gradient_power<u8>>},
    {"gradient_power<i16>", launcher<kernel::gradient_power<i16>>},
    {"gradient_power<u16>", launcher<kernel::gradient_power<u16>>},
    {"gradient_power<i32>", launcher<kernel::gradient_power<i32>>},
    {"gradient_power<f32>", launcher<kernel::gradient_power<f32>>},
    {"gradient_power<f64>", launcher<kernel::gradient_power<f64>>},
};
}  // namespace voxkern::cuda
#endif
