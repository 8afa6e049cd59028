// Vectors of numbers as wide as the target's registers, for CPU schedules.
//
// Vec<f32> holds simd::lanes<f32> numbers: 16 bytes on x86-64-v2 and NEON, 32 on v3, 64 on v4.
// Arithmetic and comparisons are the compiler's. A comparison gives a mask: a Vec of signed
// integers of the same width, -1 where true and 0 where not. Functions that take a Vec are found
// by argument; those that take only a pointer are called as simd::load(p). For more numbers than
// one register holds take an array of Vec: GCC does a longer Vec lane by lane.
#pragma once
#include <voxkern/base.hpp>

#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#if defined(__x86_64__)
#pragma GCC diagnostic push
#if !defined(__clang__)  // GCC 12 warns about its own header
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif

namespace voxkern::simd {

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
constexpr int bytes = 64;
#elif defined(__AVX2__)
constexpr int bytes = 32;
#else
constexpr int bytes = 16;
#endif

template <class T>
constexpr int lanes = bytes / int(sizeof(T));

template <int size>
using signed_of =
    std::conditional_t<size == 1, i8,
                       std::conditional_t<size == 2, i16, std::conditional_t<size == 4, i32, i64>>>;

template <class T, bool whole = std::is_integral_v<T>>
struct Wrapping {
  using type = T;
};
template <class T>
struct Wrapping<T, true> {
  using type = std::make_unsigned_t<T>;
};
template <class T>
using wrapping = typename Wrapping<T>::type;

// The compiler's own vector. Apart from Vec, where GCC would drop the attribute.
template <class T, int N>
struct Register {
  typedef T type __attribute__((vector_size(N * sizeof(T))));
  // In memory. Not memcpy: GCC 12 would copy 32 bytes as two halves, over the stack.
  typedef T loose __attribute__((vector_size(N * sizeof(T)), aligned(alignof(T)), may_alias));
};

template <class T, int N = lanes<T>>
struct Vec {
  using Raw = typename Register<T, N>::type;
  using Mask = Vec<signed_of<sizeof(T)>, N>;
  // What arithmetic is done in: integers wrap, which C++ allows only to unsigned ones.
  using Wrap = typename Register<wrapping<T>, N>::type;
  using Lane = T;
  static constexpr int lanes = N;

  Raw v;

  Vec() = default;
  Vec(Raw raw) : v(raw) {}
  Vec(T all) : v(all - Raw{}) {}  // minus, since 0 + -0.0 is +0.0
  T operator[](int lane) const { return v[lane]; }

