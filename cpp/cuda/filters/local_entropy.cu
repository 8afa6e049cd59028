// Each thread slides along a piece of a row, with counts of its own in the block's memory. A
// value's counts lie side by side, so that threads keep out of each other's banks.
#include <voxkern/filters/local_entropy.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

constexpr int entropy_bytes = 32 << 10;  // for the counts of a block
constexpr i64 entropy_piece = 64;        // voxels that a thread goes along a row

// C counts the voxels of a neighbourhood; a block has as many threads as there is room for.
template <class C>
__global__ void local_entropy(const u8* x, f32* y, const i64* runs, i64 numbers, const i64* table,
                              Size size) {
  constexpr int threads = entropy_bytes / (256 * int(sizeof(C)));
  VOXKERN_SHARED(C, room, 256 * threads);
  C* counts = room + threadIdx.x;
  const i64 pieces = (size.x + entropy_piece - 1) / entropy_piece;
  for (i64 t = first(); t < size.z * size.y * pieces; t += step()) {
    const i64 from = t % pieces * entropy_piece, to = least(from + entropy_piece, size.x);
    const i64 row = t / pieces, z = row / size.y, y0 = row % size.y;
    for (int v = 0; v < 256; ++v) counts[v * threads] = 0;
    i64 n = 0, sum = 0;
    for (i64 at = from; at < to; ++at) {
      for (i64 r = 0; r < numbers; r += 4) {
        const i64 zz = z + runs[r], yy = y0 + runs[r + 1];
        if (zz < 0 || zz >= size.z || yy < 0 || yy >= size.y) continue;
        const u8* line = x + (zz * size.y + yy) * size.x;
        const i64 gone = at - 1 + runs[r + 2], last = at + runs[r + 3];
        for (i64 i = most(at == from ? at + runs[r + 2] : last, i64(0));
             i <= least(last, size.x - 1); ++i) {
          C& count = counts[line[i] * threads];
          sum += table[count + 1] - table[count];
          ++count;
          ++n;
        }
        if (at == from || gone < 0 || gone >= size.x) continue;
        C& count = counts[line[gone] * threads];
        --count;
        sum -= table[count + 1] - table[count];
        --n;
      }
      y[row * size.x + at] = n ? f32(f64(table[n] - sum) / f64(n) * entropy_unit) : 0.0f;
    }
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports local_entropy{
    {"local_entropy<u16>", launcher<kernel::local_entropy<u16>>},
    {"local_entropy<u32>", launcher<kernel::local_entropy<u32>>},
};
}  // namespace voxkern::cuda
#endif
