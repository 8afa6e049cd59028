// A row moved is the row correlated with Dirichlet's kernel, all around. The kernels of both
// directions are mirrored, so that sums and differences of voxels that lie opposite each other
// serve both. Rows lie side by side in the lanes.
#include <voxkern/filters/unring.hpp>

#include <voxkern/simd.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <cmath>

namespace voxkern::cpu {

namespace {

constexpr i64 wide = 2;    // vectors of rows
constexpr i64 group = 2;   // shifts that share what they read
constexpr i64 chunk = 16;  // shifts whose rows are kept at a time
constexpr f64 pi = 3.141592653589793;

// Half a kernel for each shift: the parts that are even and odd about its centre.
template <class T>
struct Kernels {
  i64 n, half, count;
  Scratch<T> even, odd, last;  // `last`: the sine by which the highest frequency leaves the reals

  Kernels(i64 n, List<const f64> shifts)
      : n(n),
        half(n / 2 + 1),
        count((shifts.size + group - 1) / group * group),
        even(count * half),
        odd(count * half),
        last(count) {
    for (i64 s = 0; s < count; ++s) {
      const f64 by = shifts[std::min(s, shifts.size - 1)];
      last[s] = T(n % 2 ? 0 : std::sin(pi * by));
      for (i64 m = 0; m < half; ++m) {
        const bool alone = m == 0 || 2 * m == n;
        const f64 a = at(f64(m) + by), b = at(f64(m) - by);  // at(-t) = at(t)
        even[s * half + m] = T(alone ? a : 0.5 * (a + b));
        odd[s * half + m] = T(alone ? 0 : 0.5 * (a - b));
      }
    }
  }
  f64 at(f64 t) const {
    const f64 turn = pi * t / f64(n);
    return std::sin(pi * t) / (f64(n) * (n % 2 ? std::sin(turn) : std::tan(turn)));
  }
};

// A few rows at once: item i of `wide` vectors stands at [i * wide].
template <class T>
class Rows {
 public:
  using V = Vec<T>;

  Rows(const Kernels<T>& kernels, i64 points)
      : k_(kernels),
        n_(kernels.n),
        points_(points),
        row_((2 * n_ + 2) * pitch),
        pairs_(2 * k_.half * pitch),
        moved_(2 * chunk * n_ * pitch),
        steps_((n_ + 2 * points) * pitch),
        best_(2 * n_ * pitch),
        value_(2 * n_ * pitch),
        shift_(2 * n_ * pitch) {}

  static constexpr i64 pitch = wide * V::lanes;

  // Voxel i of row r.
  T& at(i64 i, i64 r) const { return row_[(i + n_ / 2) * pitch + r]; }

  void mend(List<const f64> shifts) {
    const i64 half = n_ / 2;
    std::copy_n(&at(0, 0), (n_ + 1 - half) * pitch, &at(n_, 0));
    std::copy_n(&at(n_ - half, 0), half * pitch, row_.data());
    begin();
    for (i64 s = 0; s < shifts.size; s += chunk) {
      const i64 here = std::min(chunk, k_.count - s);
      for (i64 i = 0; i < n_; ++i) {
        pair_up(i);
        for (i64 t = 0; t < here; t += group) move(i, s + t, t);
      }
      for (i64 t = 0; t < std::min(here, shifts.size - s); ++t)
        for (i64 side = 0; side < 2; ++side) compare(side, shifts[s + t], moved(t, side));
    }
    finish();
  }

 private:
  const Kernels<T>& k_;
  const i64 n_, points_;
  Scratch<T> row_, pairs_, moved_, steps_, best_, value_, shift_;
  V high_[wide];  // the highest frequency's share of an even number of voxels, squared

  T* moved(i64 t, i64 side) const { return moved_.data() + (2 * t + side) * n_ * pitch; }

  void begin() {
    for (i64 v = 0; v < wide; ++v) {
      V sum = T(0);
      for (i64 i = 0; i < n_; ++i) {
        const V x = simd::load(&at(i, v * V::lanes));
        sum = i % 2 ? sum - x : sum + x;
      }
      sum = sum * V(T(1) / T(n_));
      high_[v] = sum * sum;
    }
    vary(&at(0, 0));
    for (i64 side = 0; side < 2; ++side)
      for (i64 i = 0; i < n_ * pitch; i += V::lanes) {
        const i64 to = side * n_ * pitch + i;
        simd::store(value_.data() + to, simd::load(&at(0, i)));
        simd::store(best_.data() + to, variation(i));
        simd::store(shift_.data() + to, V(T(0)));
      }
  }

  // Sums and differences of the voxels m before and m behind voxel i.
  void pair_up(i64 i) {
    for (i64 m = 0; m < k_.half; ++m)
      for (i64 v = 0; v < pitch; v += V::lanes) {
        const V a = simd::load(&at(i - m, v)), b = simd::load(&at(i + m, v));
        const bool alone = m == 0 || 2 * m == n_;
        simd::store(pairs_.data() + 2 * m * pitch + v, alone ? a : a + b);
        simd::store(pairs_.data() + (2 * m + 1) * pitch + v, a - b);
      }
  }

