#include <voxkern/filters/rescale.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

template <class T, class R>
__global__ void rescale(const T* x, R* y, i64 n, f64 low, f64 high, f64 offset, f64 width, f64 span,
                        f64 bottom, f64 lowest, f64 highest) {
  for (i64 i = first(); i < n; i += step())
    y[i] = settled<R>((clipped(f64(x[i]), low, high) - offset) / width * span + bottom, lowest,
                      highest);
}

template <class T>
__global__ void clip(const T* x, T* y, i64 n, f64 low, f64 high) {
  for (i64 i = first(); i < n; i += step()) y[i] = T(clipped(f64(x[i]), low, high));
}

template <class T>
__global__ void shifted_sums(const T* x, const u8* mask, f64 centre, f64* parts, i64 n) {
  VOXKERN_SHARED(f64, room, 32);
  f64 sums[3] = {};
  for (i64 i = first(); i < n; i += step()) {
    const f64 v = f64(x[i]);
    if ((mask && !mask[i]) || v != v) continue;
    sums[0] += 1;
    sums[1] += v - centre;
    sums[2] += (v - centre) * (v - centre);
  }
  for (int k = 0; k < 3; ++k) {
    const f64 sum = block_sum(sums[k], room);
    if (threadIdx.x == 0) parts[3 * blockIdx.x + k] = sum;
  }
}

template <class T, class R>
__global__ void interp(const T* x, R* y, i64 n, const f64* knots, const f64* values, i64 count) {
  for (i64 i = first(); i < n; i += step()) {
    const f64 v = f64(x[i]);
    y[i] = R(on_line(v, knots, values, count, v == v ? knot_of(v, knots, count) : 0));
  }
}

template <class T, class R>
__global__ void power(const T* x, R* y, i64 n, f64 low, f64 high, f64 width, f64 exponent, f64 span,
                      f64 bottom) {
  for (i64 i = first(); i < n; i += step()) {
    const f64 t = (clipped(f64(x[i]), low, high) - low) / width;
    y[i] = R(pow(t, exponent) * span + bottom);
  }
}

template <class T, class R>
__global__ void lookup(const T* x, R* y, i64 n, const R* table, i64 lowest) {
  for (i64 i = first(); i < n; i += step()) y[i] = table[i64(x[i]) - lowest];
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports rescale{
    {"rescale<u8,u8>", launcher<kernel::rescale<u8, u8>>},
    {"rescale<u8,f32>", launcher<kernel::rescale<u8, f32>>},
    {"rescale<u8,f64>", launcher<kernel::rescale<u8, f64>>},
    {"rescale<i16,u8>", launcher<kernel::rescale<i16, u8>>},
    {"rescale<i16,f32>", launcher<kernel::rescale<i16, f32>>},
    {"rescale<i16,f64>", launcher<kernel::rescale<i16, f64>>},
    {"rescale<u16,u8>", launcher<kernel::rescale<u16, u8>>},
    {"rescale<u16,f32>", launcher<kernel::rescale<u16, f32>>},
    {"rescale<u16,f64>", launcher<kernel::rescale<u16, f64>>},
    {"rescale<i32,u8>", launcher<kernel::rescale<i32, u8>>},
    {"rescale<i32,f32>", launcher<kernel::rescale<i32, f32>>},
    {"rescale<i32,f64>", launcher<kernel::rescale<i32, f64>>},
    {"rescale<f32,u8>", launcher<kernel::rescale<f32, u8>>},
    {"rescale<f32,f32>", launcher<kernel::rescale<f32, f32>>},
    {"rescale<f32,f64>", launcher<kernel::rescale<f32, f64>>},
    {"rescale<f64,u8>", launcher<kernel::rescale<f64, u8>>},
    {"rescale<f64,f32>", launcher<kernel::rescale<f64, f32>>},
    {"rescale<f64,f64>", launcher<kernel::rescale<f64, f64>>},
    {"clip<u8>", launcher<kernel::clip<u8>>},
    {"clip<i16>", launcher<kernel::clip<i16>>},
    {"clip<u16>", launcher<kernel::clip<u16>>},
    {"clip<i32>", launcher<kernel::clip<i32>>},
    {"clip<f32>", launcher<kernel::clip<f32>>},
    {"clip<f64>", launcher<kernel::clip<f64>>},
    {"shifted_sums<u8>", launcher<kernel::shifted_sums<u8>>},
    {"shifted_sums<i16>", launcher<kernel::shifted_sums<i16>>},
    {"shifted_sums<u16>", launcher<kernel::shifted_sums<u16>>},
    {"shifted_sums<i32>", launcher<kernel::shifted_sums<i32>>},
    {"shifted_sums<f32>", launcher<kernel::shifted_sums<f32>>},
    {"shifted_sums<f64>", launcher<kernel::shifted_sums<f64>>},
    {"interp<i32,f64>", launcher<kernel::interp<i32, f64>>},
    {"interp<f32,f32>", launcher<kernel::interp<f32, f32>>},
    {"interp<f64,f64>", launcher<kernel::interp<f64, f64>>},
    {"power<i32,f64>", launcher<kernel::power<i32, f64>>},
    {"power<f32,f32>", launcher<kernel::power<f32, f32>>},
    {"power<f64,f64>", launcher<kernel::power<f64, f64>>},
    {"lookup<u8,f32>", launcher<kernel::lookup<u8, f32>>},
    {"lookup<i16,f32>", launcher<kernel::lookup<i16, f32>>},
    {"lookup<u16,f32>", launcher<kernel::lookup<u16, f32>>},
};
}  // namespace voxkern::cuda
#endif
