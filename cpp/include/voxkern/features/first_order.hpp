// Statistics of intensities that are sorted.
#pragma once
#include "../base.hpp"

namespace voxkern::cpu {
struct On;
// Of rising values: percentiles 10, 25, 50, 75 and 90, mean, energy, variance, skewness, kurtosis,
// mean distance to the mean, to the median, and to the mean of what lies from the first percentile
// to the last; entropy and uniformity of the levels min(times * (v - low) / over, most). `upto` has
// how many voxels are at most as large as each value; none where each comes once.
template <class T>
void first_order(On, List<const T> values, List<const i64> upto, f64 times, f64 over, f64 most,
                 List<f64> out);
}  // namespace voxkern::cpu
