// Otsu's threshold of a histogram.
#pragma once
#include "../base.hpp"

#ifndef __CUDACC_RTC__
namespace voxkern::cpu {
struct On;
// best = the first bin that parts the counts into the two classes that lie furthest apart.
void otsu(On, List<const i64> counts, List<const f64> centers, List<i64> best);
}  // namespace voxkern::cpu
#endif
