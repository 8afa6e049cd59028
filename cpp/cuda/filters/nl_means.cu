// Non-local means: a thread a voxel, which compares its patch with each within reach.
#include <voxkern/filters/nl_means.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

__device__ __forceinline__ f64 rough_exp(f64 distance) {
  // The float's bits, read as a number: both halves of a power of two are exact.
  const i32 steps = nlm::bits_of_exp(distance) / 8;
  const f64 part = f64(steps & ((1 << 20) - 1)) / f64(1 << 20);
  return ldexp(1.0 + part, (steps >> 20) - 127);
}

template <class R, class T>
__device__ __forceinline__ R voxel(const T* x, Size size, i64 z, i64 y, i64 xx) {
  const Size at{inside(z, size.z, Edge::mirror), inside(y, size.y, Edge::mirror),
                inside(xx, size.x, Edge::mirror)};
  return R(x[offset(at, size)]);
}

template <class T, class R>
__global__ void nl_means(const T* x, R* y, const f64* wz, const f64* wy, const f64* wx, Size size,
                         Size radius, Size reach, i64 likeness, f64 noise) {
  const Likeness kind = Likeness(i32(likeness));
  const bool squares = kind == Likeness::plain, stepped = kind == Likeness::stepped;
  const R limit = kind == Likeness::cut ? R(nlm::cut) : R(nlm::nothing);
  const R less = squares ? R(0) : R(noise);
  for (i64 i = first(); i < size.count(); i += step()) {
    const Size at = place(i, size);
    const R own = squares ? R(1) : R(nlm::alike), value = R(x[i]);
    R total = own * (squares ? value * value : value), count = own;
    for (i64 a = -reach.z; a <= reach.z; ++a) {
      for (i64 b = -reach.y; b <= reach.y; ++b) {
        for (i64 c = -reach.x; c <= reach.x; ++c) {
          if (a == 0 && b == 0 && c == 0) continue;
          if (stepped && !contains(size, {at.z + a, at.y + b, at.x + c})) continue;
          R distance = 0;
          bool far = false;
          for (i64 p = -radius.z; p <= radius.z; ++p) {
            far = far || (stepped && distance > R(nlm::cut));
            for (i64 q = -radius.y; q <= radius.y; ++q) {
              for (i64 r = -radius.x; r <= radius.x; ++r) {
                const R weight = R(wz[p + radius.z] * wy[q + radius.y] * wx[r + radius.x]);
                if (weight == 0) continue;
                const R d = voxel<R>(x, size, at.z + p, at.y + q, at.x + r) -
                            voxel<R>(x, size, at.z + p + a, at.y + q + b, at.x + r + c);
                distance += weight * (d * d - less);
              }
            }
          }
          if (far || !(distance <= limit)) continue;
          distance = most(distance, R(0));
          const R weight = squares ? exp(-distance) : R(rough_exp(f64(distance)));
          const R v = voxel<R>(x, size, at.z + a, at.y + b, at.x + c);
          total += weight * (squares ? v * v : v);
          count += weight;
        }
      }
    }
    R mean = total / count;
    if (squares) mean = mean < R(noise) ? R(0) : sqrt(mean - R(noise));
    y[i] = mean;
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports nl_means{
    {"nl_means<u8,f32>", launcher<kernel::nl_means<u8, f32>>},
    {"nl_means<i16,f32>", launcher<kernel::nl_means<i16, f32>>},
    {"nl_means<u16,f32>", launcher<kernel::nl_means<u16, f32>>},
    {"nl_means<i32,f64>", launcher<kernel::nl_means<i32, f64>>},
    {"nl_means<f32,f32>", launcher<kernel::nl_means<f32, f32>>},
    {"nl_means<f64,f64>", launcher<kernel::nl_means<f64, f64>>},
};
}  // namespace voxkern::cuda
#endif
