// Lee, Kashyap and Chu's thinning.
#pragma once
#include "../base.hpp"

namespace voxkern {

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// out is 1 where the skeleton of what is not 0 lies. A single plane is thinned as a picture.
void skeleton(On on, View<const u8> in, View<u8> out);
}  // namespace cpu
#endif

}  // namespace voxkern
