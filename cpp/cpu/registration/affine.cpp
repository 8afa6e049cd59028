#include <cpu/registration/samples.hpp>
#include <voxkern/metrics/window.hpp>

#include <mutex>

namespace voxkern::cpu {

namespace {

using F = Vec<f32>;
constexpr int L = simd::lanes<f32>;
using Moments = Sums<affine_sums>;

// Zero in every sample that does not count, and in the lanes behind the last.
i64 silence(Samples& s, f64 f0, f64 m0) {
  const i64 padded = (s.n + L - 1) / L * L;
  i64 count = s.n;
  for (i64 k = 0; k < s.n; ++k) {
    s.f[k] = f32(f64(s.f[k]) - f0);
    s.m[k] = f32(f64(s.m[k]) - m0);
  }
  if (!s.all) {
    for (i64 k = 0; k < s.n; ++k) {
      if (s.keep[k]) continue;
      --count;
      s.f[k] = s.m[k] = s.gz[k] = s.gy[k] = s.gx[k] = 0;
    }
  }
  for (i64 k = s.n; k < padded; ++k) s.f[k] = s.m[k] = s.gz[k] = s.gy[k] = s.gx[k] = s.x[k] = 0;
  return count;
}

// The sums over a row in lanes of float32, those of all rows in float64.
template <int N, class Add>
[[gnu::always_inline]] inline void row_sums(i64 n, f64 (&out)[N], Add add) {
  F sum[N];
  for (int k = 0; k < N; ++k) sum[k] = 0.0f;
  for (i64 k = 0; k < n; k += L) add(k, sum);
  for (int k = 0; k < N; ++k) out[k] = f64(simd::reduce_sum(sum[k]));
}

void add_row(Samples& s, f64 f0, f64 m0, Moments& sums) {
  const i64 count = silence(s, f0, m0);
  sums[0] += f64(count);
  f64 plain[5];
  row_sums(s.n, plain, [&](i64 k, F* sum) {
    const F f = simd::load(s.f + k), m = simd::load(s.m + k);
    sum[0] += f;
    sum[1] += m;
    sum[2] = simd::fma(f, f, sum[2]);
    sum[3] = simd::fma(m, m, sum[3]);
    sum[4] = simd::fma(f, m, sum[4]);
  });
  for (int k = 0; k < 5; ++k) sums[1 + k] += plain[k];

  const f32* g[3] = {s.gz, s.gy, s.gx};
  const f64 v[4] = {s.z, s.y, 0, 1};  // x is in the sums
  for (int a = 0; a < 3; ++a) {
    f64 row[6];  // g, g f, g m, and the same times x
    row_sums(s.n, row, [&](i64 k, F* sum) {
      const F ga = simd::load(g[a] + k), x = simd::load(s.x + k), gx = ga * x;
      const F f = simd::load(s.f + k), m = simd::load(s.m + k);
      sum[0] += ga;
      sum[1] = simd::fma(ga, f, sum[1]);
      sum[2] = simd::fma(ga, m, sum[2]);
      sum[3] += gx;
      sum[4] = simd::fma(gx, f, sum[4]);
      sum[5] = simd::fma(gx, m, sum[5]);
    });
    for (int part = 0; part < 3; ++part)
      for (int c = 0; c < 4; ++c)
        sums[6 + 12 * part + 4 * a + c] += c == 2 ? row[3 + part] : v[c] * row[part];
  }

  f64 both[3][3][3];  // g_a g_b times 1, x and x^2
  for (int a = 0; a < 3; ++a) {
    for (int b = a; b < 3; ++b) {
      row_sums(s.n, both[a][b], [&](i64 k, F* sum) {
        const F gg = simd::load(g[a] + k) * simd::load(g[b] + k), x = simd::load(s.x + k);
        const F ggx = gg * x;
        sum[0] += gg;
        sum[1] += ggx;
        sum[2] = simd::fma(ggx, x, sum[2]);
      });
    }
  }
  int at = 42;
  for (int p = 0; p < 12; ++p) {
    for (int q = p; q < 12; ++q) {
      const int c = p % 4, d = q % 4, powers = (c == 2) + (d == 2);
      const f64 factor = (c == 2 ? 1.0 : v[c]) * (d == 2 ? 1.0 : v[d]);
      sums[at++] += factor * both[p / 4][q / 4][powers];
    }
  }
}

}  // namespace

void affine_moments(On on, View<const f32> fixed, View<const f32> moving, View<const u8> fixed_mask,
                    View<const u8> moving_mask, List<const f64> matrix, Vec3 centre, Size step,
                    i64 seed, f64 f0, f64 m0, List<f64> sums) {
  const Sampler sampler(fixed, moving, fixed_mask, moving_mask, matrix, centre, step, seed);
  const auto total =
      parallel_sum<Moments>(on, sampler.grid(), [&](i64 i, i64 j, i64 from, i64 to, Moments& own) {
        sampler.row<true>(i, j, from, to, [&](Samples& s) { add_row(s, f0, m0, own); });
      });
  std::copy(total.of, total.of + affine_sums, sums.data);
}

void affine_parzen(On on, View<const f32> fixed, View<const f32> moving, View<const u8> fixed_mask,
                   View<const u8> moving_mask, List<const f64> matrix, Vec3 centre, Size step,
                   i64 seed, i64 bins, f64 fixed_low, f64 fixed_high, f64 moving_low,
                   f64 moving_high, List<i64> counts) {
  const Sampler sampler(fixed, moving, fixed_mask, moving_mask, matrix, centre, step, seed);
  const Axis f(fixed_low, fixed_high, bins), m(moving_low, moving_high, bins);
  std::fill(counts.data, counts.data + counts.size, 0);
  std::mutex adding;
  const Size grid = sampler.grid();
  const Blocks blocks(grid);
  parallel_slabs(on, blocks.count(), 4, [&](i64 first, i64 last) {
    Windows own(bins);
    for (i64 i = first; i < last; ++i) {
      const Block block = blocks[i];
      for (i64 row = block.begin; row < block.end; ++row) {
        sampler.row<false>(row / grid.y, row % grid.y, block.from, block.to, [&](Samples& s) {
          for (i64 k = 0; k < s.n; ++k)
            if (s.all || s.keep[k])
              own.add(parzen_bin(f.place(f.cut(f64(s.f[k]))), bins), m.place(m.cut(f64(s.m[k]))));
        });
      }
    }
    std::lock_guard hold(adding);
    own.into(counts);
  });
}

void affine_parzen_gradient(On on, View<const f32> fixed, View<const f32> moving,
                            View<const u8> fixed_mask, View<const u8> moving_mask,
                            List<const f64> matrix, Vec3 centre, Size step, i64 seed, i64 bins,
                            f64 fixed_low, f64 fixed_high, f64 moving_low, f64 moving_high,
                            List<const f64> table, List<f64> sums) {
  const Sampler sampler(fixed, moving, fixed_mask, moving_mask, matrix, centre, step, seed);
  const Axis f(fixed_low, fixed_high, bins), m(moving_low, moving_high, bins);
  const auto add = [&](Samples& s, Sums<12>& own) {
    alignas(64) f32 slope[Samples::most];
    for (i64 k = 0; k < s.n; ++k) {
      const f64 place = m.place(m.cut(f64(s.m[k])));
      const i64 bin = parzen_bin(place, bins);
      const i64 row = parzen_bin(f.place(f.cut(f64(s.f[k]))), bins);
      const Four four =
          slopes_at(place - f64(bin)) * simd::load<f64, 4>(table.data + row * bins + bin - 1);
      slope[k] = s.all || s.keep[k] ? f32((four[0] + four[1]) + (four[2] + four[3])) : 0.0f;
    }
    for (i64 k = s.n; k < (s.n + L - 1) / L * L; ++k)
      slope[k] = s.gz[k] = s.gy[k] = s.gx[k] = s.x[k] = 0;
    f64 row[6];
    row_sums(s.n, row, [&](i64 k, F* sum) {
      const F w = simd::load(slope + k), wx = w * simd::load(s.x + k);
      const F g[3] = {simd::load(s.gz + k), simd::load(s.gy + k), simd::load(s.gx + k)};
      for (int a = 0; a < 3; ++a) {
        sum[a] = simd::fma(w, g[a], sum[a]);
        sum[3 + a] = simd::fma(wx, g[a], sum[3 + a]);
      }
    });
    const f64 v[4] = {s.z, s.y, 0, 1};
    for (int a = 0; a < 3; ++a)
      for (int c = 0; c < 4; ++c) own[4 * a + c] += c == 2 ? row[3 + a] : v[c] * row[a];
  };
  const auto total = parallel_sum<Sums<12>>(
      on, sampler.grid(), [&](i64 i, i64 j, i64 from, i64 to, Sums<12>& own) {
        sampler.row<true>(i, j, from, to, [&](Samples& s) { add(s, own); });
      });
  std::copy(total.of, total.of + 12, sums.data);
}

}  // namespace voxkern::cpu
