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

template <class T>
__global__ void jet_eigenvalues(const T* parts, T* out, i64 voxels, i64 count) {
  for (i64 i = first(); i < voxels; i += step()) {
    const auto part = [&](i64 n) { return f64(parts[n * voxels + i]); };
    if (count == 3) {
      const auto e = eigenvalues<Scalars>(part(0), part(1), part(2));
      out[i] = T(e.low);
      out[voxels + i] = T(e.high);
    } else {
      const auto e = eigenvalues<1, Scalars>(
          Symmetric<f64>{part(0), part(1), part(2), part(3), part(4), part(5)});
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
