// Formulas of jet.hpp and ridge.hpp, computed in vectors.
#pragma once
#include <voxkern/simd.hpp>

#include <cpu/filters/exp.hpp>

namespace voxkern::cpu {

struct Lanes {
  template <class V>
  static V abs(V a) {
    return simd::abs(a);
  }
  template <class V>
  static V root(V a) {
    return simd::sqrt(a);
  }
  template <class V>
  static V most(V a, V b) {
    return simd::max(a, b);
  }
  template <class V>
  static V fma(V a, V b, V c) {
    return simd::fma(a, b, c);
  }
  static Vec<f32> e_to(Vec<f32> a) { return exponential(a); }
  static Vec<f64> e_to(Vec<f64> a) { return simd::exp2(a * Vec<f64>(1.4426950408889634)); }
  template <class M, class V>
  static V pick(M first, V a, V b) {
    return simd::select(first, a, b);
  }
};

}  // namespace voxkern::cpu
