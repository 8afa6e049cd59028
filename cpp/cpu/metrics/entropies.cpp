#include <voxkern/metrics/entropies.hpp>

#include <cpu/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace voxkern::cpu {

void entropies(On, List<const i64> counts, i64 columns, List<f64> table, List<f64> out) {
  std::vector<i64> of_columns(static_cast<size_t>(columns));
  i64 total = 0;
  for (i64 n = 0; n < counts.size; n += columns)
    for (i64 i = 0; i < columns; ++i) {
      total += counts[n + i];
      of_columns[size_t(i)] += counts[n + i];
    }
  std::fill(table.data, table.data + table.size, 0.0);
  std::fill(out.data, out.data + 3, total ? 0.0 : std::numeric_limits<f64>::quiet_NaN());
  if (!total) return;

  const auto share = [total](i64 count) { return f64(count) / f64(total); };
  std::vector<f64> logs(static_cast<size_t>(columns));
  for (i64 i = 0; i < columns; ++i) {
    const i64 count = of_columns[size_t(i)];
    if (!count) continue;
    logs[size_t(i)] = std::log(share(count));
    out[1] -= share(count) * logs[size_t(i)];
  }
  for (i64 n = 0; n < counts.size; n += columns) {
    i64 of_row = 0;
    f64 joint = 0;
    for (i64 i = 0; i < columns; ++i) {
      if (!counts[n + i]) continue;
      of_row += counts[n + i];
      const f64 p = share(counts[n + i]), log = std::log(p);
      joint -= p * log;
      if (table.size) table[n + i] = log - logs[size_t(i)];
    }
    if (of_row) out[0] -= share(of_row) * std::log(share(of_row));
    out[2] += joint;
  }
}

}  // namespace voxkern::cpu
