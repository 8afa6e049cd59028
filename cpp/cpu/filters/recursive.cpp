// Lines side by side in the lanes of float64 vectors. Along x, and along y while the plane is still
// in the cache, then along z; a strip of lines is fetched into memory of its own, since the rows of
// a volume lie so far apart that the cache would keep few of them.
#include <voxkern/filters/recursive.hpp>
#include <voxkern/simd.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <type_traits>

namespace voxkern::cpu {
namespace {

constexpr i64 streamed_bytes = 8 << 20;          // from here on the output goes around the cache
constexpr i64 cached_bytes = 160 << 10;          // of a strip of lines
constexpr i64 plane_bytes = 320 << 10;           // of a plane that stays in the cache from x to y
constexpr int width = 2;                         // registers of them
constexpr i64 group = width * simd::lanes<f64>;  // lines that are filtered at once

// Filters the lines of `width` registers in place: element i of each lies at data + i * pitch.
template <class R>
void filter(R* data, i64 pitch, i64 n, const Recursion& c, f64* room) {
  using V = Vec<f64>;
  constexpr int L = V::lanes;
  V offset[width], s[4][width];
  for (int w = 0; w < width; ++w) {
    offset[w] = simd::load_as<f64>(data + w * L);
    for (auto& sum : s) sum[w] = V(0.0);
  }
  V n0(c.n[0]), n1(c.n[1]), n2(c.n[2]), n3(c.n[3]);
  const V d1(-c.d[0]), d2(-c.d[1]), d3(-c.d[2]), d4(-c.d[3]);
  for (i64 i = 0; i < n; ++i) {
    for (int w = 0; w < width; ++w) {
      const V x = simd::load_as<f64>(data + i * pitch + w * L) - offset[w];
      const V y = simd::fma(x, n0, s[0][w]);
      s[0][w] = simd::fma(y, d1, simd::fma(x, n1, s[1][w]));
      s[1][w] = simd::fma(y, d2, simd::fma(x, n2, s[2][w]));
      s[2][w] = simd::fma(y, d3, simd::fma(x, n3, s[3][w]));
      s[3][w] = y * d4;
      simd::store(room + (i * width + w) * L, y);
    }
  }
  f64 settled[4];
  c.settled(settled);
  V base[width];
  for (int w = 0; w < width; ++w) {
    const V last = simd::load_as<f64>(data + (n - 1) * pitch + w * L) - offset[w];
    for (int k = 0; k < 4; ++k) s[k][w] = last * V(settled[k]);
    base[w] = offset[w] * V(c.gain);
  }
  const V m1(c.m[0]), m2(c.m[1]), m3(c.m[2]), m4(c.m[3]);
  for (i64 i = n - 1; i >= 0; --i) {
    for (int w = 0; w < width; ++w) {
      R* at = data + i * pitch + w * L;
      const V x = simd::load_as<f64>(at) - offset[w], y = s[0][w];
      s[0][w] = simd::fma(y, d1, simd::fma(x, m1, s[1][w]));
      s[1][w] = simd::fma(y, d2, simd::fma(x, m2, s[2][w]));
      s[2][w] = simd::fma(y, d3, simd::fma(x, m3, s[3][w]));
      s[3][w] = simd::fma(x, m4, y * d4);
      const V sum = (simd::load(room + (i * width + w) * L) + base[w]) + y;
      simd::store(at, simd::convert<R>(sum));
    }
  }
}

// An odd number of cache lines, so that rows spread over all sets of the cache.
template <class R>
i64 pitch_of(i64 count) {
  constexpr i64 line = 64 / sizeof(R);
  return ((count + line - 1) / line | 1) * line;
}

template <class T, class R>
class Passes {
 public:
  Passes(On on, View<const T> in, View<T> out, View<R> between, f64 low, f64 high)
      : on_(on), size_(in.size), in_(in), out_(out), between_(between), low_(low), high_(high) {
    past_ = in.size.count() * i64(sizeof(T)) >= streamed_bytes;
  }

