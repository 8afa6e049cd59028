// Recursive Gaussians along the middle axis of a volume that is seen as (before, along, after): a
// thread filters a line.
#include <voxkern/filters/recursive.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

__device__ __forceinline__ void settle(f32& to, f64 sum, f64, f64) { to = f32(sum); }
__device__ __forceinline__ void settle(f64& to, f64 sum, f64, f64) { to = sum; }
template <class T>
__device__ __forceinline__ void settle(T& to, f64 sum, f64 low, f64 high) {
  to = T(i32(most(low, least(rint(sum), high))));
}

// `room` holds the first recursion's answers; `in` may be `out`.
template <class A, class B>
__global__ void recursive(const A* in, B* out, f64* room, const f64* list, Size size, f64 low,
                          f64 high) {
  const Recursion c(list);
  f64 settled[4];
  c.settled(settled);
  for (i64 i = first(); i < size.z * size.x; i += step()) {
    const i64 start = i / size.x * size.y * size.x + i % size.x, last = size.y - 1;
    const f64 offset = f64(in[start]);
    f64 s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (i64 k = 0; k <= last; ++k) {
      const i64 at = start + k * size.x;
      const f64 x = f64(in[at]) - offset, y = s0 + c.n[0] * x;
      s0 = s1 + c.n[1] * x - c.d[0] * y;
      s1 = s2 + c.n[2] * x - c.d[1] * y;
      s2 = s3 + c.n[3] * x - c.d[2] * y;
      s3 = -c.d[3] * y;
      room[at] = y;
    }
    const f64 end = f64(in[start + last * size.x]) - offset;
    s0 = settled[0] * end, s1 = settled[1] * end, s2 = settled[2] * end, s3 = settled[3] * end;
    for (i64 k = last; k >= 0; --k) {
      const i64 at = start + k * size.x;
      const f64 x = f64(in[at]) - offset, y = s0;
      s0 = s1 + c.m[0] * x - c.d[0] * y;
      s1 = s2 + c.m[1] * x - c.d[1] * y;
      s2 = s3 + c.m[2] * x - c.d[2] * y;
      s3 = c.m[3] * x - c.d[3] * y;
      settle(out[at], room[at] + offset * c.gain + y, low, high);
    }
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
using namespace voxkern;
using voxkern::cuda::launcher;
static const voxkern::cuda::Exports exports{
    {"recursive<u8,f32>", launcher<kernel::recursive<u8, f32>>},
    {"recursive<i16,f32>", launcher<kernel::recursive<i16, f32>>},
    {"recursive<u16,f32>", launcher<kernel::recursive<u16, f32>>},
    {"recursive<i32,f64>", launcher<kernel::recursive<i32, f64>>},
    {"recursive<f32,f32>", launcher<kernel::recursive<f32, f32>>},
    {"recursive<f64,f64>", launcher<kernel::recursive<f64, f64>>},
    {"recursive<f32,u8>", launcher<kernel::recursive<f32, u8>>},
    {"recursive<f32,i16>", launcher<kernel::recursive<f32, i16>>},
    {"recursive<f32,u16>", launcher<kernel::recursive<f32, u16>>},
    {"recursive<f64,i32>", launcher<kernel::recursive<f64, i32>>},
};
#endif
