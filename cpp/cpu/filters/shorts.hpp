// Numbers of one or two bytes as lanes of two bytes: twice as many to a vector as in float32.
#pragma once
#include <voxkern/simd.hpp>

#include <type_traits>

namespace voxkern::cpu {

// u8, i16 and u16 as u16, which wraps.
template <class T>
inline Vec<u16> load_shorts(const T* p) {
  using Raw [[maybe_unused]] = Vec<u16>::Raw;
  constexpr int N = simd::lanes<u16>;
  if constexpr (sizeof(T) == 2) return simd::bits_as<u16>(simd::load(p));
#if defined(__AVX512BW__)
  if constexpr (sizeof(T) == 1 && N == 32)
    return Raw(_mm512_cvtepu8_epi16((__m256i)simd::load<T, N>(p).v));
#endif
#if defined(__AVX2__)
  if constexpr (sizeof(T) == 1 && N == 16)
    return Raw(_mm256_cvtepu8_epi16((__m128i)simd::load<T, N>(p).v));
#endif
#if defined(__SSE4_1__)
  if constexpr (sizeof(T) == 1 && N == 8)
    return Raw(_mm_cvtepu8_epi16(simd::low(simd::load<T, N>(p).v)));
#endif
  if constexpr (sizeof(T) == 1) return simd::convert<u16>(simd::load<T, N>(p));
}
template <class T>
inline Vec<u16> load_shorts(const T* p, int n) {
  const auto some = simd::load<T, simd::lanes<u16>>(p, n);
  return load_shorts(reinterpret_cast<const T*>(&some));
}

// As bytes, those of them that are below 256.
inline Vec<u8, simd::lanes<u16>> as_bytes(Vec<u16> a) {
  using Raw [[maybe_unused]] = Vec<u8, simd::lanes<u16>>::Raw;
#if defined(__AVX512BW__)
  return Raw(_mm512_cvtepi16_epi8((__m512i)a.v));
#elif defined(__AVX2__)
  const __m256i all = (__m256i)a.v;
  return Raw(_mm_packus_epi16(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1)));
#else
  return simd::convert<u8>(a);
#endif
}

// The upper half of each product.
inline Vec<u16> high_product(Vec<u16> a, Vec<u16> b) {
  using Raw [[maybe_unused]] = Vec<u16>::Raw;
#if defined(__AVX512BW__)
  return Raw(_mm512_mulhi_epu16((__m512i)a.v, (__m512i)b.v));
#elif defined(__AVX2__)
  return Raw(_mm256_mulhi_epu16((__m256i)a.v, (__m256i)b.v));
#elif defined(__x86_64__)
  return Raw(_mm_mulhi_epu16((__m128i)a.v, (__m128i)b.v));
#else
  for (int i = 0; i < Vec<u16>::lanes; ++i) a.v[i] = u16(u32(a.v[i]) * b.v[i] >> 16);
  return a;
#endif
}

// Sums in i32 or f64 cut towards zero to what T, an integer, holds of them: the rest wraps.
template <class T, class C, int N>
inline Vec<i32, N> cut(Vec<C, N> sum) {
  const auto whole = simd::convert<i32>(sum);
  if constexpr (sizeof(T) == 4)
    return whole;
  else if constexpr (std::is_signed_v<T>)
    return (whole << 16) >> 16;
  else
    return whole & i32(T(~T(0)));
}
template <class T, class C, int N>
inline Vec<T, N> wrapped(Vec<C, N> sum) {
  if constexpr (sizeof(T) == 4)
    return cut<T>(sum);
  else
    return simd::narrow<T>(cut<T>(sum));
}

}  // namespace voxkern::cpu
