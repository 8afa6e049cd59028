// simd.hpp against scalar truths, lane by lane.
#include <voxkern/simd.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "check.hpp"

using namespace voxkern;

template <class T>
std::vector<T> numbers(int n, unsigned seed = 1) {
  std::vector<T> out;
  for (int i = 0; i < n; ++i) {
    seed = seed * 1664525u + 1013904223u;
    const int v = int(seed >> 8) % 60000 - 30000;
    if constexpr (std::is_floating_point_v<T>)
      out.push_back(T(v) / 64);
    else
      out.push_back(T(v));
  }
  return out;
}

template <class T>
bool same(T a, T b) {
  return !std::memcmp(&a, &b, sizeof a);
}

template <class T>
void memory() {
  constexpr int N = Vec<T>::lanes;
  for (int n = 0; n <= N; ++n) {
    // Exactly n on the heap: a sanitizer sees any lane too many.
    std::vector<T> from = numbers<T>(n), to(n);
    const auto v = simd::load<T>(from.data(), n);
    for (int i = 0; i < N; ++i) CHECK(same(v[i], i < n ? from[i] : T(0)));
    store(to.data(), v, n);
    CHECK(to == from);
    std::vector<T> wide(2 * N, T(7));
    store(wide.data(), v, n);
    for (int i = n; i < 2 * N; ++i) CHECK(wide[i] == T(7));
  }
  const auto x = numbers<T>(N);
  alignas(64) T y[N];
  stream(y, simd::load(x.data()));
  simd::stream_fence();
  CHECK(std::equal(x.begin(), x.end(), y));
}

template <class T>
void masks() {
  using Mask = typename Vec<T>::Mask;
  constexpr int N = Vec<T>::lanes;
  for (i64 n = 0; n <= 3 * N; ++n) {
    std::vector<u8> bytes = numbers<u8>(int(n));
    for (i64 i = 0; i < n; i += 3) bytes[i] = 0;
    i64 seen = 0;
    simd::each_vector<T>(n, [&](i64 at, auto some) {
      CHECK(at == seen && some > 0 && some <= N);
      const Mask in = simd::inside<Mask>(bytes.data(), at, some);
      const Mask all = simd::inside<Mask>(nullptr, at, some);
      for (int i = 0; i < N; ++i) {
        CHECK(all[i] == (i < some ? -1 : 0));
        CHECK(in[i] == (i < some && bytes[at + i] ? -1 : 0));
      }
      seen += some;
    });
    CHECK(seen == n);
  }
}

template <class T>
void order() {
  constexpr int N = Vec<T>::lanes;
  for (unsigned seed = 1; seed < 50; ++seed) {
    const auto x = numbers<T>(N, seed), y = numbers<T>(N, seed + 99);
    const auto a = simd::load(x.data()), b = simd::load(y.data());
    const auto small = min(a, b), large = max(a, b);
    const auto mask = a < b;
    const auto chosen = select(mask, a, b + T(1));
    u64 expected = 0;
    for (int i = 0; i < N; ++i) {
      CHECK(small[i] == std::min(x[i], y[i]));
      CHECK(large[i] == std::max(x[i], y[i]));
      CHECK(chosen[i] == (x[i] < y[i] ? x[i] : T(y[i] + 1)));
      CHECK((mask[i] == -1) == (x[i] < y[i]));
      expected |= u64(x[i] < y[i]) << i;
    }
    CHECK(bits(mask) == expected);
    CHECK(any(mask) == (expected != 0));
    CHECK(all(mask) == (bits(~mask) == 0));
    CHECK(reduce_min(a) == *std::min_element(x.begin(), x.end()));
    CHECK(reduce_max(a) == *std::max_element(x.begin(), x.end()));
    if constexpr (std::is_signed_v<T>)
      for (int i = 0; i < N; ++i) CHECK(abs(a)[i] == T(x[i] < 0 ? -x[i] : x[i]));
  }
  const Vec<T> one = T(1);
  CHECK(all(one == T(1)) && !any(one != T(1)) && reduce_sum(one) == T(N));
}

template <class T>
void floats() {
  constexpr int N = Vec<T>::lanes;
  const T nan = std::numeric_limits<T>::quiet_NaN(), inf = std::numeric_limits<T>::infinity();
  const Vec<T> number = T(3), unknown = nan;
  CHECK(min(number, unknown)[0] != min(number, unknown)[0]);
  CHECK(min(unknown, number)[0] == 3 && max(unknown, number)[0] == 3);
  CHECK(same(Vec<T>(T(-0.0))[0], T(-0.0)));
  const std::vector<T> some = {0.5, 1.5, 2.5, -0.5, -1.5, T(1e6), T(3.7), T(-3.7)};
  for (T s : some) {
    CHECK(floor(Vec<T>(s))[N - 1] == std::floor(s));
    CHECK(round(Vec<T>(s))[N - 1] == std::nearbyint(s));
    CHECK(sqrt(Vec<T>(std::abs(s)))[N - 1] == std::sqrt(std::abs(s)));
    const T exact = std::fma(s, T(1.1), T(-0.3)), twice = s * T(1.1) + T(-0.3);
    const T got = fma(Vec<T>(s), T(1.1), T(-0.3))[N - 1];
    CHECK(got == exact || got == twice);
  }
  const std::vector<T> ordered = {-inf, -2, T(-1e-40), T(-0.0), T(0.0), T(1e-40), 5, inf, nan};
  for (size_t i = 0; i + 1 < ordered.size(); ++i) {
    const Vec<T> a = ordered[i], b = ordered[i + 1];
    CHECK(all(to_key(a) < to_key(b)));
    CHECK(same(simd::from_key<T>(to_key(a))[0], ordered[i]));
  }
  CHECK(all(to_key(Vec<T>(-nan)) > to_key(Vec<T>(inf))));
}

