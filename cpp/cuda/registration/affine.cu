// Two images compared under an affine map: sums over samples, in an order that the shapes alone
// fix.
#include <voxkern/launch.cuh>
#include <voxkern/metrics/parzen.hpp>
#include <voxkern/registration/affine.hpp>

namespace voxkern::kernel {

constexpr int warps = 8, row_sums = 42;

struct Sample {
  f32 f, m, x, gz, gy, gx;
};

// Reads the fixed image and, by linear interpolation, the moving one; false where nothing counts.
__device__ __forceinline__ bool read(const f32* fixed, const f32* moving, const u8* fixed_mask,
                                     const u8* moving_mask, const Map& map, Size size, Size n,
                                     i64 z, i64 y, i64 x, Sample& s) {
  const i64 i = (z * size.y + y) * size.x + x;
  if (fixed_mask && !fixed_mask[i]) return false;
  const f64 u = f64(x) - map.centre.x;
  const Map gate{map.m + 12, map.centre};
  f64 c[3], held[3];
  for (int a = 0; a < 3; ++a) {
    c[a] = gate.base(a, f64(z), f64(y)) + gate.along(a) * u;
    held[a] = map.base(a, f64(z), f64(y)) + map.along(a) * u;
  }
  if (!within(c[0], n.z) || !within(c[1], n.y) || !within(c[2], n.x)) return false;
  if (moving_mask &&
      !moving_mask[offset({i64(floor(c[0] + 0.5)), i64(floor(c[1] + 0.5)), i64(floor(c[2] + 0.5))},
                          n)])
    return false;
  const f64 cz = nearest(held[0], n.z), cy = nearest(held[1], n.y), cx = nearest(held[2], n.x);
  const f32 moves[3] = {cz == held[0] ? 1.0f : 0.0f, cy == held[1] ? 1.0f : 0.0f,
                        cx == held[2] ? 1.0f : 0.0f};
  const Size at{least(i64(cz), most(n.z - 2, i64(0))), least(i64(cy), most(n.y - 2, i64(0))),
                least(i64(cx), n.x - 2)};
  const f32 a = f32(cz - f64(at.z)), b = f32(cy - f64(at.y)), w = f32(cx - f64(at.x));
  const f32* p = moving + offset(at, n);
  const i64 dz = n.z > 1 ? n.y * n.x : 0, dy = n.y > 1 ? n.x : 0;
  const f32* rows[4] = {p, p + dy, p + dz, p + dz + dy};
  f32 line[4], rise[4];
  for (int r = 0; r < 4; ++r) {
    rise[r] = rows[r][1] - rows[r][0];
    line[r] = rows[r][0] + w * rise[r];
  }
  const f32 up0 = line[1] - line[0], up1 = line[3] - line[2];
  const f32 plane0 = line[0] + b * up0, plane1 = line[2] + b * up1;
  const f32 r0 = rise[0] + b * (rise[1] - rise[0]), r1 = rise[2] + b * (rise[3] - rise[2]);
  s = {fixed[i],
       plane0 + a * (plane1 - plane0),
       f32(u),
       moves[0] * (plane1 - plane0),
       moves[1] * (up0 + a * (up1 - up0)),
       moves[2] * (r0 + a * (r1 - r0))};
  return true;
}

// Where one of the 120 sums comes from: a sum along rows, times z, y or one, twice.
struct Source {
  int row, c, d;
};
__device__ __forceinline__ Source source_of(int sum) {
  if (sum < 6) return {sum, 3, 3};
  if (sum < 42) {
    const int part = (sum - 6) / 12, entry = (sum - 6) % 12, c = entry % 4;
    return {6 + 6 * part + (c == 2 ? 3 : 0) + entry / 4, c, 3};
  }
  int p = 0, q = sum - 42;
  for (; q >= 12 - p; ++p) q -= 12 - p;
  q += p;
  const int a = p / 4, b = q / 4, c = p % 4, d = q % 4;
  const int pair = a == 0 ? b : a == 1 ? 2 + b : 5;
  return {24 + 6 * ((c == 2) + (d == 2)) + pair, c, d};
}

// A warp takes a row of samples at a time, sums along it, and multiplies by z and y afterwards.
__global__ void __launch_bounds__(256, 2)
    affine_moments(const f32* fixed, const f32* moving, const u8* fixed_mask, const u8* moving_mask,
                   const f64* matrix, f64* parts, Size size, Size moving_size, Vec3 centre,
                   Size step, i64 seed, f64 f0, f64 m0) {
  VOXKERN_SHARED(f32, rows, warps * row_sums);
  VOXKERN_SHARED(f64, totals, warps * affine_sums);
  const Map map{matrix, centre};
  const Size grid = coarse(size, step);
  const int lane = int(threadIdx.x % 32), warp = int(threadIdx.x / 32);
  f32* own = rows + warp * row_sums;
  f64* total = totals + warp * affine_sums;  // each lane adds to sums of its own
  for (int k = lane; k < affine_sums; k += 32) total[k] = 0;
  for (i64 row = i64(blockIdx.x) * warps + warp; row < grid.z * grid.y;
       row += i64(gridDim.x) * warps) {
    const Line line = line_of(row / grid.y, row % grid.y, grid, step, seed);
    if (line.z >= size.z || line.y >= size.y) continue;
    f32 sums[row_sums] = {};
    for (i64 x = line.x + lane * step.x; x < size.x; x += 32 * step.x) {
      Sample s;
      if (!read(fixed, moving, fixed_mask, moving_mask, map, size, moving_size, line.z, line.y, x,
                s))
        continue;
      s.f = f32(f64(s.f) - f0);
      s.m = f32(f64(s.m) - m0);
      const f32 g[3] = {s.gz, s.gy, s.gx},
                plain[6] = {1, s.f, s.m, s.f * s.f, s.m * s.m, s.f * s.m};
      for (int k = 0; k < 6; ++k) sums[k] += plain[k];
      int pair = 24;
      for (int a = 0; a < 3; ++a) {
        const f32 by[3] = {g[a], g[a] * s.f, g[a] * s.m};
        for (int part = 0; part < 3; ++part) {
          sums[6 + 6 * part + a] += by[part];
          sums[9 + 6 * part + a] += by[part] * s.x;
        }
        for (int b = a; b < 3; ++b, ++pair) {
          const f32 gg = g[a] * g[b];
          sums[pair] += gg;
          sums[pair + 6] += gg * s.x;
          sums[pair + 12] += gg * s.x * s.x;
        }
      }
    }
    for (int k = 0; k < row_sums; ++k) {
      const f32 sum = warp_sum(sums[k]);
      if (lane == 0) own[k] = sum;
    }
    __syncwarp();
    const f64 v[4] = {f64(line.z) - centre.z, f64(line.y) - centre.y, 1, 1};
#pragma unroll 1
    for (int k = lane; k < affine_sums; k += 32) {
      const Source from = source_of(k);
      total[k] += v[from.c] * v[from.d] * f64(own[from.row]);
    }
    __syncwarp();
  }
  __syncthreads();
  for (int k = int(threadIdx.x); k < affine_sums; k += int(blockDim.x)) {
    f64 sum = 0;
    for (int w = 0; w < warps; ++w) sum += totals[w * affine_sums + k];
    parts[i64(blockIdx.x) * affine_sums + k] = sum;
  }
}

// The i-th sample of the grid; false where it does not count.
__device__ __forceinline__ bool sample(const f32* fixed, const f32* moving, const u8* fixed_mask,
                                       const u8* moving_mask, const Map& map, Size size, Size n,
                                       Size step, i64 seed, i64 i, Line& line, Sample& s) {
  const Size grid = coarse(size, step), at = place(i, grid);
  line = line_of(at.z, at.y, grid, step, seed);
  const i64 x = line.x + at.x * step.x;
  return line.z < size.z && line.y < size.y && x < size.x &&
         read(fixed, moving, fixed_mask, moving_mask, map, size, n, line.z, line.y, x, s);
}

__global__ void affine_parzen(const f32* fixed, const f32* moving, const u8* fixed_mask,
                              const u8* moving_mask, const f64* matrix, i64* counts, Size size,
                              Size moving_size, Vec3 centre, Size step, i64 seed, i64 bins,
                              f64 fixed_low, f64 fixed_high, f64 moving_low, f64 moving_high) {
  constexpr i64 shared_cells = 4096;
  VOXKERN_SHARED(i64, own, shared_cells);
  const Map map{matrix, centre};
  const Axis f(fixed_low, fixed_high, bins), m(moving_low, moving_high, bins);
  const i64 cells = bins * bins, samples = coarse(size, step).count();
  const bool few = cells <= shared_cells;
  if (few)
    for (i64 k = threadIdx.x; k < cells; k += blockDim.x) own[k] = 0;
  __syncthreads();
  i64* to = few ? own : counts;
  for (i64 i = first(); i < samples; i += voxkern::step()) {
    Line line;
    Sample s;
    if (!sample(fixed, moving, fixed_mask, moving_mask, map, size, moving_size, step, seed, i, line,
                s))
      continue;
    const f64 place = m.place(m.cut(f64(s.m)));
    const i64 bin = parzen_bin(place, bins), row = parzen_bin(f.place(f.cut(f64(s.f))), bins);
    for (int k = 0; k < 4; ++k)
      atomic_add(to + row * bins + bin - 1 + k,
                 i64(cubic_weight(k, place - f64(bin)) * parzen_unit + 0.5));
  }
  __syncthreads();
  if (few)
    for (i64 k = threadIdx.x; k < cells; k += blockDim.x)
      if (own[k]) atomic_add(counts + k, own[k]);
}

__global__ void affine_parzen_gradient(const f32* fixed, const f32* moving, const u8* fixed_mask,
                                       const u8* moving_mask, const f64* matrix, const f64* table,
                                       f64* parts, Size size, Size moving_size, Vec3 centre,
                                       Size step, i64 seed, i64 bins, f64 fixed_low, f64 fixed_high,
                                       f64 moving_low, f64 moving_high) {
  VOXKERN_SHARED(f64, room, 32);
  const Map map{matrix, centre};
  const Axis f(fixed_low, fixed_high, bins), m(moving_low, moving_high, bins);
  const i64 samples = coarse(size, step).count();
  f64 sums[12] = {};
  for (i64 i = first(); i < samples; i += voxkern::step()) {
    Line line;
    Sample s;
    if (!sample(fixed, moving, fixed_mask, moving_mask, map, size, moving_size, step, seed, i, line,
                s))
      continue;
    const f64 place = m.place(m.cut(f64(s.m)));
    const i64 bin = parzen_bin(place, bins), row = parzen_bin(f.place(f.cut(f64(s.f))), bins);
    f64 slope = 0;
    for (int k = 0; k < 4; ++k)
      slope += cubic_slope(k, place - f64(bin)) * table[row * bins + bin - 1 + k];
    const f64 v[4] = {f64(line.z) - centre.z, f64(line.y) - centre.y, f64(s.x), 1};
    const f64 g[3] = {slope * f64(s.gz), slope * f64(s.gy), slope * f64(s.gx)};
    for (int a = 0; a < 3; ++a)
      for (int c = 0; c < 4; ++c) sums[4 * a + c] += g[a] * v[c];
  }
  for (int k = 0; k < 12; ++k) {
    const f64 sum = block_sum(sums[k], room);
    if (threadIdx.x == 0) parts[12 * i64(blockIdx.x) + k] = sum;
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports affine{
    {"affine_moments", launcher<kernel::affine_moments>},
    {"affine_parzen", launcher<kernel::affine_parzen>},
    {"affine_parzen_gradient", launcher<kernel::affine_parzen_gradient>},
};
}  // namespace voxkern::cuda
#endif
