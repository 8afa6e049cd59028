// Gaussians and their derivatives by recursion: as long for any sigma.
#pragma once
#include "../base.hpp"

namespace voxkern {

// Deriche's filter along a line, two recursions of four terms whose answers are added:
//   a[i] = n0 x[i] + n1 x[i - 1] + ... + n3 x[i - 3] - d1 a[i - 1] - ... - d4 a[i - 4]
//   b[i] = m1 x[i + 1] + ... + m4 x[i + 4]           - d1 b[i + 1] - ... - d4 b[i + 4]
// Beyond its ends the line goes on with its last voxel. Schedules take the first voxel away from
// all, and add `gain` times it in the end: so a constant line is exact, and a large offset costs
// no digit.
struct Recursion {
  f64 n[4], d[4], m[4], gain;

  // From the 13 numbers of a list.
  VOXKERN_HD explicit Recursion(const f64* list) {
    for (int i = 0; i < 4; ++i) {
      n[i] = list[i];
      d[i] = list[4 + i];
      m[i] = list[8 + i];
    }
    gain = list[12];
  }

  // What the four sums of the second recursion hold, for each unit of a line that has always been
  // constant; see `back` in the schedules.
  VOXKERN_HD void settled(f64 (&s)[4]) const {
    const f64 y = (m[0] + m[1] + m[2] + m[3]) / (1 + d[0] + d[1] + d[2] + d[3]);
    s[0] = y;
    for (int i = 0; i < 3; ++i) s[i + 1] = s[i] - m[i] + d[i] * y;
  }
};

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// Each list holds a Recursion for one axis, or nothing. Integers are rounded once, in the end, and
// kept within [low, high].
template <class T>
void recursive(On on, View<const T> in, View<T> out, List<const f64> z, List<const f64> y,
               List<const f64> x, f64 low, f64 high);
}  // namespace cpu
#endif

}  // namespace voxkern