  void run(List<const f64> z, List<const f64> y, List<const f64> x) {
    left_ = (z.size > 0) + (y.size > 0) + (x.size > 0);
    const bool cached = size_.y * size_.x * i64(sizeof(R)) <= plane_bytes;
    if (x.size && y.size && size_.z >= 4 && cached) {
      left_ -= 2;
      first_ = false;
      left_ ? planes(between_, Recursion(x.data), Recursion(y.data))
            : planes(out_, Recursion(x.data), Recursion(y.data));
    } else {
      if (x.size) pass([&](auto from, auto to) { rows(from, to, Recursion(x.data)); });
      if (y.size) pass([&](auto from, auto to) { strips(from, to, Recursion(y.data), true); });
    }
    if (z.size) pass([&](auto from, auto to) { strips(from, to, Recursion(z.data), false); });
  }

 private:
  const On on_;
  const Size size_;
  const View<const T> in_;
  const View<T> out_;
  const View<R> between_;
  const f64 low_, high_;
  bool past_, first_ = true;
  int left_;

  View<const R> made() const { return {between_.data, size_, between_.step}; }

  template <class F>
  void pass(F f) {
    const bool last = --left_ == 0;
    if (first_)
      last ? f(in_, out_) : f(in_, between_);
    else
      last ? f(made(), out_) : f(made(), between_);
    first_ = false;
  }

  // What one task needs for lines of n voxels: the lines themselves and their causal answers.
  struct Room {
    i64 width, pitch;
    Scratch<R> lines;
    Scratch<f64> causal;
    explicit Room(i64 n)
        : width(std::clamp<i64>(cached_bytes / (n * i64(sizeof(R))) / 64 * 64, 64, 512)),
          pitch(pitch_of<R>(width)),
          lines(n * pitch),
          causal(n * group) {
      std::fill(lines.begin(), lines.end(), R(0));
    }
  };

  // Writes voxels: rounded and cut to the range where they are whole.
  template <class B>
  void put(B* p, Vec<R> v, int n, bool past) const {
    if constexpr (std::is_same_v<B, R>) {
      past&& n == simd::lanes<R> ? simd::stream(p, v) : simd::store(p, v, n);
    } else {
      v = simd::min(simd::max(simd::round(v), R(low_)), R(high_));
      simd::store(p, simd::convert<B>(simd::convert<i32>(v)), n);
    }
  }

  // One group of rows, turned so that lanes are rows.
  template <class A, class B>
  void along_x(View<const A> from, View<B> to, i64 z, i64 y, const Recursion& c,
               const Room& room) const {
    constexpr int L = simd::lanes<R>;
    constexpr i64 pitch = group;
    const i64 n = size_.x, count = std::min(pitch, size_.y - y);
    R* at = room.lines.data();
    i64 x = 0;
    if constexpr (sizeof(R) == 4)
      for (; count == pitch && x + L <= n; x += L) {
        Vec<R> block[L];
        for (int r = 0; r < L; ++r) block[r] = simd::load_as<R>(from.row(z, y + r) + x);
        simd::transpose(block);
        for (int r = 0; r < L; ++r) simd::store(at + (x + r) * pitch, block[r]);
      }
    for (i64 r = 0; r < count; ++r)
      for (i64 i = x; i < n; ++i) at[i * pitch + r] = R(from.row(z, y + r)[i]);
    filter(at, pitch, n, c, room.causal.data());
    if constexpr (sizeof(R) == 4)
      for (x = 0; count == pitch && x + L <= n; x += L) {
        Vec<R> block[L];
        for (int r = 0; r < L; ++r) block[r] = simd::load(at + (x + r) * pitch);
        simd::transpose(block);
        for (int r = 0; r < L; ++r) put(to.row(z, y + r) + x, block[r], L, false);
      }
    for (i64 r = 0; r < count; ++r)
      for (i64 i = x; i < n; ++i) put(to.row(z, y + r) + i, Vec<R>(at[i * pitch + r]), 1, false);
  }

