// How much a voxel belongs to a ball, a line or a plate, as the eigenvalues of its Hessian say.
#pragma once
#include <voxkern/filters/jet.hpp>

namespace voxkern {

// The codes are those of _ridge.py.
enum class Ridge : i32 { object, sato, meijering };

struct Measure {
  Ridge kind;
  f64 bright;     // 1 for bright objects, -1 for dark ones
  i64 dimension;  // of an object: 0 a ball, 1 a line, 2 a plate
  bool scaled;    // whether an object's measure is multiplied by its largest eigenvalue
  f64 alpha, beta, gamma;
  bool weak;  // whether an object's measure lacks its share of the strength, see strong_of
  // What exponents are multiplied by.
  f64 by_alpha = -0.5 / (alpha * alpha), by_beta = -0.5 / (beta * beta), by_gamma = 1 / gamma;
};

// The share that is left of an object whose squared norm over that of gamma is `square`.
template <class Do, class V>
VOXKERN_HD V strong_of(V square) {
  return V(1.0) - Do::e_to(V(-0.5) * square);
}

// The norm of a matrix, 0 where it is not a number.
template <bool solid, class Do, class V>
VOXKERN_HD V norm_of(const Eigenvalues<V>& e) {
  const V p = e.low, q = e.middle, r = e.high;
  const V norm = Do::root(solid ? p * p + q * q + r * r : p * p + r * r);
  return Do::pick(norm == norm, norm, V(0.0));
}

template <class Do, class V>
VOXKERN_HD void order_by_size(V& a, V& b) {
  const auto swap = Do::abs(a) > Do::abs(b);
  const V less = Do::pick(swap, b, a);
  b = Do::pick(swap, a, b);
  a = less;
}

// Antiga's measure; of lines it is Frangi's. p, q, r are positive across an object; in an image of
// two axes there is no q.
template <bool solid, class Do, class V>
VOXKERN_HD V object_of(V p, V q, V r, const Measure& how) {
  if (solid) {
    order_by_size<Do>(p, q);
    order_by_size<Do>(q, r);
    order_by_size<Do>(p, q);
  } else {
    order_by_size<Do>(p, r);
    q = p;
  }
  const i64 last = solid ? 2 : 1;
  auto inside = r > V(0.0);
  if (how.dimension < last) inside = inside & (q > V(0.0));
  if (how.dimension == 0) inside = inside & (p > V(0.0));
  const V flat = q / r, square = flat * flat, blob = p / q, round = Do::abs(blob * blob * flat);
  V value(1.0);
  if (how.dimension < last)
    value = value - Do::e_to(V(how.by_alpha) * (solid && how.dimension == 0 ? round : square));
  if (how.dimension > 0)
    value = value * Do::e_to(V(how.by_beta) * (solid && how.dimension == 1 ? round : square));
  if (!how.weak) {
    const V by(how.by_gamma), a = p * by, b = q * by, c = r * by;
    value = value * strong_of<Do>(solid ? a * a + b * b + c * c : a * a + c * c);
  }
  if (how.scaled) value = value * Do::abs(r);
  return Do::pick(inside, value, V(0.0));
}

// `solid`: of three axes, not two.
template <bool solid, class Do, class V>
VOXKERN_HD V ridge_of(const Eigenvalues<V>& e, const Measure& how) {
  const V sign(-how.bright);
  const V p = sign * e.low, q = sign * e.middle, r = sign * e.high;
  const V sum = solid ? p + q + r : p + r;
  const V top = Do::most(p, r), bottom = p + r - top;
  V value(0.0);
  if (how.kind == Ridge::object) {
    value = object_of<solid, Do>(p, q, r, how);
  } else if (how.kind == Ridge::sato) {
    const V across = solid ? q : top;
    const V t = bottom / (Do::pick(bottom >= V(0.0), V(how.alpha), V(how.beta)) * across);
    value = Do::pick(across > V(0.0), across * Do::e_to(V(-0.5) * t * t), V(0.0));
  } else {
    const V rest = V(how.alpha) * sum, more(1.0 - how.alpha);
    const V high = more * top + rest, low = more * bottom + rest;
    value = Do::pick(high >= Do::abs(low), high, V(0.0));
  }
  return Do::pick(sum == sum, value, sum);
}

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// `wz`, `wy`, `wx` as in jet(). With `more`, what `out` holds stays where it is larger. Where there
// is room for the matrices' norms, measures lack their share of the strength.
template <class T>
void ridge(On on, View<const T> in, View<T> out, View<T> norms, List<const f64> wz,
           List<const f64> wy, List<const f64> wx, i64 kind, f64 bright, i64 dimension, i64 scaled,
           f64 alpha, f64 beta, f64 gamma, i64 more, Edge ez, Edge ey, Edge ex, f64 fill);

// Gives measures their share of the strength; `out` may be `in`.
template <class T>
void strengthen(On on, View<const T> in, View<const T> norms, View<T> out, f64 gamma, i64 more);
}  // namespace cpu
#endif

}  // namespace voxkern
