// exp() of a vector of floats, to two units in the last place.
#pragma once
#include <voxkern/simd.hpp>

namespace voxkern::cpu {

// Below -87 and above 88 the answer is that of the limit; of NaN it is that of -87.
inline Vec<f32> exponential(Vec<f32> x) {
  x = min(max(x, -87.0f), 88.0f);
  const Vec<f32> n = round(x * 1.44269504f);
  // ln 2 in two parts, the first of few bits.
  const Vec<f32> r = fma(n, Vec<f32>(2.12194440e-4f), fma(n, Vec<f32>(-0.693359375f), x));
  Vec<f32> p = 1.9875691500e-4f;
  p = fma(p, r, Vec<f32>(1.3981999507e-3f));
  p = fma(p, r, Vec<f32>(8.3334519073e-3f));
  p = fma(p, r, Vec<f32>(4.1665795894e-2f));
  p = fma(p, r, Vec<f32>(1.6666665459e-1f));
  p = fma(p, r, Vec<f32>(5.0000001201e-1f));
  p = fma(p * r, r, r) + 1.0f;
  return p * simd::bits_as<f32>((simd::convert<i32>(n) + 127) << 23);
}

}  // namespace voxkern::cpu
