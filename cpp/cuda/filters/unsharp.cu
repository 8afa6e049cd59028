// The last step of unsharp masking.
#include <voxkern/filters/unsharp.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

// `out` comes as the smooth image.
template <class T>
__global__ void unsharp(const T* in, T* out, i64 voxels, f64 amount) {
  for (i64 i = first(); i < voxels; i += step()) {
    const f64 voxel = f64(in[i]);
    out[i] = T(voxel + amount * (voxel - f64(out[i])));
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
using namespace voxkern;
using voxkern::cuda::launcher;
static const voxkern::cuda::Exports exports{
    {"unsharp<f32>", launcher<kernel::unsharp<f32>>},
    {"unsharp<f64>", launcher<kernel::unsharp<f64>>},
};
#endif
