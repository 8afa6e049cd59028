// Entropies of a joint histogram, of its rows and of its columns.
#pragma once
#include "../base.hpp"

#ifndef __CUDACC_RTC__
namespace voxkern::cpu {
struct On;
// out = the entropies of the rows, of the columns and of both in nats, NaN without counts; table =
// log(p / p of its column), zero where p is, unless it is empty.
void entropies(On, List<const i64> counts, i64 columns, List<f64> table, List<f64> out);
}  // namespace voxkern::cpu
#endif
