// Small holes of an image, each filled by solving its equations at once.
#pragma once
#include "../base.hpp"

#ifndef __CUDACC_RTC__
namespace voxkern::cpu {
struct On;
// The voxels of hole h are places[starts[h] .. starts[h + 1]), counted through x, and number[] of
// them 0, 1, ...; that of a voxel in no hole is -1. No hole's equations know a voxel of another.
// filled[n] = what belongs at places[n], so that the Laplacian of the image, or that of its
// Laplacian if `bent`, is 0 there. done[h] = whether it was: not where that takes more than `most`
// products.
template <class T>
void mend(On, View<const T> x, List<const i32> number, List<const i64> places,
          List<const i64> starts, i64 bent, i64 most, List<f64> filled, List<i64> done);
}  // namespace voxkern::cpu
#endif
