#include <voxkern/filters/pool.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

template <class T>
__global__ void pool(const T* a, const T* b, T* y, i64 size, i64 what, i64 how, f64 weight) {
  const T share = T(weight);
  for (i64 i = first(); i < size; i += step()) {
    T v = a[i];
    if (Joins(what) == Joins::modulus)
      v = sqrt(v * v + b[i] * b[i]);
    else if (Joins(what) == Joins::magnitude)
      v = v < T(0) ? -v : v;
    else if (Joins(what) == Joins::product)
      v = v * b[i];
    v = v * share;
    const T there = y[i];
    if (Pooling(how) == Pooling::add)
      y[i] = there + v;
    else if (Pooling(how) == Pooling::max)
      y[i] = there >= v || there != there ? there : v;
    else
      y[i] = there <= v || there != there ? there : v;
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports pool{
    {"pool<f32>", launcher<kernel::pool<f32>>},
    {"pool<f64>", launcher<kernel::pool<f64>>},
};
}  // namespace voxkern::cuda
#endif