  // `count` lines side by side: row i of them lies i steps further.
  template <class A, class B>
  void across(const A* from, i64 step, B* to, i64 to_step, i64 n, i64 count, const Recursion& c,
              const Room& room) const {
    R* lines = room.lines.data();
    for (i64 i = 0; i < n; ++i)
      simd::each_vector<R>(count, [&](i64 x, auto m) {
        simd::store(lines + i * room.pitch + x, simd::load_as<R>(from + i * step + x, m));
      });
    for (i64 x = 0; x < count; x += group) filter(lines + x, room.pitch, n, c, room.causal.data());
    const bool past = past_ && reinterpret_cast<u64>(to) % simd::bytes == 0 &&
                      to_step * i64(sizeof(B)) % simd::bytes == 0;
    for (i64 i = 0; i < n; ++i)
      simd::each_vector<R>(count, [&](i64 x, auto m) {
        put(to + i * to_step + x, simd::load(lines + i * room.pitch + x), m, past);
      });
    if (past) simd::stream_fence();
  }

  template <class B>
  void planes(View<B> to, const Recursion& cx, const Recursion& cy) const {
    parallel_slabs(on_, size_.z, 1, [&](i64 begin, i64 end) {
      const Room room(std::max(size_.y, size_.x));
      for (i64 z = begin; z < end; ++z) {
        for (i64 y = 0; y < size_.y; y += group) along_x(in_, between_, z, y, cx, room);
        i64 x = 0;
        if constexpr (std::is_same_v<B, R>)  // in place
          for (; to.data == between_.data && x + group <= size_.x; x += group)
            filter(between_.row(z, 0) + x, between_.step.y, size_.y, cy, room.causal.data());
        for (; x < size_.x; x += room.width)
          across(made().row(z, 0) + x, between_.step.y, to.row(z, 0) + x, to.step.y, size_.y,
                 std::min(room.width, size_.x - x), cy, room);
      }
    });
  }

  template <class A, class B>
  void rows(View<const A> from, View<B> to, const Recursion& c) const {
    const i64 groups = (size_.y + group - 1) / (group);
    parallel_slabs(on_, size_.z * groups, 1, [&](i64 begin, i64 end) {
      const Room room(size_.x);
      for (i64 i = begin; i < end; ++i) along_x(from, to, i / groups, i % groups * group, c, room);
    });
  }

  // Along y within planes, or along z within sheets of one y.
  template <class A, class B>
  void strips(View<const A> from, View<B> to, const Recursion& c, bool y) const {
    const i64 n = y ? size_.y : size_.z, sheets = y ? size_.z : size_.y;
    const i64 width = Room(n).width, count = (size_.x + width - 1) / width;
    parallel_slabs(on_, sheets * count, 1, [&](i64 begin, i64 end) {
      const Room room(n);
      for (i64 i = begin; i < end; ++i) {
        const i64 sheet = i / count, x = i % count * width;
        across((y ? from.row(sheet, 0) : from.row(0, sheet)) + x, y ? from.step.y : from.step.z,
               (y ? to.row(sheet, 0) : to.row(0, sheet)) + x, y ? to.step.y : to.step.z, n,
               std::min(width, size_.x - x), c, room);
      }
    });
  }
};

}  // namespace

template <class T>
void recursive(On on, View<const T> in, View<T> out, List<const f64> z, List<const f64> y,
               List<const f64> x, f64 low, f64 high) {
  const Size n = in.size;
  if (n.count() == 0) return;
  constexpr bool single = sizeof(T) <= 2 || std::is_same_v<T, f32>;
  using R = std::conditional_t<single, f32, f64>;
  if constexpr (std::is_same_v<T, R>) {
    Passes<T, R>(on, in, out, out, low, high).run(z, y, x);
  } else {
    Scratch<R> between((z.size > 0) + (y.size > 0) + (x.size > 0) > 1 ? n.count() : 0);
    const View<R> view{between.data(), n, {n.y * n.x, n.x, 1}};
    Passes<T, R>(on, in, out, view, low, high).run(z, y, x);
  }
}

using C = List<const f64>;
template void recursive(On, View<const u8>, View<u8>, C, C, C, f64, f64);
template void recursive(On, View<const i16>, View<i16>, C, C, C, f64, f64);
template void recursive(On, View<const u16>, View<u16>, C, C, C, f64, f64);
template void recursive(On, View<const i32>, View<i32>, C, C, C, f64, f64);
template void recursive(On, View<const f32>, View<f32>, C, C, C, f64, f64);
template void recursive(On, View<const f64>, View<f64>, C, C, C, f64, f64);

}  // namespace voxkern::cpu
