// Exponentials of vectors, by a polynomial on [-0.5, 0.5] and the bits of the exponent.
#pragma once
#include <voxkern/simd.hpp>

namespace voxkern::simd {

// 2^a for a at most 126: off by 2e-7 of the value in float32, by 4e-16 in float64. Below -126 it is
// as good as nothing; NaN gives nothing of use.
template <int N>
inline Vec<f32, N> exp2(Vec<f32, N> a) {
  using V = Vec<f32, N>;
  const V magic = 12582912.0f;  // 1.5 * 2^23: what is added to it is rounded to a whole number
  a = max(a, -126.0f);
  const V t = a + magic, r = a - (t - magic);
  V p = 0.0013390863364671211f;
  p = fma(p, r, 0.009676031918322052f);
  p = fma(p, r, 0.055503571142190782f);
  p = fma(p, r, 0.24022107485308339f);
  p = fma(p, r, 0.69314718802622877f);
  p = fma(p, r, 1.0f);
  return bits_as<f32>(bits_as<i32>(p) + (bits_as<i32>(t) << 23));
}
template <int N>
inline Vec<f64, N> exp2(Vec<f64, N> a) {
  using V = Vec<f64, N>;
  const V magic = 6755399441055744.0;  // 1.5 * 2^52
  a = max(a, -1022.0);
  const V t = a + magic, r = a - (t - magic);
  V p = 7.0725825725482288e-09;
  p = fma(p, r, 1.0208690372639245e-07);
  p = fma(p, r, 1.3215442609276775e-06);
  p = fma(p, r, 1.5252657259779019e-05);
  p = fma(p, r, 0.00015403530441684431);
  p = fma(p, r, 0.0013333558230165855);
  p = fma(p, r, 0.009618129107606949);
  p = fma(p, r, 0.055504108664447709);
  p = fma(p, r, 0.24022650695910097);
  p = fma(p, r, 0.69314718055994995);
  p = fma(p, r, 1.0);
  return bits_as<f64>(bits_as<i64>(p) + (bits_as<i64>(t) << 52));
}

}  // namespace voxkern::simd

namespace voxkern::cpu {

// exp() to two units in the last place, which exp2 of a product is not where x is large.
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
