// Formulas of jet.hpp and ridge.hpp, computed in vectors.
#pragma once
#include <voxkern/simd.hpp>

#include <cpu/filters/exp.hpp>

namespace voxkern::cpu {

// Two vectors that take every step of a formula together: of its long chains, both are under way
// at once.
template <class V>
struct Both {
  using Mask = Both<typename V::Mask>;
  V first, second;

  Both() = default;
  Both(V one, V other) : first(one), second(other) {}
  explicit Both(f64 all) : first(typename V::Lane(all)), second(first) {}

  friend Both operator+(Both a, Both b) { return {a.first + b.first, a.second + b.second}; }
  friend Both operator-(Both a, Both b) { return {a.first - b.first, a.second - b.second}; }
  friend Both operator*(Both a, Both b) { return {a.first * b.first, a.second * b.second}; }
  friend Both operator/(Both a, Both b) { return {a.first / b.first, a.second / b.second}; }
  friend Both operator&(Both a, Both b) { return {a.first & b.first, a.second & b.second}; }
  Both operator-() const { return {-first, -second}; }
  friend Mask operator>(Both a, Both b) { return {a.first > b.first, a.second > b.second}; }
  friend Mask operator>=(Both a, Both b) { return {a.first >= b.first, a.second >= b.second}; }
  friend Mask operator==(Both a, Both b) { return {a.first == b.first, a.second == b.second}; }
};

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
  // Of what is not above 0; as far off as 2e-7, whatever the value.
  template <class V>
  static V e_to(V a) {
    return simd::exp2(a * V(typename V::Lane(1.4426950408889634)));
  }
  template <class M, class V>
  static V pick(M first, V a, V b) {
    return simd::select(first, a, b);
  }

  template <class V>
  static Both<V> abs(Both<V> a) {
    return {abs(a.first), abs(a.second)};
  }
  template <class V>
  static Both<V> root(Both<V> a) {
    return {root(a.first), root(a.second)};
  }
  template <class V>
  static Both<V> most(Both<V> a, Both<V> b) {
    return {most(a.first, b.first), most(a.second, b.second)};
  }
  template <class V>
  static Both<V> fma(Both<V> a, Both<V> b, Both<V> c) {
    return {fma(a.first, b.first, c.first), fma(a.second, b.second, c.second)};
  }
  template <class V>
  static Both<V> e_to(Both<V> a) {
    return {e_to(a.first), e_to(a.second)};
  }
  template <class M, class V>
  static Both<V> pick(Both<M> first, Both<V> a, Both<V> b) {
    return {pick(first.first, a.first, b.first), pick(first.second, a.second, b.second)};
  }
};

}  // namespace voxkern::cpu
