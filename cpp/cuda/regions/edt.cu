// Exact Euclidean distances axis by axis: along z a thread sweeps a column twice; along y and x a
// thread looks outwards from its voxel until the way alone costs more than what it has found.
#include <voxkern/launch.cuh>
#include <voxkern/regions/edt.hpp>

namespace voxkern::kernel {

// NVRTC has neither INFINITY nor a builtin for it.
__device__ __forceinline__ f32 infinity() {
  union {
    u32 i;
    f32 f;
  } bits{0x7f800000u};
  return bits.f;
}

// Squared distances along z to the nearest voxel of the other kind; `side` 0 is for voxels that are
// not zero. `near` is its plane, where wanted.
template <class T>
__global__ void edt_z(const T* x, f32* f, i32* near, const f32* costs, Size size, i64 side) {
  const i64 plane = size.y * size.x;
  for (i64 column = first(); column < plane; column += step()) {
    i64 last = -1;
    for (i64 z = 0; z < size.z; ++z) {
      const i64 i = z * plane + column;
      if ((x[i] != 0) != (side == 0)) last = z;
      f[i] = last < 0 ? infinity() : costs[z - last];
      if (near) near[i] = i32(last);
    }
    last = -1;
    for (i64 z = size.z - 1; z >= 0; --z) {
      const i64 i = z * plane + column;
      if ((x[i] != 0) != (side == 0)) last = z;
      if (last < 0 || costs[last - z] >= f[i]) continue;
      f[i] = costs[last - z];
      if (near) near[i] = i32(last);
    }
  }
}

// The least of cost[|i - j|] + f[i * stride] over i, and the first such i. An i before j wins
// against all so far if it is no worse, one behind j if it is better.
__device__ __forceinline__ f32 search(const f32* f, const f32* cost, i64 j, i64 n, i64 stride,
                                      i64& at) {
  f32 best = f[j * stride];
  at = j;
  for (i64 k = 1; (k <= j || j + k < n) && cost[k] <= best; ++k) {
    if (k <= j && cost[k] + f[(j - k) * stride] <= best) {
      best = cost[k] + f[(j - k) * stride];
      at = j - k;
    }
    if (j + k < n && cost[k] + f[(j + k) * stride] < best) {
      best = cost[k] + f[(j + k) * stride];
      at = j + k;
    }
  }
  if (best == infinity()) at = -1;
  return best;
}

__global__ void edt_y(const f32* f, f32* out, i32* near, const f32* costs, Size size) {
  for (i64 i = first(); i < size.count(); i += step()) {
    const Size at = place(i, size);
    i64 row;
    out[i] = search(f + at.z * size.y * size.x + at.x, costs + size.z, at.y, size.y, size.x, row);
    if (near) near[i] = i32(row);
  }
}

__global__ void edt_x(const f32* f, f32* y, const i32* near_z, const i32* near_y, i32* nearest,
                      const f32* costs, Size size, f64 scale, i64 squared, i64 side) {
  for (i64 i = first(); i < size.count(); i += step()) {
    const Size at = place(i, size);
    i64 column;
    const f32 best = search(f + (i - at.x), costs + size.z + size.y, at.x, size.x, 1, column);
    if (side && best == 0) continue;
    const f32 length = (squared ? best : sqrt(best)) * f32(scale);
    y[i] = side ? -length : length;
    if (!nearest) continue;
    const i64 row = column < 0 ? -1 : near_y[i - at.x + column];
    const i64 plane = column < 0 ? -1 : near_z[(at.z * size.y + row) * size.x + column];
    nearest[i] = i32(plane);
    nearest[size.count() + i] = i32(row);
    nearest[2 * size.count() + i] = i32(column);
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports edt{
    {"edt_z<u8>", launcher<kernel::edt_z<u8>>},   {"edt_z<u16>", launcher<kernel::edt_z<u16>>},
    {"edt_z<i32>", launcher<kernel::edt_z<i32>>}, {"edt_z<i64>", launcher<kernel::edt_z<i64>>},
    {"edt_y", launcher<kernel::edt_y>},           {"edt_x", launcher<kernel::edt_x>},
};
}  // namespace voxkern::cuda
#endif
