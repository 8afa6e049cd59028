// Noise of a series of volumes, told apart by what Marchenko and Pastur say of its eigenvalues:
// Veraart et al., NeuroImage 142:394-406, 2016.
#pragma once
#include "../base.hpp"

#ifndef __CUDACC_RTC__
namespace voxkern::cpu {
struct On;
// x and total hold the volumes one after the other along z; where, weight and power are as large
// as one. For each window that reaches `radii` voxels from a centre where `where` is not 0: adds
// the window without its noise to `total`, weighed by one over one more than the components that
// it keeps, that weight to `weight`, and the weighed variance of its noise to `power`. Only tiles
// of one of four colours, which do not meet, and of the rows of tiles [begin, end) are done: the
// order of sums is fixed.
template <class T>
void mppca(On, View<const T> x, View<const u8> where, Size radii, View<T> total, View<T> weight,
           View<T> power, i64 colour, i64 begin, i64 end);
}  // namespace voxkern::cpu
#endif
