// The rank of a neighbourhood: what the CPU and the GPU share.
#pragma once
#include "keys.hpp"
#include "networks.hpp"

namespace voxkern {

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// out(v) = the `rank`-th smallest (from 0) of in(v + offset) over the offsets, triples (z, y, x).
// `box` is the size of the box that the offsets fill from its lowest corner on, or zero for any
// other footprint.
template <class T>
void median(On, View<const T> in, View<T> out, List<const i64> offsets, Size box, i64 rank, Edge,
            T fill);
}  // namespace cpu
#endif

}  // namespace voxkern
