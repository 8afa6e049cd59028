// Samples along a row: the fixed values, and the moving image read by linear interpolation with its
// gradient from the same eight voxels.
#pragma once
#include <cpu/parallel.hpp>
#include <voxkern/registration/affine.hpp>
#include <voxkern/simd.hpp>

#include <algorithm>
#include <cmath>

namespace voxkern::cpu {

// Up to `most` samples, x counted from the centre. What a mask leaves out has keep of zero.
struct Samples {
  static constexpr i64 most = 256;
  i64 n;
  bool all;
  f64 z, y;
  alignas(64) f32 f[most], m[most], x[most], gz[most], gy[most], gx[most];
  u8 keep[most];
};

class Sampler {
 public:
  Sampler(View<const f32> fixed, View<const f32> moving, View<const u8> fixed_mask,
          View<const u8> moving_mask, List<const f64> matrix, Vec3 centre, Size step, i64 seed)
      : fixed_(fixed),
        moving_(moving),
        fixed_mask_(fixed_mask),
        moving_mask_(moving_mask),
        map_{matrix.data, centre},
        gate_{matrix.data + 12, centre},
        step_(step),
        grid_(coarse(fixed.size, step)),
        seed_(seed) {}

  Size grid() const { return grid_; }

  // Runs use(samples) for the samples [from, to) of a row of the grid, some at a time.
  template <bool gradient, class F>
  void row(i64 i, i64 j, i64 from, i64 to, F use) const {
    const Line line = line_of(i, j, grid_, step_, seed_);
    if (line.z >= fixed_.size.z || line.y >= fixed_.size.y) return;
    to = std::min(to, (fixed_.size.x - line.x + step_.x - 1) / step_.x);
    const auto [begin, end] = readable(line, from, to);
    Samples s;
    s.z = f64(line.z) - map_.centre.z;
    s.y = f64(line.y) - map_.centre.y;
    for (i64 at = begin; at < end; at += Samples::most) {
      s.n = std::min(Samples::most, end - at);
      read<gradient>(line, at, s);
      use(s);
    }
  }

 private:
  static constexpr int lanes = simd::lanes<f32>;

  f64 x_of(const Line& line, i64 k) const { return f64(line.x + k * step_.x) - map_.centre.x; }

  // The samples of [from, to) whose places can be read: an interval, since the map is a line.
  std::pair<i64, i64> readable(const Line& line, i64 from, i64 to) const {
    const i64 n[3] = {moving_.size.z, moving_.size.y, moving_.size.x};
    f64 base[3];
    i64 begin = from, end = to;
    for (int a = 0; a < 3; ++a) {
      base[a] = gate_.base(a, f64(line.z), f64(line.y));
      const f64 low = n[a] > 1 ? 0.0 : -0.5, high = n[a] > 1 ? f64(n[a] - 1) : 0.5;
      const f64 per = gate_.along(a) * f64(step_.x);
      if (per == 0) continue;
      const f64 start = base[a] + gate_.along(a) * x_of(line, 0);
      const f64 p = (low - start) / per, q = (high - start) / per;
      begin = i64(std::clamp(std::floor(std::min(p, q)), f64(begin), f64(end)));
      end = i64(std::clamp(std::ceil(std::max(p, q)) + 1, f64(begin), f64(end)));
    }
    const auto good = [&](i64 k) {
      const f64 x = x_of(line, k);
      for (int a = 0; a < 3; ++a)
        if (!within(base[a] + gate_.along(a) * x, n[a])) return false;
      return true;
    };
    // The division may be off by a rounding: the places themselves decide.
    while (begin > from && good(begin - 1)) --begin;
    while (end < to && good(end)) ++end;
    while (begin < end && !good(begin)) ++begin;
    while (begin < end && !good(end - 1)) --end;
    return {begin, end};
  }

