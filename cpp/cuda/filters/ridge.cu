// The measure of a voxel from the parts of its Hessian, which lie one after the other, `count` of
// `voxels` each.
#include <voxkern/filters/ridge.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

template <class T>
__global__ void ridge(const T* parts, T* out, i64 voxels, i64 count, i64 kind, f64 bright,
                      i64 dimension, i64 scaled, f64 alpha, f64 beta, f64 gamma, i64 more) {
  const Measure how{Ridge(kind), bright, dimension, scaled != 0, alpha, beta, gamma};
  for (i64 i = first(); i < voxels; i += step()) {
    const auto part = [&](i64 n) { return f64(parts[n * voxels + i]); };
    f64 v;
    if (count == 3) {
      v = ridge_of<false, Scalars>(eigenvalues<Scalars>(part(0), part(1), part(2)), how);
    } else {
      const Symmetric<f64> matrix{part(0), part(1), part(2), part(3), part(4), part(5)};
      v = ridge_of<true, Scalars>(eigenvalues<1, Scalars>(matrix), how);
    }
    const T there = out[i];
    out[i] = more && (there != there || f64(there) > v) ? there : T(v);
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
using namespace voxkern;
using voxkern::cuda::launcher;
static const voxkern::cuda::Exports exports{
    {"ridge<f32>", launcher<kernel::ridge<f32>>},
    {"ridge<f64>", launcher<kernel::ridge<f64>>},
};
#endif
