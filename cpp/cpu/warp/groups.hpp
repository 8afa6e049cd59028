// Numbers around several points at once, sorted so that each vector holds one of every point.
#pragma once
#include <voxkern/sample.hpp>
#include <voxkern/simd.hpp>

#include <cstring>

namespace voxkern::cpu {

// Points that are read at once: a group.
template <class R>
constexpr int group = sizeof(R) == 8 ? 4 : 8;

template <int half, int... lane>
inline auto joined(Vec<f32, half> a, Vec<f32, half> b, std::integer_sequence<int, lane...>) {
  return Vec<f32, 2 * half>(__builtin_shufflevector(a.v, b.v, lane...));
}

template <class To, class T>
inline To peek(const T* p) {
  To value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

// p[from] and p[from + 1] for each point.
template <class R, class T>
[[gnu::always_inline]] inline void pairs(const T* p, const i64* from, Vec<R, group<R>>& low,
                                         Vec<R, group<R>>& high) {
  if constexpr (std::is_same_v<T, f32>) {
    using D = Vec<f64, 4>;
    const auto two = [&](int k) { return peek<f64>(p + from[k]); };
    const auto a = simd::bits_as<f32>(D(typename D::Raw{two(0), two(1), two(4), two(5)}));
    const auto b = simd::bits_as<f32>(D(typename D::Raw{two(2), two(3), two(6), two(7)}));
    low = simd::shuffle<0, 2, 8, 10, 4, 6, 12, 14>(a, b);
    high = simd::shuffle<1, 3, 9, 11, 5, 7, 13, 15>(a, b);
  } else if constexpr (sizeof(T) == 1) {
    using V = Vec<u16, 8>;
    const auto two = [&](int k) { return peek<u16>(p + from[k]); };
    const V v(typename V::Raw{two(0), two(1), two(2), two(3), two(4), two(5), two(6), two(7)});
    low = simd::convert<f32>(v & V(u16(255)));
    high = simd::convert<f32>(v >> 8);
  } else if constexpr (sizeof(T) == 2) {
    using V = Vec<std::conditional_t<std::is_signed_v<T>, i32, u32>, 8>;
    const auto two = [&](int k) { return peek<typename V::Lane>(p + from[k]); };
    const V v(typename V::Raw{two(0), two(1), two(2), two(3), two(4), two(5), two(6), two(7)});
    const auto plain = [](V w) { return simd::convert<f32>(simd::bits_as<i32>(w)); };
    low = plain((v << 16) >> 16);
    high = plain(v >> 16);
  } else {
    for (int k = 0; k < group<R>; ++k) {
      low.v[k] = R(p[from[k]]);
      high.v[k] = R(p[from[k] + 1]);
    }
  }
}

template <class R, int N>
[[gnu::always_inline]] inline Vec<R, N> between(Vec<R, N> a, Vec<R, N> b, Vec<R, N> s,
                                                Vec<R, N> t) {
  return simd::fma(b, t, a * s);  // s = 1 - t: exact at both ends
}

// Four lanes of each of eight points into eight points of each lane (f32), or four of four (f64).
template <class R>
[[gnu::always_inline]] inline void by_tap(const Vec<R, 4> (&s)[group<R>],
                                          Vec<R, group<R>> (&taps)[4]) {
  if constexpr (std::is_same_v<R, f32>) {
    const auto all = std::make_integer_sequence<int, 8>{};
    const auto a = joined<4>(s[0], s[4], all), b = joined<4>(s[1], s[5], all);
    const auto c = joined<4>(s[2], s[6], all), d = joined<4>(s[3], s[7], all);
    const auto ab = simd::shuffle<0, 8, 1, 9, 4, 12, 5, 13>(a, b);
    const auto cd = simd::shuffle<0, 8, 1, 9, 4, 12, 5, 13>(c, d);
    const auto ab2 = simd::shuffle<2, 10, 3, 11, 6, 14, 7, 15>(a, b);
    const auto cd2 = simd::shuffle<2, 10, 3, 11, 6, 14, 7, 15>(c, d);
    taps[0] = simd::shuffle<0, 1, 8, 9, 4, 5, 12, 13>(ab, cd);
    taps[1] = simd::shuffle<2, 3, 10, 11, 6, 7, 14, 15>(ab, cd);
    taps[2] = simd::shuffle<0, 1, 8, 9, 4, 5, 12, 13>(ab2, cd2);
    taps[3] = simd::shuffle<2, 3, 10, 11, 6, 7, 14, 15>(ab2, cd2);
  } else {
    const auto ab = simd::shuffle<0, 4, 2, 6>(s[0], s[1]),
               cd = simd::shuffle<0, 4, 2, 6>(s[2], s[3]);
    const auto ab2 = simd::shuffle<1, 5, 3, 7>(s[0], s[1]);
    const auto cd2 = simd::shuffle<1, 5, 3, 7>(s[2], s[3]);
    taps[0] = simd::shuffle<0, 1, 4, 5>(ab, cd);
    taps[1] = simd::shuffle<0, 1, 4, 5>(ab2, cd2);
    taps[2] = simd::shuffle<2, 3, 6, 7>(ab, cd);
    taps[3] = simd::shuffle<2, 3, 6, 7>(ab2, cd2);
  }
}

// Taps along x are read four at a time: the first four and, from order 4 on, the last four.
constexpr int windows(int order) { return order > 3 ? 2 : 1; }

template <int order, class R>
[[gnu::always_inline]] inline Vec<R, 4> window(const R* p, int which) {
  using Q = Vec<R, 4>;
  if constexpr (order == 2) return typename Q::Raw{p[0], p[1], p[2], R(0)};
  return simd::load<R, 4>(p + which * (order - 3));
}

// The weighted sums of the taps of a group, from their windows.
template <int order, class R>
[[gnu::always_inline]] inline Vec<R, group<R>> across(
    const Vec<R, 4> (&sums)[windows(order)][group<R>], const Vec<R, group<R>>* w) {
  using V = Vec<R, group<R>>;
  V taps[4];
  by_tap<R>(sums[0], taps);
  V out = taps[0] * w[0];
  for (int k = 1; k <= order && k < 4; ++k) out = simd::fma(taps[k], w[k], out);
  if constexpr (order > 3) {
    by_tap<R>(sums[1], taps);
    for (int k = 4; k <= order; ++k) out = simd::fma(taps[k - order + 3], w[k], out);
  }
  return out;
}

}  // namespace voxkern::cpu
