// Holes: background that no path of background joins to the border.
#pragma once
#include "../base.hpp"

namespace voxkern::cpu {
struct On;

// y = x with its holes of at most `most` voxels filled. `axes` says how many axes, the last ones,
// have a border and neighbours: 2 fills plane by plane.
void fill_holes(On, View<const u8> x, View<u8> y, i64 connectivity, i64 axes, i64 most);
}  // namespace voxkern::cpu
