// AVX-512 on a processor that has none: put before everything (-include) in a build of level v3,
// this makes voxkern/simd.hpp take 64-byte registers and its AVX-512 branches, and gives each
// instruction used there its meaning from Intel's manual, lane by lane.
#pragma once
#if defined(__AVX2__) && !defined(__AVX512F__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop

#include <cmath>
#include <cstdint>
#include <cstring>

#define __AVX512F__ 1
#define __AVX512BW__ 1
#define __AVX512DQ__ 1
#define __AVX512VL__ 1

namespace avx512 {

template <class T>
struct Lanes {
  static constexpr int count = 64 / sizeof(T);
  T lane[count];
};

template <class T, class Register>
Lanes<T> lanes(Register a) {
  static_assert(sizeof(a) == 64);
  Lanes<T> out;
  std::memcpy(&out, &a, 64);
  return out;
}

template <class Register, class T>
Register as_register(const T& lanes) {
  static_assert(sizeof lanes == sizeof(Register));
  Register out;
  std::memcpy(&out, &lanes, sizeof out);
  return out;
}

template <class T>
__m512i load(std::uint64_t mask, const void* from) {
  Lanes<T> out{};
  for (int i = 0; i < out.count; ++i)
    if (mask >> i & 1) std::memcpy(out.lane + i, (const T*)from + i, sizeof(T));
  return as_register<__m512i>(out);
}

template <class T>
void store(void* to, std::uint64_t mask, __m512i a) {
  const auto from = lanes<T>(a);
  for (int i = 0; i < from.count; ++i)
    if (mask >> i & 1) std::memcpy((T*)to + i, from.lane + i, sizeof(T));
}

template <class T>
std::uint64_t signs(__m512i a) {
  const auto from = lanes<T>(a);
  std::uint64_t out = 0;
  for (int i = 0; i < from.count; ++i) out |= std::uint64_t(from.lane[i] < 0) << i;
  return out;
}

template <class T, class Register, class Each>
Register each(Register a, Register b, Each&& f) {
  auto x = lanes<T>(a), y = lanes<T>(b);
  for (int i = 0; i < x.count; ++i) x.lane[i] = f(x.lane[i], y.lane[i]);
  return as_register<Register>(x);
}

template <class T, class Register>
Register fused(Register a, Register b, Register c) {
  auto x = lanes<T>(a), y = lanes<T>(b), z = lanes<T>(c);
  for (int i = 0; i < x.count; ++i) x.lane[i] = std::fma(x.lane[i], y.lane[i], z.lane[i]);
  return as_register<Register>(x);
}

// A bit for each lane of `a` that is greater than that of `b`.
template <class T>
std::uint64_t greater(__m512i a, __m512i b) {
  const auto x = lanes<T>(a), y = lanes<T>(b);
  std::uint64_t out = 0;
  for (int i = 0; i < x.count; ++i) out |= std::uint64_t(x.lane[i] > y.lane[i]) << i;
  return out;
}

// a plus `sign` times b where the mask has a bit, elsewhere `old`.
template <class T>
__m512i added(__m512i old, std::uint64_t mask, __m512i a, __m512i b, int sign) {
  const auto x = lanes<T>(a), y = lanes<T>(b);
  auto out = lanes<T>(old);
  for (int i = 0; i < out.count; ++i)
    if (mask >> i & 1) out.lane[i] = T(x.lane[i] + sign * y.lane[i]);
  return as_register<__m512i>(out);
}

// Bytes by number, within each sixteen; nothing for a negative number.
inline __m512i picked(__m512i a, __m512i number) {
  const auto x = lanes<std::int8_t>(a);
  auto out = lanes<std::int8_t>(number);
  for (int i = 0; i < out.count; ++i)
    out.lane[i] = out.lane[i] < 0 ? 0 : x.lane[i / 16 * 16 + out.lane[i] % 16];
  return as_register<__m512i>(out);
}

inline __m512i repeated(__m128i a) {
  const __m128i out[4] = {a, a, a, a};
  return as_register<__m512i>(out);
}

// One over the square roots, as far off as the manual allows: by 2^-14 of the value.
inline __m512 guessed_inverse_sqrt(__m512 a) {
  auto x = lanes<float>(a);
  for (float& v : x.lane) {
    v = 1 / std::sqrt(v);
    std::uint32_t bits;
    std::memcpy(&bits, &v, sizeof bits);
    bits &= ~((1u << 9) - 1);
    std::memcpy(&v, &bits, sizeof bits);
  }
  return as_register<__m512>(x);
}

// With 8 as the last argument: to the nearest whole number, and what is left over then.
inline __m512 rounded(__m512 a, int) {
  auto x = lanes<float>(a);
  for (float& v : x.lane) v = std::nearbyint(v);
  return as_register<__m512>(x);
}
inline __m512 reduced(__m512 a, int) {
  auto x = lanes<float>(a);
  for (float& v : x.lane) v = std::isinf(v) ? 0.0f : v - std::nearbyint(v);
  return as_register<__m512>(x);
}
inline __m512 scaled(__m512 a, __m512 b) {
  auto x = lanes<float>(a);
  const auto by = lanes<float>(b);
  for (int i = 0; i < x.count; ++i) x.lane[i] *= std::exp2(std::floor(by.lane[i]));
  return as_register<__m512>(x);
}
// x = mantissa(x) 2^(exponent(x) + 1), of positive numbers.
inline __m512 mantissa(__m512 a) {
  auto x = lanes<float>(a);
  int exponent;
  for (float& v : x.lane) v = std::frexp(v, &exponent);
  return as_register<__m512>(x);
}
inline __m512 exponent(__m512 a) {
  auto x = lanes<float>(a);
  for (float& v : x.lane) v = std::floor(std::log2(double(v)));
  return as_register<__m512>(x);
}
inline __m512 permuted(__m512i at, __m512 a) {
  const auto which = lanes<std::uint32_t>(at);
  const auto from = lanes<float>(a);
  auto x = from;
  for (int i = 0; i < x.count; ++i) x.lane[i] = from.lane[which.lane[i] % 16];
  return as_register<__m512>(x);
}

// The lanes of `a`, as many as both registers hold, cast to another type.
template <class To, class From, class Out, class In>
Out converted(In a) {
  constexpr int n = int(sizeof(Out) / sizeof(To));
  static_assert(sizeof a >= n * sizeof(From));
  From from[n];
  To to[n];
  std::memcpy(from, &a, sizeof from);
  for (int i = 0; i < n; ++i) to[i] = To(from[i]);
  return as_register<Out>(to);
}

template <class T, class Index>
__m512i gather(Index index, const void* from, int scale) {
  Lanes<T> out;
  std::int32_t at[Lanes<T>::count];
  static_assert(sizeof at == sizeof index);
  std::memcpy(at, &index, sizeof at);
  for (int i = 0; i < out.count; ++i)
    std::memcpy(out.lane + i, (const char*)from + std::int64_t(at[i]) * scale, sizeof(T));
  return as_register<__m512i>(out);
}

}  // namespace avx512

