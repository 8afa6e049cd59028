// The measure of a voxel from the parts of its Hessian, which lie one after the other, `count` of
// `voxels` each.
#include <voxkern/filters/ridge.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

template <class T>
__device__ void join(T* out, f64 v, bool more) {
  const T there = *out;
  *out = more && (there != there || f64(there) > v) ? there : T(v);
}

// `norms` may be null.
template <class T>
__global__ void ridge(const T* parts, T* out, T* norms, i64 voxels, i64 count, i64 kind, f64 bright,
                      i64 dimension, i64 scaled, f64 alpha, f64 beta, f64 gamma, i64 more) {
  const Measure how{Ridge(kind), bright, dimension, scaled != 0,
                    alpha,       beta,   gamma,     norms != nullptr};
  for (i64 i = first(); i < voxels; i += step()) {
    const auto part = [&](i64 n) { return f64(parts[n * voxels + i]); };
    f64 v, norm;
    if (count == 3) {
      const auto e = eigenvalues<Scalars>(part(0), part(1), part(2));
      v = ridge_of<false, Scalars>(e, how), norm = norm_of<false, Scalars>(e);
    } else {
      const Symmetric<f64> matrix{part(0), part(1), part(2), part(3), part(4), part(5)};
      const auto e = eigenvalues<1, Scalars>(matrix);
      v = ridge_of<true, Scalars>(e, how), norm = norm_of<true, Scalars>(e);
    }
    join(out + i, v, more);
    if (norms) norms[i] = T(norm);
  }
}

template <class T>
__global__ void strengthen(const T* in, const T* norms, T* out, i64 voxels, f64 gamma, i64 more) {
  for (i64 i = first(); i < voxels; i += step()) {
    const f64 share = f64(norms[i]) / gamma;
    join(out + i, f64(in[i]) * strong_of<Scalars>(share * share), more);
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
    {"strengthen<f32>", launcher<kernel::strengthen<f32>>},
    {"strengthen<f64>", launcher<kernel::strengthen<f64>>},
};
#endif
