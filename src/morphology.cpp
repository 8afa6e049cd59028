#include <voxkern/morphology/area_opening.hpp>
#include <voxkern/morphology/binary_erosion.hpp>
#include <voxkern/morphology/grey_erosion.hpp>
#include <voxkern/morphology/reconstruction.hpp>
#include <voxkern/morphology/skeleton.hpp>

#include "call.hpp"

namespace voxkern {

static const Family morphology([](Module& m) {
  m.kernel("area_opening", each<u8, i16, u16, i32, f32, f64>(
                               [](auto t) { return &cpu::area_opening<decltype(t)>; }));
  m.kernel("binary_erosion", {instance(&cpu::binary_erosion)});
  m.kernel("difference",
           each<u8, i16, u16, i32, f32, f64>([](auto t) { return &cpu::difference<decltype(t)>; }));
  m.kernel("grey_erosion", each<u8, i16, u16, i32, f32, f64>(
                               [](auto t) { return &cpu::grey_erosion<decltype(t)>; }));
  m.kernel("local_extrema", each<u8, i16, u16, i32, f32, f64>(
                                [](auto t) { return &cpu::local_extrema<decltype(t)>; }));
  m.kernel("reconstruction", each<u8, i16, u16, i32, f32, f64>(
                                 [](auto t) { return &cpu::reconstruction<decltype(t)>; }));
  m.kernel("skeleton", {instance(&cpu::skeleton)});
});

}  // namespace voxkern