#define _mm512_maskz_loadu_epi8(mask, p) avx512::load<std::int8_t>(mask, p)
#define _mm512_maskz_loadu_epi16(mask, p) avx512::load<std::int16_t>(std::uint32_t(mask), p)
#define _mm512_maskz_loadu_epi32(mask, p) avx512::load<std::int32_t>(std::uint16_t(mask), p)
#define _mm512_maskz_loadu_epi64(mask, p) avx512::load<std::int64_t>(std::uint8_t(mask), p)
#define _mm512_mask_storeu_epi8(p, mask, a) avx512::store<std::int8_t>(p, mask, a)
#define _mm512_mask_storeu_epi16(p, mask, a) avx512::store<std::int16_t>(p, std::uint32_t(mask), a)
#define _mm512_mask_storeu_epi32(p, mask, a) avx512::store<std::int32_t>(p, std::uint16_t(mask), a)
#define _mm512_mask_storeu_epi64(p, mask, a) avx512::store<std::int64_t>(p, std::uint8_t(mask), a)
#define _mm512_stream_si512(p, a) avx512::stream(p, a)
#define _mm512_movepi8_mask avx512::signs<std::int8_t>
#define _mm512_movepi16_mask avx512::signs<std::int16_t>
#define _mm512_movepi32_mask avx512::signs<std::int32_t>
#define _mm512_movepi64_mask avx512::signs<std::int64_t>
#define _mm512_min_ps(a, b) avx512::each<float>((__m512)(a), (__m512)(b), avx512::less)
#define _mm512_min_pd(a, b) avx512::each<double>((__m512d)(a), (__m512d)(b), avx512::less)
#define _mm512_max_ps(a, b) avx512::each<float>((__m512)(a), (__m512)(b), avx512::more)
#define _mm512_max_pd(a, b) avx512::each<double>((__m512d)(a), (__m512d)(b), avx512::more)
#define _mm512_fmadd_ps(a, b, c) avx512::fused<float>((__m512)(a), (__m512)(b), (__m512)(c))
#define _mm512_fmadd_pd(a, b, c) avx512::fused<double>((__m512d)(a), (__m512d)(b), (__m512d)(c))
#define _mm512_rsqrt14_ps(a) avx512::guessed_inverse_sqrt((__m512)(a))
#define _mm512_roundscale_ps avx512::rounded
#define _mm512_reduce_ps avx512::reduced
#define _mm512_scalef_ps avx512::scaled
#define _mm512_getmant_ps(a, between, sign) avx512::mantissa((__m512)(a))
#define _mm512_getexp_ps avx512::exponent
#define _mm512_permutexvar_ps avx512::permuted
#define _mm512_mulhi_epu16(a, b) \
  avx512::each<std::uint16_t>((__m512i)(a), (__m512i)(b), avx512::high)
