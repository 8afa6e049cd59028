#include <cpu/filters/uniform.hpp>

namespace voxkern::cpu {

template void uniform(On, View<const i32>, View<i32>, Size, Size, Edge, Edge, Edge, f64);
template void uniform(On, View<const f32>, View<f32>, Size, Size, Edge, Edge, Edge, f64);
template void uniform(On, View<const f64>, View<f64>, Size, Size, Edge, Edge, Edge, f64);

}  // namespace voxkern::cpu
