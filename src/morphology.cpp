#include <voxkern/morphology/binary_erosion.hpp>
#include <voxkern/morphology/grey_erosion.hpp>

#include "call.hpp"

namespace voxkern {

static const Family morphology([](Module& m) {
  m.kernel("binary_erosion", {instance(&cpu::binary_erosion)});
  m.kernel("difference",
           each<u8, i16, u16, i32, f32, f64>([](auto t) { return &cpu::difference<decltype(t)>; }));
  m.kernel("grey_erosion", each<u8, i16, u16, i32, f32, f64>(
                               [](auto t) { return &cpu::grey_erosion<decltype(t)>; }));
});

}  // namespace voxkern
