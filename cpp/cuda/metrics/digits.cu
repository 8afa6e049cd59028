#include <voxkern/launch.cuh>
#include <voxkern/metrics/digits.hpp>

namespace voxkern::kernel {

template <class T>
__global__ void digits(const T* x, const u8* mask, const i64* prefixes, i64 slots, i64 shift,
                       i64 lowest, i64 floats, i64* counts, i64 n) {
  for (i64 i = first(); i < n; i += step()) {
    i64 v = 0;
    if ((mask && !mask[i]) || !ordered_bits<T>(i64(x[i]), floats, &v)) continue;
    if (slots == 0) atomic_add(counts + ((v >> shift) - lowest), i64(1));
    for (i64 s = 0; s < slots; ++s)
      if (prefixes[s] == v >> (shift + 16))
        atomic_add(counts + s * digit_values + ((v >> shift) & 0xffff), i64(1));
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports digits{
    {"digits<u8>", launcher<kernel::digits<u8>>},   {"digits<i16>", launcher<kernel::digits<i16>>},
    {"digits<u16>", launcher<kernel::digits<u16>>}, {"digits<i32>", launcher<kernel::digits<i32>>},
    {"digits<i64>", launcher<kernel::digits<i64>>},
};
}  // namespace voxkern::cuda
#endif
