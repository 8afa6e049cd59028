#include <voxkern/features/discretize.hpp>
#include <voxkern/features/first_order.hpp>
#include <voxkern/features/glcm.hpp>
#include <voxkern/features/shape.hpp>

#include "call.hpp"

namespace voxkern {

static const Family features([](Module& m) {
  m.kernel("region",
           each<u8, i16, u16, i32, f32, f64>([](auto t) { return &cpu::region<decltype(t)>; }));
  m.kernel("discretize",
           each<u8, i16, u16, i32, f32, f64>([](auto t) { return &cpu::discretize<decltype(t)>; }));
  m.kernel("first_order",
           each<i32, f32, f64>([](auto t) { return &cpu::first_order<decltype(t)>; }));
  m.kernel("glcm", {instance(&cpu::glcm)});
  m.kernel("shape", {instance(&cpu::shape)});
  m.kernel("extent", {instance(&cpu::extent)});
});

}  // namespace voxkern