template <class To, class T>
void reading() {
  constexpr int N = Vec<To>::lanes;
  for (int n = 0; n <= N; ++n) {
    const auto x = numbers<T>(n);
    const auto v = simd::load_as<To>(x.data(), n);
    for (int i = 0; i < N; ++i) CHECK(v[i] == (i < n ? To(x[i]) : To(0)));
  }
  const auto x = numbers<T>(N);
  for (int i = 0; i < N; ++i) CHECK(simd::load_as<To>(x.data())[i] == To(x[i]));
}

template <class To, class T>
To nearest(T v) {
  using Limits = std::numeric_limits<To>;
  if (v != v) return 0;
  if (double(v) <= double(Limits::min())) return Limits::min();
  if (double(v) >= double(Limits::max())) return Limits::max();
  return To(v);
}

template <class To, class T>
void writing() {
  constexpr int N = Vec<T>::lanes;
  auto x = numbers<T>(40 * N);
  for (double v :
       {0.,     -1.,    1.,     0.9,    -0.9,  127.,  128.,    254.9,   255.,        256.,
        32767., 32768., 65535., 65536., -128., -129., -32768., -32769., 2147483520., -2147483648.})
    x.push_back(T(v));
  if (std::is_floating_point_v<T>)
    for (double v : {2147483648., -2147483904., 1e20, -1e20, HUGE_VAL, -HUGE_VAL, double(NAN)})
      x.push_back(T(v));
  while (x.size() % N) x.push_back(T(5));
  for (size_t at = 0; at < x.size(); at += N) {
    const auto v = simd::load(&x[at]);
    for (int n = 0; n <= N; ++n) {
      std::vector<To> to(n);
      store_as(to.data(), v, n);
      for (int i = 0; i < n; ++i) CHECK((to[i] == nearest<To>(x[at + i])));
    }
  }
}

template <class T>
void moving() {
  constexpr int N = Vec<T>::lanes;
  const auto table = numbers<T>(1000);
  Vec<i32, N> index;
  for (int i = 0; i < N; ++i) index.v[i] = 13 * i * i % 1000;
  for (int i = 0; i < N; ++i) CHECK(simd::gather(table.data(), index)[i] == table[index[i]]);
}

template <class T>
void turning() {
  constexpr int N = Vec<T>::lanes;
  Vec<T> rows[N];
  for (int i = 0; i < N; ++i)
    for (int j = 0; j < N; ++j) rows[i].v[j] = T(100 * i + j);
  transpose(rows);
  for (int i = 0; i < N; ++i)
    for (int j = 0; j < N; ++j) CHECK(rows[i][j] == T(100 * j + i));
}

void loads_and_stores() {
  memory<u8>(), memory<i8>(), memory<i16>(), memory<u16>(), memory<i32>(), memory<u32>();
  memory<i64>(), memory<f32>(), memory<f64>();
}
void comparisons() {
  order<u8>(), order<i8>(), order<i16>(), order<u16>(), order<i32>(), order<u32>();
  order<i64>(), order<f32>(), order<f64>();
}
void inside_a_mask() {
  masks<u8>(), masks<i16>(), masks<u16>(), masks<i32>(), masks<i64>(), masks<f32>(), masks<f64>();
}
void float_functions() { floats<f32>(), floats<f64>(); }

template <class... T>
void reading_all() {
  (reading<f32, T>(), ...);
  (reading<f64, T>(), ...);
}
void reading_as_another_type() {
  reading_all<u8, i8, i16, u16, i32, f32, f64>();
  reading<i32, u8>(), reading<i32, i8>(), reading<i32, i16>(), reading<i32, u16>();
  reading<i16, u8>(), reading<u16, u8>(), reading<f64, i64>();
}

template <class... To>
void writing_all() {
  (writing<To, f32>(), ...);
  (writing<To, f64>(), ...);
  (writing<To, i32>(), ...);
}
void writing_as_another_type() {
  writing_all<u8, i8, i16, u16, i32>();
  f32 out[Vec<f64>::lanes];
  store_as(out, Vec<f64>(0.1));
  CHECK(out[0] == 0.1f);
}

void gathering() { moving<f32>(), moving<i32>(), moving<f64>(); }
void transposing() { turning<f32>(), turning<i32>(); }

void lane_sums() {
  LaneSum sum;
  for (int i = 0; i < 1000; ++i) sum.add(Vec<f32>(0.1f));
  CHECK(std::abs(sum.total() - 1000.0 * Vec<f32>::lanes * f64(0.1f)) < 1e-9);
}

#define CASE(name) {#name, name}
int main(int count, char** arguments) {
  return run({CASE(loads_and_stores), CASE(comparisons), CASE(inside_a_mask), CASE(float_functions),
              CASE(reading_as_another_type), CASE(writing_as_another_type), CASE(gathering),
              CASE(transposing), CASE(lane_sums)},
             count, arguments);
}
