// Masks as bits, for CPU schedules: 64 voxels of a row in a word, the first voxel lowest.
#pragma once
#include <voxkern/simd.hpp>

#include <array>

namespace voxkern::bits {

constexpr int width = 64;

constexpr i64 words(i64 voxels) { return (voxels + width - 1) / width; }

// How many voxels of a row of n lie in its w-th word.
constexpr int voxels_in(i64 w, i64 n) { return int(n - w * width < width ? n - w * width : width); }

inline int count(u64 word) { return __builtin_popcountll(word); }
inline int lowest(u64 word) { return __builtin_ctzll(word); }
inline int highest(u64 word) { return 63 - __builtin_clzll(word); }

// The lowest n bits, 0 <= n <= 64.
constexpr u64 first(int n) { return n >= width ? ~u64(0) : (u64(1) << n) - 1; }

// Bit i says what test(i, lanes) answers for voxel i, 0 <= i < n <= 64. The test gets the first
// voxel of a vector of T and how many lanes count, and gives a mask.
template <class T, class Test>
[[gnu::always_inline]] inline u64 collect(int n, Test test) {
  constexpr int N = simd::lanes<T>;
  u64 word = 0;
  if (n == width) {
    for (int i = 0; i < width; i += N) word |= simd::bits(test(i, N)) << i;
    return word;
  }
  for (int i = 0; i < n; i += N) word |= simd::bits(test(i, n - i < N ? n - i : N)) << i;
  return word & first(n);
}

template <class T>
inline u64 differs(const T* p, int n, T from) {
  return collect<T>(n, [=](int i, int lanes) { return simd::load(p + i, lanes) != Vec<T>(from); });
}

template <class T>
inline u64 equal(const T* p, const T* q, int n) {
  return collect<T>(
      n, [=](int i, int lanes) { return simd::load(p + i, lanes) == simd::load(q + i, lanes); });
}

template <class T>
inline u64 between(const T* p, int n, T lower, T upper) {
  return collect<T>(n, [=](int i, int lanes) {
    const Vec<T> v = simd::load(p + i, lanes);
    return (v >= Vec<T>(lower)) & (v <= Vec<T>(upper));
  });
}

// Eight bits as eight bytes of 0 and 1.
inline constexpr auto bytes_of = [] {
  std::array<u64, 256> table{};
  for (int b = 0; b < 256; ++b)
    for (int i = 0; i < 8; ++i)
      if (b >> i & 1) table[b] |= u64(1) << (8 * i);
  return table;
}();

// Writes the bits of a word as bytes, ...
inline void spread(u8* out, u64 word) {
#if defined(__AVX2__)
  const __m256i byte_of =
      _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
  const __m256i bit = _mm256_set1_epi64x(i64(0x8040201008040201));
  for (int half = 0; half < 2; ++half) {
    const __m256i bytes = _mm256_shuffle_epi8(_mm256_set1_epi32(i32(word >> (32 * half))), byte_of);
    const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(bytes, bit), bit);
    _mm256_storeu_si256((__m256i*)(out + 32 * half), _mm256_abs_epi8(set));
  }
#else
  for (int i = 0; i < 8; ++i) std::memcpy(out + 8 * i, &bytes_of[word >> (8 * i) & 255], 8);
#endif
}

// ... or its lowest n.
inline void spread(u8* out, u64 word, int n) {
  if (n == width) return spread(out, word);
  u8 all[width];
  spread(all, word);
  std::memcpy(out, all, std::size_t(n));
}

// The bits of `mask` that a seed reaches through ones of `mask`, going up, the seeds included.
// `carry` says whether the word before hands a reached voxel on, and then whether this one does.
inline u64 fill_upwards(u64 seed, u64 mask, bool& carry) {
  seed = (seed | u64(carry)) & mask;
  const u64 filled = ((seed + mask) ^ mask) & mask;  // the sum carries through to the end of a run
  carry = (filled | seed) >> 63;
  return filled | seed;
}

// The same going down, from the word behind.
inline u64 fill_downwards(u64 seed, u64 mask, bool& carry) {
  u64 filled = (seed | u64(carry) << 63) & mask;
  for (int by = 1; by < width; by *= 2) {
    filled |= mask & filled >> by;
    mask &= mask >> by;
  }
  carry = filled & 1;
  return filled;
}

}  // namespace voxkern::bits
