// Mattes' joint histogram in integers, and the gradient by the moving image's voxels.
#include <voxkern/launch.cuh>
#include <voxkern/metrics/parzen.hpp>

namespace voxkern::kernel {

constexpr i64 shared_cells = 4096;  // 64 x 64 bins of eight bytes; more go straight to all

template <class T>
__global__ void parzen_histogram(const T* fixed, const T* moving, const u8* mask, i64* counts,
                                 i64 n, i64 bins, f64 fixed_low, f64 fixed_high, f64 moving_low,
                                 f64 moving_high) {
  VOXKERN_SHARED(i64, own, shared_cells);
  const Axis f(fixed_low, fixed_high, bins), m(moving_low, moving_high, bins);
  const i64 cells = bins * bins;
  const bool few = cells <= shared_cells;
  if (few)
    for (i64 k = threadIdx.x; k < cells; k += blockDim.x) own[k] = 0;
  __syncthreads();
  i64* to = few ? own : counts;
  for (i64 i = first(); i < n; i += step()) {
    const f64 u = f64(fixed[i]), v = f64(moving[i]);
    if ((mask && !mask[i]) || !f.takes(u) || !m.takes(v)) continue;
    const f64 place = m.place(v);
    const i64 bin = parzen_bin(place, bins), row = parzen_bin(f.place(u), bins);
    for (int k = 0; k < 4; ++k)
      atomic_add(to + row * bins + bin - 1 + k,
                 i64(cubic_weight(k, place - f64(bin)) * parzen_unit + 0.5));
  }
  __syncthreads();
  if (few)
    for (i64 k = threadIdx.x; k < cells; k += blockDim.x)
      if (own[k]) atomic_add(counts + k, own[k]);
}

template <class T, class R>
__global__ void parzen_gradient(const T* fixed, const T* moving, const u8* mask, const f64* table,
                                R* out, i64 n, i64 bins, f64 fixed_low, f64 fixed_high,
                                f64 moving_low, f64 moving_high, f64 factor) {
  const Axis f(fixed_low, fixed_high, bins), m(moving_low, moving_high, bins);
  for (i64 i = first(); i < n; i += step()) {
    const f64 u = f64(fixed[i]), v = f64(moving[i]);
    f64 sum = 0;
    if ((!mask || mask[i]) && f.takes(u) && m.takes(v)) {
      const f64 place = m.place(v);
      const i64 bin = parzen_bin(place, bins), row = parzen_bin(f.place(u), bins);
      for (int k = 0; k < 4; ++k)
        sum += cubic_slope(k, place - f64(bin)) * table[row * bins + bin - 1 + k];
    }
    out[i] = R(factor * sum);
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports parzen{
    {"parzen_histogram<u8>", launcher<kernel::parzen_histogram<u8>>},
    {"parzen_histogram<i16>", launcher<kernel::parzen_histogram<i16>>},
    {"parzen_histogram<u16>", launcher<kernel::parzen_histogram<u16>>},
    {"parzen_histogram<i32>", launcher<kernel::parzen_histogram<i32>>},
    {"parzen_histogram<f32>", launcher<kernel::parzen_histogram<f32>>},
    {"parzen_histogram<f64>", launcher<kernel::parzen_histogram<f64>>},
    {"parzen_gradient<u8,f32>", launcher<kernel::parzen_gradient<u8, f32>>},
    {"parzen_gradient<i16,f32>", launcher<kernel::parzen_gradient<i16, f32>>},
    {"parzen_gradient<u16,f32>", launcher<kernel::parzen_gradient<u16, f32>>},
    {"parzen_gradient<i32,f64>", launcher<kernel::parzen_gradient<i32, f64>>},
    {"parzen_gradient<f32,f32>", launcher<kernel::parzen_gradient<f32, f32>>},
    {"parzen_gradient<f64,f64>", launcher<kernel::parzen_gradient<f64, f64>>},
};
}  // namespace voxkern::cuda
#endif
