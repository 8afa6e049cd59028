// Total variation: a thread a voxel. A step is two launches, since the second reads what the
// neighbours wrote in the first.
#include <voxkern/filters/tv.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

// Minus the divergence of a field at the i-th voxel.
template <class R>
__device__ __forceinline__ R inflow(const R* pz, const R* py, const R* px, Size size, Size at,
                                    i64 i) {
  const R z = (at.z > 0 ? pz[i - size.y * size.x] : R(0)) - pz[i];
  const R y = (at.y > 0 ? py[i - size.x] : R(0)) - py[i];
  const R x = (at.x > 0 ? px[i - 1] : R(0)) - px[i];
  return z + y + x;
}

// Forward differences, 0 at the far borders.
template <class R>
struct Slopes {
  R z, y, x;
  __device__ Slopes(const R* u, Size size, Size at, i64 i)
      : z(at.z + 1 < size.z ? u[i + size.y * size.x] - u[i] : R(0)),
        y(at.y + 1 < size.y ? u[i + size.x] - u[i] : R(0)),
        x(at.x + 1 < size.x ? u[i + 1] - u[i] : R(0)) {}
};

template <class T, class R>
__global__ void tv_image(const T* x, const R* pz, const R* py, const R* px, R* u, f64* parts,
                         Size size) {
  VOXKERN_SHARED(f64, room, 32);
  f64 sum = 0;
  for (i64 i = first(); i < size.count(); i += step()) {
    const R d = inflow(pz, py, px, size, place(i, size), i);
    u[i] = R(x[i]) + d;
    sum += f64(d) * f64(d);
  }
  sum = block_sum(sum, room);
  if (threadIdx.x == 0) parts[2 * blockIdx.x] = sum;
}

template <class R>
__global__ void tv_project(R* pz, R* py, R* px, const R* u, f64* parts, Size size, Vec3 scale,
                           f64 weight, f64 length) {
  VOXKERN_SHARED(f64, room, 32);
  const R by = R(length), grow = R(length / weight);
  const R sz = R(scale.z), sy = R(scale.y), sx = R(scale.x);
  f64 sum = 0;
  for (i64 i = first(); i < size.count(); i += step()) {
    const Slopes<R> g(u, size, place(i, size), i);
    const R a = sz * g.z, b = sy * g.y, c = sx * g.x;
    const R slope = sqrt(a * g.z + b * g.y + c * g.x), shrink = R(1) / (slope * grow + R(1));
    pz[i] = (pz[i] - by * a) * shrink;
    py[i] = (py[i] - by * b) * shrink;
    px[i] = (px[i] - by * c) * shrink;
    sum += f64(slope);
  }
  sum = block_sum(sum, room);
  if (threadIdx.x == 0) parts[2 * blockIdx.x + 1] = sum;
}

template <class R>
__global__ void tv_dual(const R* ahead, R* pz, R* py, R* px, Size size, Vec3 scale, f64 weight,
                        f64 length) {
  const R share = R(1 / weight);
  const R tz = R(length * scale.z), ty = R(length * scale.y), tx = R(length * scale.x);
  const R lz = R(1 / scale.z), ly = R(1 / scale.y), lx = R(1 / scale.x);
  for (i64 i = first(); i < size.count(); i += step()) {
    const Slopes<R> g(ahead, size, place(i, size), i);
    const R a = pz[i] + tz * g.z, b = py[i] + ty * g.y, c = px[i] + tx * g.x;
    const R cut = R(1) / most(sqrt(a * a * lz + b * b * ly + c * c * lx) * share, R(1));
    pz[i] = a * cut;
    py[i] = b * cut;
    px[i] = c * cut;
  }
}

template <class T, class R>
__global__ void tv_primal(const T* x, const R* pz, const R* py, const R* px, R* u, R* ahead,
                          f64* parts, Size size, f64 length, f64 beyond) {
  VOXKERN_SHARED(f64, room, 32);
  const R by = R(length), share = R(1 / (1 + length)), more = R(beyond);
  f64 sum = 0;
  for (i64 i = first(); i < size.count(); i += step()) {
    const R was = u[i], aim = R(x[i]) - inflow(pz, py, px, size, place(i, size), i);
    const R now = (was + by * aim) * share;
    u[i] = now;
    ahead[i] = now + more * (now - was);
    sum += f64(now - was) * f64(now - was);
  }
  sum = block_sum(sum, room);
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports tv{
    {"tv_image<u8,f32>", launcher<kernel::tv_image<u8, f32>>},
    {"tv_image<i16,f32>", launcher<kernel::tv_image<i16, f32>>},
    {"tv_image<u16,f32>", launcher<kernel::tv_image<u16, f32>>},
    {"tv_image<i32,f64>", launcher<kernel::tv_image<i32, f64>>},
    {"tv_image<f32,f32>", launcher<kernel::tv_image<f32, f32>>},
    {"tv_image<f64,f64>", launcher<kernel::tv_image<f64, f64>>},
    {"tv_project<f32>", launcher<kernel::tv_project<f32>>},
    {"tv_project<f64>", launcher<kernel::tv_project<f64>>},
    {"tv_dual<f32>", launcher<kernel::tv_dual<f32>>},
    {"tv_dual<f64>", launcher<kernel::tv_dual<f64>>},
    {"tv_primal<u8,f32>", launcher<kernel::tv_primal<u8, f32>>},
    {"tv_primal<i16,f32>", launcher<kernel::tv_primal<i16, f32>>},
    {"tv_primal<u16,f32>", launcher<kernel::tv_primal<u16, f32>>},
    {"tv_primal<i32,f64>", launcher<kernel::tv_primal<i32, f64>>},
    {"tv_primal<f32,f32>", launcher<kernel::tv_primal<f32, f32>>},
    {"tv_primal<f64,f64>", launcher<kernel::tv_primal<f64, f64>>},
};
}  // namespace voxkern::cuda
#endif
