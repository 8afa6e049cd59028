// Erosion and dilation of masks with any structure.
#pragma once
#include "../base.hpp"

namespace voxkern::cpu {
struct On;

// y(v) = whether x(v + offset) is set for all offsets (z, y, x triples), or, with `any`, for one of
// them; outside x all is `border`. So many times, each time on the answer before; with iterations
// below 1 until nothing changes. Where there is a mask, only voxels in it change. Unless `then` is
// below 0 the opposite follows, by the mirrored offsets, with `then` outside.
void binary_erosion(On, View<const u8> x, View<u8> y, View<const u8> mask, List<const i64> offsets,
                    i64 iterations, i64 border, i64 any, i64 then);
}  // namespace voxkern::cpu
