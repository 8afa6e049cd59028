// What is made of the derivatives of a volume, voxel by voxel. `parts` holds them one after the
// other, `count` of `voxels` each.
#include <voxkern/filters/jet.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

template <class T>
__global__ void jet_sum(const T* parts, T* out, i64 voxels, i64 count, i64 squares) {
  for (i64 i = first(); i < voxels; i += step()) {
    f64 sum = 0;
    for (i64 n = 0; n < count; ++n) {
      const f64 part = f64(parts[n * voxels + i]);
      sum += squares ? part * part : part;
    }
    out[i] = T(squares ? sqrt(sum) : sum);
  }
}

// See jet.hpp.
__device__ __forceinline__ Eigenvalues<f64> eigenvalues(f64 zz, f64 zy, f64 zx, f64 yy, f64 yx,
                                                        f64 xx) {
  const f64 mean = (zz + yy + xx) / 3;
  zz -= mean, yy -= mean, xx -= mean;
  const f64 off = zy * zy + zx * zx + yx * yx;
  const f64 p = sqrt((zz * zz + yy * yy + xx * xx + 2 * off) / 6);
  const f64 scale = 1 / most(p, 1e-150);
  const f64 a = zz * scale, b = zy * scale, c = zx * scale, d = yy * scale, e = yx * scale,
            f = xx * scale;
  const f64 half = 0.5 * (a * (d * f - e * e) - b * (b * f - e * c) + c * (b * e - d * c));
  const f64 u = most(1 - fabs(half), 0.0);
  f64 w = u * (0.11109175 + u * (0.01682435 + u * (0.00278882 + u * 0.00324404)));
  for (int n = 0; n < 2; ++n) w -= (w * (9 + w * (4 * w - 12)) - u) / (9 + w * (12 * w - 24));
  const f64 side = p * sqrt(3 * w * (2 - w)), near = p * (1 - w), outer = 2 * near;
  if (half >= 0) return {mean - near - side, mean - near + side, mean + outer};
  return {mean - outer, mean + near - side, mean + near + side};
}

template <class T>
__global__ void jet_eigenvalues(const T* parts, T* out, i64 voxels, i64 count) {
  for (i64 i = first(); i < voxels; i += step()) {
    const auto part = [&](i64 n) { return f64(parts[n * voxels + i]); };
    if (count == 3) {
      const f64 mean = 0.5 * (part(0) + part(2)), half = 0.5 * (part(0) - part(2));
      const f64 side = sqrt(half * half + part(1) * part(1));
      out[i] = T(mean - side);
      out[voxels + i] = T(mean + side);
    } else {
      const Eigenvalues<f64> e = eigenvalues(part(0), part(1), part(2), part(3), part(4), part(5));
      out[i] = T(e.low);
      out[voxels + i] = T(e.middle);
      out[2 * voxels + i] = T(e.high);
    }
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
using namespace voxkern;
using voxkern::cuda::launcher;
static const voxkern::cuda::Exports exports{
    {"jet_sum<f32>", launcher<kernel::jet_sum<f32>>},
    {"jet_sum<f64>", launcher<kernel::jet_sum<f64>>},
    {"jet_eigenvalues<f32>", launcher<kernel::jet_eigenvalues<f32>>},
    {"jet_eigenvalues<f64>", launcher<kernel::jet_eigenvalues<f64>>},
};
#endif
