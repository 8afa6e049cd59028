// Exponentials of vectors, by a polynomial on [-0.5, 0.5] and the bits of the exponent; and one
// over a square root.
#pragma once
#include <voxkern/simd.hpp>

namespace voxkern::simd {

// 2^a for each a at most 126, by a polynomial that is given from its highest power on. Below -126
// and of NaN it is as good as nothing. Several vectors take each step together, since a processor
// sees too little of the next one while it waits for the last steps of another.
template <int N, int K, int M>
[[gnu::always_inline]] inline void exp2_by(Vec<f32, N> (&a)[K], const f32 (&polynomial)[M]) {
  using V = Vec<f32, N>;
  V t[K], p[K];
  for (V& v : a) v = max(v, -126.0f);
#if defined(__AVX512DQ__)
  if constexpr (N == 16) {
    constexpr int nearest = 8;  // of whole numbers
    for (int k = 0; k < K; ++k) {
      t[k].v = (typename V::Raw)_mm512_roundscale_ps((__m512)a[k].v, nearest);
      a[k].v = (typename V::Raw)_mm512_reduce_ps((__m512)a[k].v, nearest);
      p[k] = polynomial[0];
    }
    for (int i = 1; i < M; ++i)
      for (int k = 0; k < K; ++k) p[k] = fma(p[k], a[k], polynomial[i]);
    for (int k = 0; k < K; ++k)
      a[k].v = (typename V::Raw)_mm512_scalef_ps((__m512)p[k].v, (__m512)t[k].v);
    return;
  }
#endif
  const V magic = 12582912.0f;  // 1.5 * 2^23: what is added to it is rounded to a whole number
  for (int k = 0; k < K; ++k) t[k] = a[k] + magic;
  for (int k = 0; k < K; ++k) a[k] = a[k] - (t[k] - magic);
  for (V& v : p) v = polynomial[0];
  for (int i = 1; i < M; ++i)
    for (int k = 0; k < K; ++k) p[k] = fma(p[k], a[k], polynomial[i]);
  for (int k = 0; k < K; ++k) a[k] = bits_as<f32>(bits_as<i32>(p[k]) + (bits_as<i32>(t[k]) << 23));
}
// Off by 2e-7 of the value in float32, by 4e-16 in float64.
template <int N, int K>
[[gnu::always_inline]] inline void exp2(Vec<f32, N> (&a)[K]) {
  exp2_by(a, {0.0013390863364671211f, 0.009676031918322052f, 0.055503571142190782f,
              0.24022107485308339f, 0.69314718802622877f, 1.0f});
}
template <int N, int K>
inline void exp2(Vec<f64, N> (&a)[K]) {
  using V = Vec<f64, N>;
  const V magic = 6755399441055744.0;  // 1.5 * 2^52
  V t[K], p[K];
  for (V& v : a) v = max(v, -1022.0);
  for (int k = 0; k < K; ++k) t[k] = a[k] + magic;
  for (int k = 0; k < K; ++k) a[k] = a[k] - (t[k] - magic);
  for (int k = 0; k < K; ++k) p[k] = fma(V(7.0725825725482288e-09), a[k], 1.0208690372639245e-07);
  for (const f64 c : {1.3215442609276775e-06, 1.5252657259779019e-05, 0.00015403530441684431,
                      0.0013333558230165855, 0.009618129107606949, 0.055504108664447709,
                      0.24022650695910097, 0.69314718055994995, 1.0})
    for (int k = 0; k < K; ++k) p[k] = fma(p[k], a[k], c);
  for (int k = 0; k < K; ++k) a[k] = bits_as<f64>(bits_as<i64>(p[k]) + (bits_as<i64>(t[k]) << 52));
}
// For weights of an average: off by 3e-6 of the value in float32.
template <int N, int K>
[[gnu::always_inline]] inline void rough_exp2(Vec<f32, N> (&a)[K]) {
  exp2_by(a, {0.009583216160535812f, 0.0559069886803627f, 0.2402409166097641f, 0.6931240558624268f,
              1.0f});
}
template <int N, int K>
inline void rough_exp2(Vec<f64, N> (&a)[K]) {
  exp2(a);
}
template <class T, int N>
inline Vec<T, N> exp2(Vec<T, N> a) {
  Vec<T, N> all[1] = {a};
  exp2(all);
  return all[0];
}

// The logarithm to base 2 of what is normal and positive: off by 2e-7 of itself.
template <int N>
inline Vec<f32, N> log2(Vec<f32, N> x) {
  using V = Vec<f32, N>;
#if defined(__AVX512F__)
  if constexpr (N == 16) {
    // x = m 2^e, and m r is next to 1 for the r of the sixteenth of [0.5, 1) that m is in.
    alignas(64) static constexpr f32 r[] = {2.0f,        1.82857144f, 1.72972977f, 1.64102566f,
                                            1.56097555f, 1.48837209f, 1.42222226f, 1.36170208f,
                                            1.30612242f, 1.25490201f, 1.20754719f, 1.16363633f,
                                            1.12280703f, 1.08474576f, 1.04918027f, 1.0f};
    alignas(64) static constexpr f32 less[] = {
        -1.0f,         -0.870716989f, -0.790546656f,  -0.714597821f, -0.642447948f, -0.573735237f,
        -0.508146942f, -0.445411116f, -0.385290116f,  -0.3275747f,   -0.272079557f, -0.218640238f,
        -0.167109996f, -0.117356956f, -0.0692625791f, 0.0f};
    const __m512 m = _mm512_getmant_ps((__m512)x.v, _MM_MANT_NORM_p5_1, _MM_MANT_SIGN_zero);
    const __m512i sixteenth = (__m512i)(bits_as<i32>(V(m)) >> 19).v;  // of which four bits count
    const V by = _mm512_permutexvar_ps(sixteenth, (__m512)load(r).v);
    const V known = _mm512_permutexvar_ps(sixteenth, (__m512)load(less).v);
    const V e = _mm512_getexp_ps((__m512)x.v);
    const V off = fma(V(m), by, V(-1.0f));
    V p = -0.34394491f;
    for (const f32 c : {0.48112303f, -0.72136192f, 1.442695f}) p = fma(p, off, V(c));
    return fma(p, off, e + 1.0f + known);
  }
#endif
  const auto bits = bits_as<i32>(x);
  const auto e = ((bits >> 23) & 255) - 126;
  V m = bits_as<f32>((bits & 0x007fffff) | 0x3f000000);  // in [0.5, 1)
  const auto small = m < 0.707106781f;
  m = select(small, m + m, m) - 1.0f;
  V p = 7.0376836292e-2f;
  for (const f32 c :
       {-1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f, 1.4249322787e-1f, -1.6668057665e-1f,
        2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f, -0.5f, 1.0f})
    p = fma(p, m, V(c));
  return fma(p * m, V(1.44269504f), convert<f32>(e + small));
}

// One over the square root of what is normal and positive: off by 2e-7 of the value in float32,
// where processors guess it to twelve bits or so and differ in the guess.
template <int N>
inline Vec<f32, N> inverse_sqrt(Vec<f32, N> a) {
  using V = Vec<f32, N>;
  V guess;
#if defined(__x86_64__)
  if constexpr (N == 4) guess.v = (typename V::Raw)_mm_rsqrt_ps((__m128)a.v);
#if defined(__AVX2__)
  if constexpr (N == 8) guess.v = (typename V::Raw)_mm256_rsqrt_ps((__m256)a.v);
#endif
#if defined(__AVX512F__)
  if constexpr (N == 16) guess.v = (typename V::Raw)_mm512_rsqrt14_ps((__m512)a.v);
#endif
  const V off = fma(-(a * guess), guess, V(1.0f));
  if constexpr (N == 16) return fma(guess * off, V(0.5f), guess);  // guessed to 14 bits
  return fma(guess * off, fma(V(0.375f), off, V(0.5f)), guess);
#else
  return V(1.0f) / sqrt(a);
#endif
}
template <int N>
inline Vec<f64, N> inverse_sqrt(Vec<f64, N> a) {
  return Vec<f64, N>(1.0) / sqrt(a);
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
