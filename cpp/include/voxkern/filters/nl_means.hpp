// Non-local means: each voxel the average of those around it whose patches look alike.
#pragma once
#include "../base.hpp"

namespace voxkern {

// How a distance between patches becomes a weight; the codes are those of _nl_means.py.
enum class Likeness : i32 {
  cut,      // Schraudolph's exponential, nothing beyond a distance of 5
  stepped,  // the same, nothing where the sum passes 5 before the last plane of the patch
  plain     // the exponential; squares are averaged, and twice the noise's variance taken off
};

namespace nlm {
constexpr f32 cut = 5, nothing = 80;

// Schraudolph's exponential of -distance for 0 <= distance < 87: the bits of a float.
VOXKERN_HD i32 bits_of_exp(f64 distance) {
  return (i32(-1512775.3951951856938 * distance) + (127 * (1 << 20) - 60801)) * 8;
}
constexpr f64 alike = 0.9710078239440918;  // bits_of_exp(0) as a float
}  // namespace nlm

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// The weights are those of the voxels of a patch, an odd number along each axis; `reach` is how far
// other patches are looked for. With Likeness::stepped they all lie within the image.
template <class T, class R>
void nl_means(On on, View<const T> x, View<R> y, List<const f64> wz, List<const f64> wy,
              List<const f64> wx, Size reach, i64 likeness, f64 noise);
}  // namespace cpu
#endif
}  // namespace voxkern
