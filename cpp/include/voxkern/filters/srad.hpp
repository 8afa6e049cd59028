// Speckle reducing anisotropic diffusion: Yu & Acton, IEEE TIP 11:1260-1270, 2002.
#pragma once
#include "../base.hpp"

namespace voxkern {

// How freely speckle flows at a voxel: 1 where the image varies as speckle does or less. `mean` is
// that of the neighbours, `squares` twice that of squared differences from them, `shift` the mean
// less the voxel; `noise` is the square of the coefficient of variation.
template <class T>
VOXKERN_HD T speckle_flow(T mean, T squares, T shift, T noise) {
  const T power = mean * mean;
  const T below = noise * noise * power + (squares - shift * shift);
  const T flow = noise * (T(1) + noise) * power / below;
  return flow < T(1) ? flow : below != below ? below : T(1);
}

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// A step: writes the flow into c, and x moved by `step` into y. Each of the two neighbours along
// an axis has the axis's `share` in means; the three shares are 1/2 together.
template <class T>
void srad(On, View<const T> x, View<T> c, View<T> y, f64 noise, f64 step, Vec3 share);
}  // namespace cpu
#endif
}  // namespace voxkern
