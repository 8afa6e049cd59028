#include <voxkern/features/first_order.hpp>

#include <cpu/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace voxkern::cpu {

namespace {

template <class T>
struct Sorted {
  List<const T> values;
  List<const i64> upto;

  i64 voxels() const { return upto.size ? upto[upto.size - 1] : values.size; }
  i64 before(i64 i) const { return !upto.size ? i : i ? upto[i - 1] : 0; }
  f64 often(i64 i) const { return upto.size ? f64(before(i + 1) - before(i)) : 1; }

  f64 ranked(i64 rank) const {
    const i64* end = upto.data + upto.size;
    return f64(values[upto.size ? std::upper_bound(upto.data, end, rank) - upto.data : rank]);
  }

  // Interpolated as in NumPy.
  f64 percentile(f64 percent) const {
    const f64 at = percent / 100 * f64(voxels() - 1), part = at - std::floor(at);
    const i64 rank = i64(at);
    const f64 a = ranked(rank), b = ranked(std::min(rank + 1, voxels() - 1));
    return part >= 0.5 ? b - (b - a) * (1 - part) : a + (b - a) * part;
  }

  // Sums of what add(v, often, sums) adds for each value.
  template <int N, class F>
  Sums<N> sums(On on, F add) const {
    return parallel_sum<Sums<N>>(on, {1, 1, values.size},
                                 [&](i64, i64, i64 from, i64 to, Sums<N>& sum) {
                                   for (i64 i = from; i < to; ++i)
                                     add(f64(values[i]), often(i), sum);
                                 });
  }
};

// Calls run(share) for each run of equal levels, whose ends are looked for in growing steps.
template <class T, class Level, class F>
void each_level(const Sorted<T>& sorted, Level level, F run) {
  const i64 n = sorted.values.size;
  for (i64 from = 0; from < n;) {
    const f64 now = level(f64(sorted.values[from]));
    const auto same = [&](i64 i) { return level(f64(sorted.values[i])) == now; };
    i64 in = from, step = 1;
    for (; in + step < n && same(in + step); step *= 2) in += step;
    i64 out = std::min(in + step, n);
    while (out - in > 1) {
      const i64 middle = in + (out - in) / 2;
      (same(middle) ? in : out) = middle;
    }
    run(f64(sorted.before(out) - sorted.before(from)) / f64(sorted.voxels()));
    from = out;
  }
}

}  // namespace

template <class T>
void first_order(On on, List<const T> values, List<const i64> upto, f64 times, f64 over, f64 most,
                 List<f64> out) {
  const Sorted<T> sorted{values, upto};
  constexpr f64 percents[] = {10, 25, 50, 75, 90};
  for (int q = 0; q < 5; ++q) out[q] = sorted.percentile(percents[q]);
  const f64 p10 = out[0], median = out[2], p90 = out[4], low = f64(values[0]);
  const f64 n = f64(sorted.voxels());

  const auto first = sorted.template sums<4>(on, [&](f64 v, f64 often, Sums<4>& sum) {
    const f64 kept = v >= p10 && v <= p90 ? often : 0;
    sum[0] += often * (v - low);
    sum[1] += often * (v * v);
    sum[2] += kept * v;
    sum[3] += kept;
  });
  const f64 mean = low + first[0] / n, inner = first[2] / first[3];
  const auto second = sorted.template sums<6>(on, [&](f64 v, f64 often, Sums<6>& sum) {
    const f64 kept = v >= p10 && v <= p90 ? often : 0;
    const f64 away = v - mean, square = away * away;
    sum[0] += often * square;
    sum[1] += often * (square * away);
    sum[2] += often * (square * square);
    sum[3] += often * std::abs(away);
    sum[4] += often * std::abs(v - median);
    sum[5] += kept > 0 ? kept * std::abs(v - inner) : 0;
  });

  const f64 variance = second[0] / n;
  const bool flat = variance * variance == 0;
  out[5] = mean;
  out[6] = first[1];
  out[7] = variance;
  out[8] = flat ? 0 : second[1] / n / (variance * std::sqrt(variance));
  out[9] = flat ? 0 : second[2] / n / (variance * variance) - 3;
  out[10] = second[3] / n;
  out[11] = second[4] / n;
  out[12] = second[5] / first[3];
  out[13] = out[14] = 0;
  each_level(
      sorted, [&](f64 v) { return std::floor(std::min(times * (v - low) / over, most)); },
      [&](f64 p) {
        out[13] -= p * std::log2(p);
        out[14] += p * p;
      });
}

template void first_order(On, List<const i32>, List<const i64>, f64, f64, f64, List<f64>);
template void first_order(On, List<const f32>, List<const i64>, f64, f64, f64, List<f64>);
template void first_order(On, List<const f64>, List<const i64>, f64, f64, f64, List<f64>);

}  // namespace voxkern::cpu