  template <bool gradient>
  void read(const Line& line, i64 first, Samples& s) const {
    constexpr i64 most = Samples::most;
    alignas(64) f32 taps[4][2 * most], part[3][most], moves[3][most];
    alignas(64) f64 place[most];
    alignas(64) i32 whole[3][most];
    const i64 n[3] = {moving_.size.z, moving_.size.y, moving_.size.x};
    for (i64 k = 0; k < s.n; ++k) s.x[k] = f32(x_of(line, first + k));
    for (int a = 0; a < 3; ++a) {
      const f64 base = map_.base(a, f64(line.z), f64(line.y)), along = map_.along(a);
      const i32 last = i32(std::max<i64>(n[a] - 2, 0));
      for (i64 k = 0; k < s.n; ++k) {
        const f64 c = base + along * x_of(line, first + k);
        place[k] = nearest(c, n[a]);
        moves[a][k] = place[k] == c ? 1.0f : 0.0f;
      }
      for (i64 k = 0; k < s.n; ++k) whole[a][k] = std::min(i32(place[k]), last);
      for (i64 k = 0; k < s.n; ++k) part[a][k] = f32(place[k] - f64(whole[a][k]));
    }
    const i64 dz = n[0] > 1 ? moving_.step.z : 0, dy = n[1] > 1 ? moving_.step.y : 0;
    for (i64 k = 0; k < s.n; ++k) {
      const f32* at =
          moving_.data + whole[0][k] * moving_.step.z + whole[1][k] * moving_.step.y + whole[2][k];
      const f32* rows[4] = {at, at + dy, at + dz, at + dz + dy};
      for (int r = 0; r < 4; ++r) simd::store(taps[r] + 2 * k, simd::load<f32, 2>(rows[r]));
    }
    const f32* from = fixed_.row(line.z, line.y) + line.x + first * step_.x;
    for (i64 k = 0; k < s.n; ++k) s.f[k] = from[k * step_.x];
    blend<gradient>(taps, part, s);
    if constexpr (gradient) {
      for (i64 k = 0; k < s.n; ++k) s.gz[k] *= moves[0][k];
      for (i64 k = 0; k < s.n; ++k) s.gy[k] *= moves[1][k];
      for (i64 k = 0; k < s.n; ++k) s.gx[k] *= moves[2][k];
    }
    cut(line, first, s);
  }

  template <bool gradient>
  static void blend(const f32 (&taps)[4][2 * Samples::most], const f32 (&part)[3][Samples::most],
                    Samples& s) {
    using F = Vec<f32>;
    for (i64 k = s.n; k < (s.n + lanes - 1) / lanes * lanes; ++k) s.x[k] = s.f[k] = 0;
    for (i64 k = 0; k < s.n; k += lanes) {
      F low[4], rise[4];
      for (int r = 0; r < 4; ++r) {
        const auto [even, odd] = apart(taps[r] + 2 * k, std::make_integer_sequence<int, lanes>{});
        low[r] = even;
        rise[r] = odd - even;
      }
      const F w = simd::load(part[2] + k), v = simd::load(part[1] + k), u = simd::load(part[0] + k);
      F line[4];
      for (int r = 0; r < 4; ++r) line[r] = low[r] + w * rise[r];
      const F up0 = line[1] - line[0], up1 = line[3] - line[2];
      const F plane0 = line[0] + v * up0, plane1 = line[2] + v * up1;
      simd::store(s.m + k, plane0 + u * (plane1 - plane0));
      if constexpr (gradient) {
        const F r0 = rise[0] + v * (rise[1] - rise[0]), r1 = rise[2] + v * (rise[3] - rise[2]);
        simd::store(s.gz + k, plane1 - plane0);
        simd::store(s.gy + k, up0 + u * (up1 - up0));
        simd::store(s.gx + k, r0 + u * (r1 - r0));
      }
    }
  }

  template <int... lane>
  static std::pair<Vec<f32>, Vec<f32>> apart(const f32* p, std::integer_sequence<int, lane...>) {
    const auto a = simd::load(p), b = simd::load(p + lanes);
    return {simd::shuffle<(2 * lane)...>(a, b), simd::shuffle<(2 * lane + 1)...>(a, b)};
  }

  void cut(const Line& line, i64 first, Samples& s) const {
    s.all = !fixed_mask_.size.x && !moving_mask_.size.x;
    if (s.all) return;
    const u8* inside = row_of(fixed_mask_, line.z, line.y, line.x + first * step_.x);
    for (i64 k = 0; k < s.n; ++k) {
      s.keep[k] = !inside || inside[k * step_.x];
      if (s.keep[k] && moving_mask_.size.x) {
        i64 at[3];
        for (int a = 0; a < 3; ++a)
          at[a] = i64(std::floor(gate_.base(a, f64(line.z), f64(line.y)) +
                                 gate_.along(a) * x_of(line, first + k) + 0.5));
        s.keep[k] = moving_mask_(at[0], at[1], at[2]) != 0;
      }
    }
  }

  View<const f32> fixed_, moving_;
  View<const u8> fixed_mask_, moving_mask_;
  Map map_, gate_;
  Size step_, grid_;
  i64 seed_;
};

}  // namespace voxkern::cpu
