#include <voxkern/filters/correlate.hpp>
#include <voxkern/filters/extreme.hpp>
#include <voxkern/filters/jet.hpp>
#include <voxkern/filters/laplace.hpp>
#include <voxkern/filters/median.hpp>
#include <voxkern/filters/recursive.hpp>
#include <voxkern/filters/ridge.hpp>
#include <voxkern/filters/separable.hpp>
#include <voxkern/filters/smooth_products.hpp>
#include <voxkern/filters/tensor_eigenvalues.hpp>
#include <voxkern/filters/uniform.hpp>

#include "call.hpp"

namespace voxkern {

static const Family filters([](Module& m) {
  m.kernel("correlate",
           each<u8, i16, u16, i32, f32, f64>([](auto t) { return &cpu::correlate<decltype(t)>; }));
  m.kernel("extreme",
           each<u8, i16, u16, i32, f32, f64>([](auto t) { return &cpu::extreme<decltype(t)>; }));
  m.kernel("jet", each<f32, f64>([](auto t) { return &cpu::jet<decltype(t)>; }));
  m.kernel("laplace",
           each<u8, i16, u16, i32, f32, f64>([](auto t) { return &cpu::laplace<decltype(t)>; }));
  m.kernel("median",
           each<u8, i16, u16, i32, f32, f64>([](auto t) { return &cpu::median<decltype(t)>; }));
  m.kernel("recursive",
           each<u8, i16, u16, i32, f32, f64>([](auto t) { return &cpu::recursive<decltype(t)>; }));
  m.kernel("ridge", each<f32, f64>([](auto t) { return &cpu::ridge<decltype(t)>; }));
  m.kernel("strengthen", each<f32, f64>([](auto t) { return &cpu::strengthen<decltype(t)>; }));
  m.kernel("separable",
           each<u8, i16, u16, i32, f32, f64>([](auto t) { return &cpu::separable<decltype(t)>; }));
  m.kernel("smooth_products",
           each<f32, f64>([](auto t) { return &cpu::smooth_products<decltype(t)>; }));
  m.kernel("tensor_eigenvalues",
           each<f32, f64>([](auto t) { return &cpu::tensor_eigenvalues<decltype(t)>; }));
  m.kernel("uniform",
           each<u8, i16, u16, i32, f32, f64>([](auto t) { return &cpu::uniform<decltype(t)>; }));
});

}  // namespace voxkern
