#include <voxkern/filters/extreme.hpp>
#include <voxkern/filters/gaussian.hpp>
#include <voxkern/filters/median.hpp>

#include "call.hpp"

namespace voxkern {

static const Family filters([](Module& m) {
  m.kernel("extreme",
           each<u8, i16, u16, i32, f32, f64>([](auto t) { return &cpu::extreme<decltype(t)>; }));
  m.kernel("gaussian",
           each<u8, i16, u16, i32, f32, f64>([](auto t) { return &cpu::gaussian<decltype(t)>; }));
  m.kernel("median",
           each<u8, i16, u16, i32, f32, f64>([](auto t) { return &cpu::median<decltype(t)>; }));
});

}  // namespace voxkern
