// An image read where an affine map of the output's voxels says.
#pragma once
#include "../sample.hpp"

namespace voxkern {

// The coordinate along one axis: rounded as SciPy rounds it, so that both agree on what is outside.
struct Line {
  f64 z, y, x, offset;
  VOXKERN_HD f64 base(i64 k, i64 j) const { return (offset + f64(k) * z) + f64(j) * y; }
  VOXKERN_HD f64 at(f64 base, i64 i) const { return base + f64(i) * x; }
};

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// out(v) = in(matrix v): `matrix` has three rows (z, y, x, offset); `order` of the spline;
// `outside` is an Outside. The last two numbers are the range of an integer output, which U knows.
template <class T, class U>
void affine(On, View<const T> in, View<U> out, List<const f64> matrix, i64 order, i64 outside,
            f64 fill, f64, f64);
}  // namespace cpu
#endif

}  // namespace voxkern
