// Means of numbers of one or two bytes.
#include <cpu/filters/uniform.hpp>

namespace voxkern::cpu {

template void uniform(On, View<const u8>, View<u8>, Size, Size, Edge, Edge, Edge, f64);
template void uniform(On, View<const i16>, View<i16>, Size, Size, Edge, Edge, Edge, f64);
template void uniform(On, View<const u16>, View<u16>, Size, Size, Edge, Edge, Edge, f64);

}  // namespace voxkern::cpu