  friend Vec operator+(Vec a, Vec b) { return Raw(Wrap(a.v) + Wrap(b.v)); }
  friend Vec operator-(Vec a, Vec b) { return Raw(Wrap(a.v) - Wrap(b.v)); }
  friend Vec operator*(Vec a, Vec b) { return Raw(Wrap(a.v) * Wrap(b.v)); }
  friend Vec operator/(Vec a, Vec b) { return Raw(a.v / b.v); }
  friend Vec operator&(Vec a, Vec b) { return Raw(a.v & b.v); }
  friend Vec operator|(Vec a, Vec b) { return Raw(a.v | b.v); }
  friend Vec operator^(Vec a, Vec b) { return Raw(a.v ^ b.v); }
  friend Vec operator<<(Vec a, int by) { return Raw(a.v << by); }
  friend Vec operator>>(Vec a, int by) { return Raw(a.v >> by); }
  Vec operator-() const { return Raw(-Wrap(v)); }
  Vec operator~() const { return Raw(~v); }
  Vec& operator+=(Vec b) { return *this = *this + b; }
  Vec& operator-=(Vec b) { return *this = *this - b; }
  Vec& operator*=(Vec b) { return *this = *this * b; }
  Vec& operator/=(Vec b) { return *this = *this / b; }
  Vec& operator&=(Vec b) { return *this = *this & b; }
  Vec& operator|=(Vec b) { return *this = *this | b; }
  Vec& operator^=(Vec b) { return *this = *this ^ b; }
  friend Mask operator<(Vec a, Vec b) { return (typename Mask::Raw)(a.v < b.v); }
  friend Mask operator>(Vec a, Vec b) { return (typename Mask::Raw)(a.v > b.v); }
  friend Mask operator<=(Vec a, Vec b) { return (typename Mask::Raw)(a.v <= b.v); }
  friend Mask operator>=(Vec a, Vec b) { return (typename Mask::Raw)(a.v >= b.v); }
  friend Mask operator==(Vec a, Vec b) { return (typename Mask::Raw)(a.v == b.v); }
  friend Mask operator!=(Vec a, Vec b) { return (typename Mask::Raw)(a.v != b.v); }
};

// Keeps a Vec argument out of the deduction, so that max(v, 0.0f) means Vec(0.0f).
template <class V>
struct As {
  using type = V;
};
template <class V>
using as = typename As<V>::type;

// The same bits read as lanes of another type, of the same number of bytes in all.
template <class To, class T, int N>
inline auto bits_as(Vec<T, N> a) {
  using Out = Vec<To, int(N * sizeof(T) / sizeof(To))>;
  return Out((typename Out::Raw)a.v);
}

// Reading and writing.

template <class T, int N = lanes<T>>
inline Vec<T, N> load(const T* p) {
  return typename Vec<T, N>::Raw(*(const typename Register<T, N>::loose*)p);
}

template <class T, int N>
inline void store(as<T>* p, Vec<T, N> a) {
  *(typename Register<T, N>::loose*)p = a.v;
}

// memcpy of fewer than `most` bytes without the call: halves, as the bits of the count say.
template <int most>
[[gnu::always_inline]] inline void copy_bytes(char* to, const char* from, int count) {
  if constexpr (most > 1) {
    constexpr int half = most / 2;
    if (count & half) {
      std::memcpy(to, from, half);
      to += half;
      from += half;
    }
    copy_bytes<half>(to, from, count);
  }
}

#if defined(__AVX2__)
// -1 in the first n of 8 integers, read from the middle of this table.
alignas(64) inline constexpr i32 first_of_8[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
// The first n lanes of a 32-byte register, for lanes of four or eight bytes.
template <class T>
inline __m256i first(int n) {
  return _mm256_loadu_si256((const __m256i*)(first_of_8 + 8 - n * int(sizeof(T)) / 4));
}
#endif

// The first n lanes (0 <= n <= N) of memory, zero in the others; nothing behind them is read.
template <class T, int N = lanes<T>>
[[gnu::always_inline]] inline Vec<T, N> load(const T* p, int n) {
  using V = Vec<T, N>;
  constexpr int size = sizeof(V);
  if (n >= N) return load<T, N>(p);
#if defined(__AVX2__)
  if constexpr (size == 32 && sizeof(T) == 4)
    return (typename V::Raw)_mm256_maskload_epi32((const int*)p, first<T>(n));
  if constexpr (size == 32 && sizeof(T) == 8)
    return (typename V::Raw)_mm256_maskload_epi64((const long long*)p, first<T>(n));
#endif
  if constexpr (size == 64) {
#if defined(__AVX512BW__)
    const u64 mask = (u64(1) << n) - 1;
    if constexpr (sizeof(T) == 1) return (typename V::Raw)_mm512_maskz_loadu_epi8(mask, p);
    if constexpr (sizeof(T) == 2) return (typename V::Raw)_mm512_maskz_loadu_epi16(mask, p);
    if constexpr (sizeof(T) == 4) return (typename V::Raw)_mm512_maskz_loadu_epi32(mask, p);
    if constexpr (sizeof(T) == 8) return (typename V::Raw)_mm512_maskz_loadu_epi64(mask, p);
#endif
  }
  V a = T(0);
  copy_bytes<size>((char*)&a, (const char*)p, n * int(sizeof(T)));
  return a;
}

// Writes the first n lanes (0 <= n <= N) and touches nothing behind them.
template <class T, int N>
[[gnu::always_inline]] inline void store(as<T>* p, Vec<T, N> a, int n) {
  constexpr int size = sizeof a;
  if (n >= N) return store(p, a);
#if defined(__AVX2__)
  if constexpr (size == 32 && sizeof(T) == 4)
    return _mm256_maskstore_epi32((int*)p, first<T>(n), (__m256i)a.v);
  if constexpr (size == 32 && sizeof(T) == 8)
    return _mm256_maskstore_epi64((long long*)p, first<T>(n), (__m256i)a.v);
#endif
  if constexpr (size == 64) {
#if defined(__AVX512BW__)
    const u64 mask = (u64(1) << n) - 1;
    if constexpr (sizeof(T) == 1) return _mm512_mask_storeu_epi8(p, mask, (__m512i)a.v);
    if constexpr (sizeof(T) == 2) return _mm512_mask_storeu_epi16(p, mask, (__m512i)a.v);
    if constexpr (sizeof(T) == 4) return _mm512_mask_storeu_epi32(p, mask, (__m512i)a.v);
    if constexpr (sizeof(T) == 8) return _mm512_mask_storeu_epi64(p, mask, (__m512i)a.v);
#endif
  }
  copy_bytes<size>((char*)p, (const char*)&a, n * int(sizeof(T)));
}

// Writes around the cache. p is aligned to the vector's size. End the task with stream_fence():
// locks and atomics do not order these stores.
template <class T, int N>
inline void stream(as<T>* p, Vec<T, N> a) {
#if defined(__x86_64__)
  if constexpr (sizeof a == 16) return _mm_stream_si128((__m128i*)p, (__m128i)a.v);
#endif
#if defined(__AVX2__)
  if constexpr (sizeof a == 32) return _mm256_stream_si256((__m256i*)p, (__m256i)a.v);
#endif
#if defined(__AVX512F__)
  if constexpr (sizeof a == 64) return _mm512_stream_si512((__m512i*)p, (__m512i)a.v);
#endif
  store(p, a);
}

inline void stream_fence() {
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

// Choosing and comparing.

template <class T, int N>
inline Vec<T, N> select(typename Vec<T, N>::Mask mask, Vec<T, N> a, as<Vec<T, N>> b) {
  return typename Vec<T, N>::Raw(mask.v ? a.v : b.v);
}

// If either is NaN, or both are zeros, the answer is b: x86's rule, one instruction there. The
// intrinsics are for constants: GCC turns x < 255 ? x : 255 into a comparison and a blend.
template <class T, int N>
inline Vec<T, N> min(Vec<T, N> a, as<Vec<T, N>> b) {
  [[maybe_unused]] constexpr int size = std::is_floating_point_v<T> ? int(sizeof a) : 0;
  using Raw = typename Vec<T, N>::Raw;
#if defined(__x86_64__)
  if constexpr (size == 16 && sizeof(T) == 4) return Raw(_mm_min_ps(a.v, b.v));
  if constexpr (size == 16 && sizeof(T) == 8) return Raw(_mm_min_pd(a.v, b.v));
#endif
#if defined(__AVX2__)
  if constexpr (size == 32 && sizeof(T) == 4) return Raw(_mm256_min_ps(a.v, b.v));
  if constexpr (size == 32 && sizeof(T) == 8) return Raw(_mm256_min_pd(a.v, b.v));
#endif
#if defined(__AVX512F__)
  if constexpr (size == 64 && sizeof(T) == 4) return Raw(_mm512_min_ps(a.v, b.v));
  if constexpr (size == 64 && sizeof(T) == 8) return Raw(_mm512_min_pd(a.v, b.v));
#endif
  return Raw(a.v < b.v ? a.v : b.v);
}
template <class T, int N>
inline Vec<T, N> max(Vec<T, N> a, as<Vec<T, N>> b) {
  [[maybe_unused]] constexpr int size = std::is_floating_point_v<T> ? int(sizeof a) : 0;
  using Raw = typename Vec<T, N>::Raw;
#if defined(__x86_64__)
  if constexpr (size == 16 && sizeof(T) == 4) return Raw(_mm_max_ps(a.v, b.v));
  if constexpr (size == 16 && sizeof(T) == 8) return Raw(_mm_max_pd(a.v, b.v));
#endif
#if defined(__AVX2__)
  if constexpr (size == 32 && sizeof(T) == 4) return Raw(_mm256_max_ps(a.v, b.v));
  if constexpr (size == 32 && sizeof(T) == 8) return Raw(_mm256_max_pd(a.v, b.v));
#endif
#if defined(__AVX512F__)
  if constexpr (size == 64 && sizeof(T) == 4) return Raw(_mm512_max_ps(a.v, b.v));
  if constexpr (size == 64 && sizeof(T) == 8) return Raw(_mm512_max_pd(a.v, b.v));
#endif
  return Raw(a.v > b.v ? a.v : b.v);
}

// One bit a lane of a mask, the first lane lowest.
template <class M, int N>
inline u64 bits(Vec<M, N> mask) {
  [[maybe_unused]] constexpr int size = sizeof mask;
#if defined(__AVX512BW__)
  if constexpr (size == 64 && sizeof(M) == 1) return _mm512_movepi8_mask((__m512i)mask.v);
  if constexpr (size == 64 && sizeof(M) == 2) return _mm512_movepi16_mask((__m512i)mask.v);
  if constexpr (size == 64 && sizeof(M) == 4) return _mm512_movepi32_mask((__m512i)mask.v);
  if constexpr (size == 64 && sizeof(M) == 8) return _mm512_movepi64_mask((__m512i)mask.v);
#endif
#if defined(__AVX2__)
  if constexpr (size == 32 && sizeof(M) == 1) return u32(_mm256_movemask_epi8((__m256i)mask.v));
  if constexpr (size == 32 && sizeof(M) == 4) return _mm256_movemask_ps((__m256)mask.v);
  if constexpr (size == 32 && sizeof(M) == 8) return _mm256_movemask_pd((__m256d)mask.v);
  if constexpr (size == 32 && sizeof(M) == 2) {
    const __m256i m = (__m256i)mask.v;
    return u32(_mm_movemask_epi8(
        _mm_packs_epi16(_mm256_castsi256_si128(m), _mm256_extracti128_si256(m, 1))));
  }
#endif
#if defined(__x86_64__)
  if constexpr (size == 16 && sizeof(M) == 1) return _mm_movemask_epi8((__m128i)mask.v);
  if constexpr (size == 16 && sizeof(M) == 2)
    return _mm_movemask_epi8(_mm_packs_epi16((__m128i)mask.v, _mm_setzero_si128()));
  if constexpr (size == 16 && sizeof(M) == 4) return _mm_movemask_ps((__m128)mask.v);
  if constexpr (size == 16 && sizeof(M) == 8) return _mm_movemask_pd((__m128d)mask.v);
#endif
  u64 out = 0;
  for (int i = 0; i < N; ++i) out |= u64(mask.v[i] & 1) << i;
  return out;
}
template <class M, int N>
inline bool any(Vec<M, N> mask) {
  if constexpr (sizeof mask == 16 || sizeof mask == 32) return bits(bits_as<i8>(mask)) != 0;
  return bits(mask) != 0;
}
template <class M, int N>
inline bool all(Vec<M, N> mask) {
  return !any(~mask);
}

// Numbers.

// a * b + c: rounded once where the target has FMA (v3, v4, NEON), twice elsewhere (v2).
template <class T, int N>
inline Vec<T, N> fma(Vec<T, N> a, as<Vec<T, N>> b, as<Vec<T, N>> c) {
  [[maybe_unused]] constexpr int size = sizeof a;
  using Raw [[maybe_unused]] = typename Vec<T, N>::Raw;
#if defined(__FMA__)
  if constexpr (size == 16 && sizeof(T) == 4) return Raw(_mm_fmadd_ps(a.v, b.v, c.v));
  if constexpr (size == 16 && sizeof(T) == 8) return Raw(_mm_fmadd_pd(a.v, b.v, c.v));
  if constexpr (size == 32 && sizeof(T) == 4) return Raw(_mm256_fmadd_ps(a.v, b.v, c.v));
  if constexpr (size == 32 && sizeof(T) == 8) return Raw(_mm256_fmadd_pd(a.v, b.v, c.v));
#endif
#if defined(__AVX512F__)
  if constexpr (size == 64 && sizeof(T) == 4) return Raw(_mm512_fmadd_ps(a.v, b.v, c.v));
  if constexpr (size == 64 && sizeof(T) == 8) return Raw(_mm512_fmadd_pd(a.v, b.v, c.v));
#endif
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  for (int i = 0; i < N; ++i) a.v[i] = std::fma(a.v[i], b.v[i], c.v[i]);
  return a;
#else
  return a * b + c;
#endif
}

template <class T, int N>
inline Vec<T, N> abs(Vec<T, N> a) {
  using I = typename Vec<T, N>::Mask;
  if constexpr (std::is_floating_point_v<T>)
    return bits_as<T>(bits_as<typename I::Lane>(a) &
                      I(std::numeric_limits<typename I::Lane>::max()));
  else
    return max(a, -a);
}

// One rounding instruction where there is one: the compiler sees it in these loops.
template <class T, int N>
inline Vec<T, N> sqrt(Vec<T, N> a) {
  for (int i = 0; i < N; ++i) a.v[i] = std::sqrt(a.v[i]);
  return a;
}
template <class T, int N>
inline Vec<T, N> floor(Vec<T, N> a) {
  for (int i = 0; i < N; ++i) a.v[i] = std::floor(a.v[i]);
  return a;
}
template <class T, int N>
inline Vec<T, N> trunc(Vec<T, N> a) {
  for (int i = 0; i < N; ++i) a.v[i] = std::trunc(a.v[i]);
  return a;
}
// To the nearest, halves to the even one, as NumPy's rint.
template <class T, int N>
inline Vec<T, N> round(Vec<T, N> a) {
  for (int i = 0; i < N; ++i) a.v[i] = std::nearbyint(a.v[i]);
  return a;
}

// The lanes of a, then those of b, picked by number.
template <int... lane, class T, int N>
inline Vec<T, int(sizeof...(lane))> shuffle(Vec<T, N> a, Vec<T, N> b) {
  return __builtin_shufflevector(a.v, b.v, lane...);
}
template <int from, class T, int N, int... lane>
inline Vec<T, int(sizeof...(lane))> part(Vec<T, N> a, std::integer_sequence<int, lane...>) {
  return shuffle<(from + lane)...>(a, a);
}
template <class T, int N>
inline Vec<T, N / 2> lower(Vec<T, N> a) {
  return part<0>(a, std::make_integer_sequence<int, N / 2>{});
}
template <class T, int N>
inline Vec<T, N / 2> upper(Vec<T, N> a) {
  return part<N / 2>(a, std::make_integer_sequence<int, N / 2>{});
}

// Folds a vector onto its lower half until one lane is left: always in the same order.
template <class T, int N, class F>
inline T reduce(Vec<T, N> a, F f) {
  if constexpr (N * sizeof(T) <= 8) {
    T out = a[0];
    for (int i = 1; i < N; ++i) out = f(Vec<T, 1>(out), Vec<T, 1>(a[i]))[0];
    return out;
  } else {
    return reduce(f(lower(a), upper(a)), f);
  }
}
template <class T, int N>
inline T reduce_min(Vec<T, N> a) {
  return reduce(a, [](auto x, auto y) { return min(x, y); });
}
template <class T, int N>
inline T reduce_max(Vec<T, N> a) {
  return reduce(a, [](auto x, auto y) { return max(x, y); });
}
template <class T, int N>
inline T reduce_sum(Vec<T, N> a) {
  return reduce(a, [](auto x, auto y) { return x + y; });
}

// Converting. Lanes stay in their places, and their number stays.

#if defined(__SSE4_1__)
// Bytes of a vector of at most 16, in the low part of a register.
template <class Raw>
inline __m128i low(Raw raw) {
  if constexpr (sizeof raw == 16) return (__m128i)raw;
  if constexpr (sizeof raw == 8) {
    long long part;
    std::memcpy(&part, &raw, 8);
    return _mm_cvtsi64_si128(part);
  }
  int part = 0;
  std::memcpy(&part, &raw, sizeof raw < 4 ? sizeof raw : 4);
  return _mm_cvtsi32_si128(part);
}

// u8, i8, u16, i16 to i32. GCC's own conversion goes lane by lane.
template <class T, int N>
inline Vec<i32, N> widen(Vec<T, N> a) {
  using Raw = typename Vec<i32, N>::Raw;
  constexpr bool sign = std::is_signed_v<T>;
  if constexpr (sizeof(T) == 1) {
    const __m128i x = low(a.v);
    if constexpr (N == 4) return Raw(sign ? _mm_cvtepi8_epi32(x) : _mm_cvtepu8_epi32(x));
#if defined(__AVX2__)
    if constexpr (N == 8) return Raw(sign ? _mm256_cvtepi8_epi32(x) : _mm256_cvtepu8_epi32(x));
#endif
#if defined(__AVX512F__)
    if constexpr (N == 16) return Raw(sign ? _mm512_cvtepi8_epi32(x) : _mm512_cvtepu8_epi32(x));
#endif
  } else if constexpr (N <= 8) {
    const __m128i x = low(a.v);
    if constexpr (N == 4) return Raw(sign ? _mm_cvtepi16_epi32(x) : _mm_cvtepu16_epi32(x));
#if defined(__AVX2__)
    if constexpr (N == 8) return Raw(sign ? _mm256_cvtepi16_epi32(x) : _mm256_cvtepu16_epi32(x));
#endif
  } else {
#if defined(__AVX512F__)
    const __m256i x = (__m256i)a.v;
    if constexpr (N == 16) return Raw(sign ? _mm512_cvtepi16_epi32(x) : _mm512_cvtepu16_epi32(x));
#endif
  }
  return __builtin_convertvector(a.v, Raw);
}
#endif

// As a C++ cast: integers wrap, floats are cut towards zero and must lie in the range of To.
template <class To, class T, int N>
inline Vec<To, N> convert(Vec<T, N> a) {
  using Raw = typename Vec<To, N>::Raw;
  if constexpr (std::is_same_v<To, T>) {
    return a;
  } else if constexpr (sizeof(T) <= 2 && (sizeof(To) == 8 || std::is_floating_point_v<To>)) {
    return convert<To>(convert<i32>(a));
  } else {
#if defined(__SSE4_1__)
    if constexpr (sizeof(T) <= 2 && std::is_same_v<To, i32> && N * 4 >= 16 && N * 4 <= bytes)
      return widen(a);
#endif
#if defined(__AVX2__)
    if constexpr (std::is_same_v<To, f64> && N == 4) {
      if constexpr (std::is_same_v<T, f32>) return Raw(_mm256_cvtps_pd(a.v));
      if constexpr (std::is_same_v<T, i32>) return Raw(_mm256_cvtepi32_pd((__m128i)a.v));
    }
#endif
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<To, f64> && N == 8) {
      if constexpr (std::is_same_v<T, f32>) return Raw(_mm512_cvtps_pd(a.v));
      if constexpr (std::is_same_v<T, i32>) return Raw(_mm512_cvtepi32_pd((__m256i)a.v));
    }
#endif
    return __builtin_convertvector(a.v, Raw);
  }
}

// i32 to u8, i8, u16 or i16, the nearest that there is.
template <class To, int N>
inline Vec<To, N> narrow(Vec<i32, N> a) {
  using Out = Vec<To, N>;
  using Limits = std::numeric_limits<To>;
#if defined(__AVX512F__)
  if constexpr (N == 16 && sizeof(To) == 1) {
    a = min(max(a, i32(Limits::min())), i32(Limits::max()));
    return typename Out::Raw(_mm512_cvtepi32_epi8((__m512i)a.v));
  } else if constexpr (N == 16) {
    a = min(max(a, i32(Limits::min())), i32(Limits::max()));
    return typename Out::Raw(_mm512_cvtepi32_epi16((__m512i)a.v));
  } else
#endif
#if defined(__SSE4_1__)
      if constexpr (N == 4 || (N == 8 && bytes >= 32)) {
    __m128i lower, upper;  // the packing instructions saturate by themselves
    if constexpr (N == 4) lower = upper = (__m128i)a.v;
#if defined(__AVX2__)
    if constexpr (N == 8) {
      lower = _mm256_castsi256_si128((__m256i)a.v);
      upper = _mm256_extracti128_si256((__m256i)a.v, 1);
    }
#endif
    __m128i packed =
        std::is_same_v<To, u16> ? _mm_packus_epi32(lower, upper) : _mm_packs_epi32(lower, upper);
    if constexpr (std::is_same_v<To, u8>) packed = _mm_packus_epi16(packed, packed);
    if constexpr (std::is_same_v<To, i8>) packed = _mm_packs_epi16(packed, packed);
    Out out;
    std::memcpy(&out, &packed, sizeof out);
    return out;
  } else
#endif
  {
    a = min(max(a, i32(Limits::min())), i32(Limits::max()));
    return __builtin_convertvector(a.v, typename Out::Raw);
  }
}

// As convert, but what To cannot hold becomes the nearest that it can, and NaN becomes 0.
template <class To, class T, int N>
inline Vec<To, N> saturate(Vec<T, N> a) {
  if constexpr (std::is_floating_point_v<To> || std::is_same_v<To, T>) {
    return convert<To>(a);
  } else if constexpr (std::is_floating_point_v<T> && sizeof(To) <= 2) {
    // max() turns NaN into the lower end, which is 0 already where To has no sign.
    if constexpr (std::is_signed_v<To>) a = select(a == a, a, T(0));
    a = min(max(a, T(std::numeric_limits<To>::min())), T(std::numeric_limits<To>::max()));
    return narrow<To>(convert<i32>(a));
  } else if constexpr (std::is_floating_point_v<T>) {
    // 2^31 is a float and 2^31 - 1 is not, so the upper end is put in afterwards.
    constexpr T top = T(2147483648.0);
    const auto too_big = a >= top;
    const auto number = select(a == a, a, T(0));
    const auto cut = convert<i32>(select(too_big, Vec<T, N>(T(0)), max(number, -top)));
    const auto whole =
        select(convert<i32>(too_big) != i32(0), Vec<i32, N>(std::numeric_limits<i32>::max()), cut);
    return convert<To>(whole);
  } else if constexpr (std::is_same_v<T, i32> && sizeof(To) <= 2) {
    return narrow<To>(a);
  } else {
    static_assert(sizeof(To) > sizeof(T), "saturate i32, f32 or f64; this pair is not there");
    return convert<To>(a);
  }
}

// Reads numbers of one type as another: load_as<f32>(bytes). With n: the first n, zero behind.
template <class To, int N = lanes<To>, class T>
inline Vec<To, N> load_as(const T* p) {
  return convert<To>(load<T, N>(p));
}
template <class To, int N = lanes<To>, class T>
inline Vec<To, N> load_as(const T* p, int n) {
  return convert<To>(load<T, N>(p, n));
}

// Which of n voxels from `at` on lie inside: all without a mask, else those whose byte is not zero.
template <class M>
inline M inside(const u8* mask, i64 at, int n = M::lanes) {
  using Lane = typename M::Lane;
  if (mask) return convert<Lane>(load<u8, M::lanes>(mask + at, n)) != M(Lane(0));
  M all = Lane(-1);
  for (int i = n; i < M::lanes; ++i) all.v[i] = 0;
  return all;
}

// Runs use(i, n) over [0, count) for vectors of n numbers: n is a constant but for the last few.
template <class T, class Use>
[[gnu::always_inline]] inline void each_vector(i64 count, Use use) {
  constexpr int step = lanes<T>;
  i64 i = 0;
  for (; i + step <= count; i += step) use(i, std::integral_constant<int, step>());
  if (i < count) use(i, int(count - i));
}

// Writes f32, f64 or i32 as another type, saturating, cut towards zero: call round() first if
// wanted.
template <class To, class T, int N>
inline void store_as(To* p, Vec<T, N> a) {
  store(p, saturate<To>(a));
}
template <class To, class T, int N>
inline void store_as(To* p, Vec<T, N> a, int n) {
  store(p, saturate<To>(a), n);
}

// p[index] for each lane.
template <class T, int N>
inline Vec<T, N> gather(const T* p, Vec<i32, N> index) {
  using V = Vec<T, N>;
#if defined(__AVX2__)
  if constexpr (sizeof(T) == 4 && N == 8)
    return typename V::Raw(_mm256_i32gather_epi32((const int*)p, (__m256i)index.v, 4));
  if constexpr (sizeof(T) == 8 && N == 4)
    return typename V::Raw(_mm256_i32gather_epi64((const long long*)p, (__m128i)index.v, 8));
#endif
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4 && N == 16)
    return typename V::Raw(_mm512_i32gather_epi32((__m512i)index.v, p, 4));
  if constexpr (sizeof(T) == 8 && N == 8)
    return typename V::Raw(_mm512_i32gather_epi64((__m256i)index.v, p, 8));
#endif
  V out;
  for (int i = 0; i < N; ++i) out.v[i] = p[index.v[i]];
  return out;
}

// Transposing a square block of N rows of N lanes of four bytes.

// Swaps the blocks of `step` lanes off the diagonal between two rows that are `step` apart.
template <int step, class V, int... lane>
[[gnu::always_inline]] inline void swap_blocks(V& a, V& b, std::integer_sequence<int, lane...>) {
  constexpr int N = V::lanes;
  const V upper = shuffle<(lane & step ? lane - step + N : lane)...>(a, b);
  b = shuffle<(lane & step ? lane + N : lane + step)...>(a, b);
  a = upper;
}

// Interleaves units of `unit` lanes within each 16 bytes: unpcklps and its like.
template <int unit, int upper, class V, int... lane>
[[gnu::always_inline]] inline V unpack(V a, V b, std::integer_sequence<int, lane...>) {
  constexpr int N = V::lanes;
  if constexpr (unit == 1)
    return shuffle<(lane / 4 * 4 + 2 * upper + lane % 4 / 2 + (lane & 1 ? N : 0))...>(a, b);
  else
    return shuffle<(lane / 4 * 4 + 2 * upper + lane % 2 + (lane & 2 ? N : 0))...>(a, b);
}

template <class T, int N>
[[gnu::always_inline]] inline void transpose(Vec<T, N> (&rows)[N]) {
  static_assert(sizeof(T) == 4 && N >= 4);
  const auto all = std::make_integer_sequence<int, N>{};
  for (int g = 0; g < N; g += 4) {
    const auto a = unpack<1, 0>(rows[g], rows[g + 1], all);
    const auto b = unpack<1, 1>(rows[g], rows[g + 1], all);
    const auto c = unpack<1, 0>(rows[g + 2], rows[g + 3], all);
    const auto d = unpack<1, 1>(rows[g + 2], rows[g + 3], all);
    rows[g] = unpack<2, 0>(a, c, all);
    rows[g + 1] = unpack<2, 1>(a, c, all);
    rows[g + 2] = unpack<2, 0>(b, d, all);
    rows[g + 3] = unpack<2, 1>(b, d, all);
  }
  for (int i = 0; i < N; ++i)
    if constexpr (N >= 8)
      if (!(i & 4)) swap_blocks<4>(rows[i], rows[i + 4], all);
  for (int i = 0; i < N; ++i)
    if constexpr (N >= 16)
      if (!(i & 8)) swap_blocks<8>(rows[i], rows[i + 8], all);
}

// Floats as integers in the same order: -inf < ... < -0 < +0 < ... < +inf < NaN. Rank filters and
// morphology compare these, so that NaN has one place whatever the order of the operands.
template <class T, int N>
inline auto to_key(Vec<T, N> a) {
  using I = typename Vec<T, N>::Mask;
  using Lane = typename I::Lane;
  const I k = bits_as<Lane>(select(a == a, a, std::numeric_limits<T>::quiet_NaN()));
  return k ^ ((k >> int(8 * sizeof(T) - 1)) & I(std::numeric_limits<Lane>::max()));
}
template <class T, class I, int N>
inline Vec<T, N> from_key(Vec<I, N> k) {
  return bits_as<T>(k ^ ((k >> int(8 * sizeof(T) - 1)) & Vec<I, N>(std::numeric_limits<I>::max())));
}

// Sums a row vector by vector: each lane in float64, and the lanes at the end.
class LaneSum {
 public:
  void add(Vec<f64> v) { low_ += v; }
  void add(Vec<f32> v) {
    low_ += convert<f64>(lower(v));
    high_ += convert<f64>(upper(v));
  }
  f64 total() const { return reduce_sum(low_ + high_); }

 private:
  Vec<f64> low_ = f64(0), high_ = f64(0);
};

}  // namespace voxkern::simd

namespace voxkern {
using simd::LaneSum;
using simd::Vec;
}  // namespace voxkern
