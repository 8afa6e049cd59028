// Entropy of the grey values around each voxel.
#pragma once
#include "../base.hpp"

namespace voxkern {

// What one is worth in the table of local_entropy.
constexpr f64 entropy_unit = 1.0 / (f64(1 << 16) * f64(1 << 16));

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// The neighbourhood is made of runs along x: four numbers each, (z, y, first x, last x) from the
// voxel on. Only what lies in the image counts. `table` holds n * log2(n) for n = 0, 1, ..., in
// whole multiples of 2^-32, so that sums can be changed without end and stay exact.
void local_entropy(On on, View<const u8> in, View<f32> out, List<const i64> runs,
                   List<const i64> table);
}  // namespace cpu
#endif

}  // namespace voxkern
