// Collaborative filtering of groups of cubes that look alike: BM4D, Maggioni et al., IEEE TIP
// 22:119-133, 2013.
#pragma once
#include "../base.hpp"

#ifndef __CUDACC_RTC__
namespace voxkern::cpu {
struct On;
// For each cube of four voxels a side of a grid `step` voxels apart: finds up to `most` cubes,
// at most `reach` voxels away and with a sum of squared differences in `guide` of at most `limit`,
// transforms those of x together, shrinks, and adds what comes back to `total` and its share to
// `weight`. The spectrum is cut below `level` where `wiener` is 0; else weighed as the guide's
// stands to noise of `level`. `basis` holds the transform along an axis, row by row, its inverse
// and the window. Only tiles of one of four colours are done, which do not meet: the order of sums
// is fixed.
template <class T>
void bm4d(On, View<const T> x, View<const T> guide, View<T> total, View<T> weight,
          List<const f64> basis, f64 level, f64 limit, i64 wiener, i64 most, Size reach, i64 step,
          i64 colour);
}  // namespace voxkern::cpu
#endif
