// N4's passes. Sums are gathered, a thread for each, so that their order is fixed.
#include <voxkern/filters/n4.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

constexpr i64 n4_shared = 2048;  // bins that a block counts for itself

template <class T>
__global__ void n4_pick(const T* x, const u8* mask, const f32* weights, Size size, Size from,
                        Size step, f32* logs, f32* weight, Size n) {
  for (i64 i = first(); i < n.count(); i += voxkern::step()) {
    const Size p = place(i, n);
    const i64 at =
        offset({from.z + p.z * step.z, from.y + p.y * step.y, from.x + p.x * step.x}, size);
    const f64 v = f64(x[at]);
    const f32 w = weights ? weights[at] : 1.0f;
    const bool counts = n4_counts(v) && (!mask || mask[at]) && w > 0;
    logs[i] = counts ? f32(log(v)) : 0.0f;
    weight[i] = counts ? w : 0.0f;
  }
}

__global__ void n4_histogram(const f32* u, const f32* weight, f64 low, f64 scale, i64* counts,
                             i64 n, i64 bins) {
  VOXKERN_SHARED(i64, own, n4_shared);
  const bool few = bins <= n4_shared;
  if (few)
    for (i64 k = threadIdx.x; k < bins; k += blockDim.x) own[k] = 0;
  __syncthreads();
  i64* to = few ? own : counts;
  for (i64 i = first(); i < n; i += step()) {
    if (!(weight[i] > 0)) continue;
    const f32 at = (u[i] - f32(low)) * f32(scale);
    const i64 whole = i64(at), part = i64((at - f32(whole)) * n4_unit);
    const i64 bin = least(whole, bins - 1);
    atomic_add(to + bin, i64(n4_unit) - part);
    if (part && bin + 1 < bins) atomic_add(to + bin + 1, part);
  }
  __syncthreads();
  if (few)
    for (i64 k = threadIdx.x; k < bins; k += blockDim.x)
      if (own[k]) atomic_add(counts + k, own[k]);
}

// Along x: `ends` holds from where to where a lattice point reaches.
__global__ void n4_rows(const f32* u, const f32* weight, const f32* map, i64 bins, f64 low,
                        f64 scale, const i64* places, const f64* table, const i64* ends, f64* out,
                        i64 lines, i64 n, i64 grid) {
  for (i64 t = first(); t < lines * grid; t += step()) {
    const i64 line = t / grid, i = t % grid;
    f64 sum = 0;
    for (i64 x = ends[2 * i]; x < ends[2 * i + 1]; ++x) {
      const f32 w = weight[line * n + x], v = u[line * n + x];
      if (!(w > 0)) continue;
      const f32 r = map ? (v - n4_sharpened(v, map, bins, f32(low), f32(scale))) * w : w;
      sum += f64(r) * table[(i - places[x]) * n + x];
    }
    out[t] = sum;
  }
}

// Along y, then along z: the middle axis of (outer, n, inner) becomes `grid` long.
__global__ void n4_columns(const f64* in, const i64* places, const f64* table, const i64* ends,
                           f64* out, i64 outer, i64 n, i64 inner, i64 grid) {
  for (i64 t = first(); t < outer * grid * inner; t += step()) {
    const i64 o = t / (grid * inner), i = t / inner % grid, k = t % inner;
    f64 sum = 0;
    for (i64 j = ends[2 * i]; j < ends[2 * i + 1]; ++j)
      sum += table[(i - places[j]) * n + j] * in[(o * n + j) * inner + k];
    out[t] = sum;
  }
}

template <class R>
__device__ __forceinline__ R lattice_at(const f64* lattice, Size p, const i64* places,
                                        const f64* tables, Size n, Size grid) {
  const f64 *along_y = tables + 4 * n.z, *along_x = along_y + 4 * n.y;
  const i64 z = places[p.z], y = places[n.z + p.y], x = places[n.z + n.y + p.x];
  R sum = 0;
  for (int a = 0; a < 4; ++a) {
    R plane = 0;
    for (int b = 0; b < 4; ++b) {
      const f64* from = lattice + ((z + a) * grid.y + y + b) * grid.x + x;
      R row = 0;
      for (int c = 0; c < 4; ++c) row += R(along_x[c * n.x + p.x]) * R(from[c]);
      plane += R(along_y[b * n.y + p.y]) * row;
    }
    sum += R(tables[a * n.z + p.z]) * plane;
  }
  return sum;
}

__device__ __forceinline__ i64 n4_ordered(f64 v) {
  const i64 bits = __double_as_longlong(v);
  return bits ^ ((bits >> 63) & 0x7fffffffffffffffll);
}

// parts = five numbers a block; the extremes as integers in their order.
__global__ void n4_update(const f32* logs, const f32* weight, f32* u, const f64* lattice,
                          const i64* places, const f64* tables, Size n, Size grid, f64* parts,
                          i64* ends) {
  VOXKERN_SHARED(f64, room, 32);
  f64 sums[3] = {};
  i64 low = 0x7fffffffffffffffll, high = -0x7fffffffffffffffll;
  for (i64 i = first(); i < n.count(); i += step()) {
    const f32 now = logs[i] - lattice_at<f32>(lattice, place(i, n), places, tables, n, grid);
    if (weight[i] > 0) {
      const f32 e = exp(now - u[i]) - 1.0f;
      sums[0] += 1;
      sums[1] += f64(e);
      sums[2] += f64(e) * f64(e);
      low = least(low, n4_ordered(f64(now)));
      high = most(high, n4_ordered(f64(now)));
    }
    u[i] = now;
  }
  for (int k = 0; k < 3; ++k) {
    const f64 sum = block_sum(sums[k], room);
    if (threadIdx.x == 0) parts[3 * blockIdx.x + k] = sum;
  }
  atomic_min(ends, low);
  atomic_max(ends + 1, high);
}

template <class T, class R>
__global__ void n4_divide(const T* x, R* y, R* field, const f64* lattice, const i64* places,
                          const f64* tables, Size n, Size grid) {
  for (i64 i = first(); i < n.count(); i += step()) {
    const R by = exp(lattice_at<R>(lattice, place(i, n), places, tables, n, grid));
    y[i] = R(x[i]) / by;
    if (field) field[i] = by;
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports n4{
    {"n4_pick<u8>", launcher<kernel::n4_pick<u8>>},
    {"n4_pick<i16>", launcher<kernel::n4_pick<i16>>},
    {"n4_pick<u16>", launcher<kernel::n4_pick<u16>>},
    {"n4_pick<i32>", launcher<kernel::n4_pick<i32>>},
    {"n4_pick<f32>", launcher<kernel::n4_pick<f32>>},
    {"n4_pick<f64>", launcher<kernel::n4_pick<f64>>},
    {"n4_histogram", launcher<kernel::n4_histogram>},
    {"n4_rows", launcher<kernel::n4_rows>},
    {"n4_columns", launcher<kernel::n4_columns>},
    {"n4_update", launcher<kernel::n4_update>},
    {"n4_divide<u8,f32>", launcher<kernel::n4_divide<u8, f32>>},
    {"n4_divide<i16,f32>", launcher<kernel::n4_divide<i16, f32>>},
    {"n4_divide<u16,f32>", launcher<kernel::n4_divide<u16, f32>>},
    {"n4_divide<i32,f64>", launcher<kernel::n4_divide<i32, f64>>},
    {"n4_divide<f32,f32>", launcher<kernel::n4_divide<f32, f32>>},
    {"n4_divide<f64,f64>", launcher<kernel::n4_divide<f64, f64>>},
};
}  // namespace voxkern::cuda
#endif