#define _mm512_cvtepu8_epi16 avx512::converted<std::int16_t, std::uint8_t, __m512i, __m256i>
#define _mm512_cvtepi16_epi8 avx512::converted<std::int8_t, std::int16_t, __m256i, __m512i>
#define _mm512_cvtepi8_epi32 avx512::converted<std::int32_t, std::int8_t, __m512i, __m128i>
#define _mm512_cvtepu8_epi32 avx512::converted<std::int32_t, std::uint8_t, __m512i, __m128i>
#define _mm512_cvtepi16_epi32 avx512::converted<std::int32_t, std::int16_t, __m512i, __m256i>
#define _mm512_cvtepu16_epi32 avx512::converted<std::int32_t, std::uint16_t, __m512i, __m256i>
#define _mm512_cvtepi32_epi8 avx512::converted<std::int8_t, std::int32_t, __m128i, __m512i>
#define _mm512_cvtepi32_epi16 avx512::converted<std::int16_t, std::int32_t, __m256i, __m512i>
#define _mm512_cvtps_pd(a) avx512::converted<double, float, __m512d>((__m256)(a))
#define _mm512_cvtepi32_pd avx512::converted<double, std::int32_t, __m512d, __m256i>
#define _mm512_i32gather_epi32 avx512::gather<std::int32_t>
#define _mm512_i32gather_epi64 avx512::gather<std::int64_t>
#define _mm512_cmpgt_epi8_mask(a, b) avx512::greater<std::int8_t>(a, b)
#define _mm512_cmplt_epi16_mask(a, b) std::uint32_t(avx512::greater<std::int16_t>(b, a))
#define _mm512_cmplt_epi32_mask(a, b) std::uint16_t(avx512::greater<std::int32_t>(b, a))
#define _mm512_mask_add_epi8(old, mask, a, b) avx512::added<std::int8_t>(old, mask, a, b, 1)
#define _mm512_mask_sub_epi8(old, mask, a, b) avx512::added<std::int8_t>(old, mask, a, b, -1)
#define _mm512_shuffle_epi8(a, number) avx512::picked(a, number)
#define _mm512_broadcast_i32x4(a) avx512::repeated(a)

namespace avx512 {

constexpr auto less = [](auto a, auto b) { return a < b ? a : b; };
constexpr auto high = [](std::uint16_t a, std::uint16_t b) { return a * std::uint32_t(b) >> 16; };
constexpr auto more = [](auto a, auto b) { return a > b ? a : b; };

// The processor faults where the address is not a multiple of 64; so does this.
inline void stream(void* to, __m512i a) {
  if (std::uintptr_t(to) % 64) __builtin_trap();
  std::memcpy(to, &a, 64);
}

}  // namespace avx512

#endif
