// Derivatives of a smoothed volume, and what is made of them voxel by voxel.
#pragma once
#include "../base.hpp"

namespace voxkern {

// What a jet gives; the codes are those of _jet.py.
enum class Jet : i32 { gradient, magnitude, laplacian, hessian, eigenvalues };

// The eigenvalues of a symmetric matrix, ascending. Closed form: the outermost eigenvalue of the
// trace-free part is 2 p (1 - w), where 9 w - 12 w^2 + 4 w^3 = u = 1 - |r|; w lies in [0, 0.14],
// and a polynomial and one or two of Newton's steps give it. The other two follow from it. Where
// two eigenvalues are equal the error is 1e-8 of the largest.
template <class V>
struct Eigenvalues {
  V low, middle, high;
};

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// `wz`, `wy`, `wx` hold the weights of order 0, 1 (and 2) one after the other, of one odd length
// each; an axis without weights has no derivative. `out` holds the answer's components one after
// the other, each as many planes as `in`: derivatives in the order of the axes, second ones as
// zz, zy, zx, yy, yx, xx.
template <class T>
void jet(On on, View<const T> in, View<T> out, List<const f64> wz, List<const f64> wy,
         List<const f64> wx, i64 kind, Edge ez, Edge ey, Edge ex, f64 fill);
}  // namespace cpu
#endif

}  // namespace voxkern