  // Voxel i moved by the shifts from s on, to both sides.
  void move(i64 i, i64 s, i64 t) {
    static_assert(group == 2 && wide == 2);  // as many sums as there are registers for
    const T *even = k_.even.data() + s * k_.half, *odd = k_.odd.data() + s * k_.half;
    const T* pair = pairs_.data();
    const i64 half = k_.half;
    // By name: an array would be written to memory at each turn.
    V p0 = T(0), p1 = p0, q0 = p0, q1 = p0, r0 = p0, r1 = p0, s0 = p0, s1 = p0;
    for (i64 m = 0; m < half; ++m, pair += 2 * pitch) {
      const V a = simd::load(pair), b = simd::load(pair + V::lanes);
      const V c = simd::load(pair + pitch), d = simd::load(pair + pitch + V::lanes);
      const V e(even[m]), f(even[half + m]), g(odd[m]), h(odd[half + m]);
      p0 = simd::fma(a, e, p0), p1 = simd::fma(b, e, p1);
      q0 = simd::fma(a, f, q0), q1 = simd::fma(b, f, q1);
      r0 = simd::fma(c, g, r0), r1 = simd::fma(d, g, r1);
      s0 = simd::fma(c, h, s0), s1 = simd::fma(d, h, s1);
    }
    const V ahead[group][wide] = {{p0, p1}, {q0, q1}}, back[group][wide] = {{r0, r1}, {s0, s1}};
    for (i64 g = 0; g < group; ++g)
      for (i64 v = 0; v < wide; ++v) {
        const V a = ahead[g][v] + back[g][v], b = ahead[g][v] - back[g][v];
        const i64 to = i * pitch + v * V::lanes;
        const V turned = V(k_.last[s + g]), more = turned * turned * high_[v];
        simd::store(moved(t + g, 0) + to, size(a, more));
        simd::store(moved(t + g, 1) + to, size(b, more));
      }
  }
  V size(V a, V more) const { return n_ % 2 ? simd::abs(a) : simd::sqrt(a * a + more); }

  // How far each voxel is from the next, all around, from `points` before the first on.
  void vary(const T* x) {
    for (i64 i = 0; i < n_; ++i) {
      const T *here = x + i * pitch, *next = i + 1 < n_ ? here + pitch : x;
      for (i64 v = 0; v < pitch; v += V::lanes)
        simd::store(steps_.data() + (points_ + i) * pitch + v,
                    simd::abs(simd::load(here + v) - simd::load(next + v)));
    }
    for (i64 i = 0; i < points_; ++i) {
      T* step = steps_.data() + points_ * pitch;
      std::copy_n(step + i % n_ * pitch, pitch, step + (n_ + i) * pitch);
      std::copy_n(step + (n_ - 1 - i % n_) * pitch, pitch, step - (i + 1) * pitch);
    }
  }
  // Of the neighbours on the side where they vary less.
  V variation(i64 at) const {
    V after = T(0), before = T(0);
    for (i64 p = 0; p < points_; ++p) {
      before += simd::load(steps_.data() + p * pitch + at);
      after += simd::load(steps_.data() + (points_ + p) * pitch + at);
    }
    return simd::min(after, before);
  }

  void compare(i64 side, f64 by, const T* x) {
    vary(x);
    const V shift = T(by);
    for (i64 i = 0; i < n_ * pitch; i += V::lanes) {
      const i64 at = side * n_ * pitch + i;
      const V found = variation(i), best = simd::load(best_.data() + at);
      const auto less = found < best;
      if (!simd::any(less)) continue;
      simd::store(best_.data() + at, simd::select(less, found, best));
      simd::store(value_.data() + at,
                  simd::select(less, simd::load(x + i), simd::load(value_.data() + at)));
      simd::store(shift_.data() + at, simd::select(less, shift, simd::load(shift_.data() + at)));
    }
  }

  // In place: between the best shifts to both sides.
  void finish() {
    for (i64 i = 0; i < n_ * pitch; i += V::lanes) {
      const i64 other = n_ * pitch + i;
      const V after = simd::load(value_.data() + i), before = simd::load(value_.data() + other);
      const V back = simd::load(shift_.data() + other);
      const V way = simd::load(shift_.data() + i) + back;
      const V x = simd::load(&at(0, i));
      simd::store(&at(0, i),
                  simd::select(way > V(T(0)), simd::fma(after - before, back / way, before), x));
    }
  }
};

}  // namespace

template <class T>
void unring(On on, View<const T> x, View<T> y, List<const f64> shifts, i64 points) {
  const Size n = x.size;
  if (n.count() == 0) return;
  const Kernels<T> kernels(n.x, shifts);
  constexpr i64 pitch = Rows<T>::pitch;
  const i64 lines = n.z * n.y;
  parallel_for(on, (lines + pitch - 1) / pitch, [&](i64 batch) {
    Rows<T> rows(kernels, points);
    const auto line = [&](i64 r) { return std::min(batch * pitch + r, lines - 1); };
    for (i64 r = 0; r < pitch; ++r) {
      const T* from = x.row(line(r) / n.y, line(r) % n.y);
      for (i64 i = 0; i < n.x; ++i) rows.at(i, r) = from[i];
    }
    rows.mend(shifts);
    for (i64 r = 0; r < std::min(pitch, lines - batch * pitch); ++r) {
      T* to = y.row(line(r) / n.y, line(r) % n.y);
      for (i64 i = 0; i < n.x; ++i) to[i] = rows.at(i, r);
    }
  });
}

template void unring(On, View<const f64>, View<f64>, List<const f64>, i64);

}  // namespace voxkern::cpu
