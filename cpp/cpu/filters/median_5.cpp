#include <cpu/filters/box_median.hpp>

namespace voxkern::cpu {

template <class K>
void median_5(On on, const KeyImage<K>& image, i64 depth) {
  if (depth == 1)
    box_median<K, 1, 5>(on, image);
  else
    box_median<K, 5, 5>(on, image);
}

template void median_5(On, const KeyImage<u8>&, i64);
template void median_5(On, const KeyImage<i16>&, i64);
template void median_5(On, const KeyImage<i32>&, i64);
template void median_5(On, const KeyImage<i64>&, i64);

}  // namespace voxkern::cpu
