// Grey level co-occurrence.
#pragma once
#include "../base.hpp"

namespace voxkern::cpu {
struct On;
// counts[d, a, b] = how many voxels of level a + 1 have one of level b + 1 at the d-th offset;
// levels are at most n, 0 is outside. `offsets` are triples (z, y, x), `counts` matrices of n * n.
// Each pair counts both ways if `symmetric`.
void glcm(On, View<const u16> x, List<const i64> offsets, i64 n, bool symmetric, List<i64> counts);
}  // namespace voxkern::cpu
