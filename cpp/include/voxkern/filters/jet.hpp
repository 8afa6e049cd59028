// Derivatives of a smoothed volume, and what is made of them voxel by voxel.
#pragma once
#include "../base.hpp"

namespace voxkern {

// What a jet gives; the codes are those of _jet.py.
enum class Jet : i32 { gradient, magnitude, laplacian, hessian, eigenvalues };

template <class V>
struct Symmetric {
  V zz, zy, zx, yy, yx, xx;
};
template <class V>
struct Eigenvalues {
  V low, middle, high;
};

// The eigenvalues of a symmetric matrix, ascending, as exact where two are equal as elsewhere: a
// few units in the last place of the largest. In closed form, of the trace-free part m, scaled:
//
// The outermost eigenvalue is 2 p (1 - w) with p^2 = |m|^2 / 6 and 9 w - 12 w^2 + 4 w^3 = 1 - |r|,
// r = det m / (2 p^3). w lies in [0, 0.14], where a polynomial is right to 3e-8, and one of
// Newton's steps (`steps`) to the last bit of float64. The distance of the other two is the root of
// the discriminant over the characteristic polynomial's slope there. The discriminant is not
// 1 - r^2, which cancels, but Kummer's sum of seven squares.
//
// `Do` says how V is computed with; see Scalars.
template <int steps, class Do, class V>
VOXKERN_HD Eigenvalues<V> eigenvalues(const Symmetric<V>& of) {
  const V mean = (of.zz + of.yy + of.xx) * V(1.0 / 3.0);
  V a = of.zz - mean, b = of.zy, c = of.zx, d = of.yy - mean, e = of.yx, f = of.xx - mean;
  const V size =
      Do::most(Do::most(Do::most(Do::abs(a), Do::abs(b)), Do::most(Do::abs(c), Do::abs(d))),
               Do::most(Do::abs(e), Do::abs(f)));
  const V scale = V(1.0) / Do::most(size, V(1e-37));
  a = a * scale, b = b * scale, c = c * scale, d = d * scale, e = e * scale, f = f * scale;
  // x y + z and x y - z w.
  const auto add = [](V x, V y, V z) { return Do::fma(x, y, z); };
  const auto cross = [](V x, V y, V z, V w) { return Do::fma(x, y, -(z * w)); };
  const V norm = add(a, a, add(d, d, f * f)) + V(2.0) * add(b, b, add(c, c, e * e));
  const V p2 = Do::most(norm * V(1.0 / 6.0), V(0.125)), p = Do::root(p2);  // 1/4 if any is not 0

  // The adjugate.
  const V zz = cross(d, f, e, e), yy = cross(a, f, c, c), xx = cross(a, d, b, b);
  const V zy = cross(c, e, b, f), zx = cross(b, e, c, d), yx = cross(b, c, e, a);
  const V half = V(0.5) * add(a, zz, add(b, zy, c * zx)) / (p2 * p);
  const V u = Do::most(V(1.0) - Do::abs(half), V(0.0)), u2 = u * u;
  const V even = add(add(add(V(0.000426785163), u2, V(0.00100790879)), u2, V(0.00430402401)), u2,
                     V(0.111111136));
  const V odd = add(add(V(-0.000484447604), u2, V(0.00115063922)), u2, V(0.0164585165));
  V w = u * add(u, odd, even);
  for (int step = 0; step < steps; ++step)
    w = w -
        (w * (V(9.0) + w * (V(4.0) * w - V(12.0))) - u) / (V(9.0) + w * (V(12.0) * w - V(24.0)));

  const V q = cross(d - a, xx - zz, f - a, yy - zz);
  const V s = cross(f, zy, b, xx + p2), t = cross(d, zx, c, yy + p2), v = cross(a, yx, e, zz + p2);
  const V l = cross(c, yx, zx, e), m = cross(b, yx, zy, e), n = cross(b, zx, zy, c);
  const V discriminant =
      add(V(9.0), add(s, s, add(t, t, v * v)), add(V(15.0), add(l, l, add(m, m, n * n)), q * q));
  const V near = p - p * w, outer = near + near;
  const V side = size * (Do::root(discriminant) / (V(6.0) * add(outer, outer, V(0.0) - p2)));
  const auto up = half >= V(0.0);  // whether the outermost is the highest
  const V signed_near = size * Do::pick(up, near, V(0.0) - near);
  const V base = mean - signed_near, far = mean + signed_near + signed_near;
  const V one = base - side, two = base + side;
  return {Do::pick(up, one, far), Do::pick(up, two, one), Do::pick(up, far, two)};
}

// Those of two rows and columns.
template <class Do, class V>
VOXKERN_HD Eigenvalues<V> eigenvalues(const V& yy, const V& yx, const V& xx) {
  const V mean = V(0.5) * (yy + xx), half = V(0.5) * (yy - xx);
  const V side = Do::root(half * half + yx * yx);
  return {mean - side, mean, mean + side};
}

// One number at a time.
struct Scalars {
  static VOXKERN_HD f64 abs(f64 a) { return fabs(a); }
  static VOXKERN_HD f64 root(f64 a) { return sqrt(a); }
  static VOXKERN_HD f64 most(f64 a, f64 b) { return voxkern::most(a, b); }
  static VOXKERN_HD f64 fma(f64 a, f64 b, f64 c) { return a * b + c; }
  static VOXKERN_HD f64 e_to(f64 a) { return exp(a); }
  static VOXKERN_HD f64 pick(bool first, f64 a, f64 b) { return first ? a : b; }
};

#ifndef __CUDACC_RTC__
namespace cpu {
struct On;
// `wz`, `wy`, `wx` hold the weights of order 0, 1 (and 2) one after the other, of one odd length
// each; an axis without weights has no derivative. `out` holds the answer's components one after
// the other, each as many planes as `in`: derivatives in the order of the axes, second ones as
// zz, zy, zx, yy, yx, xx.
template <class T>
void jet(On on, View<const T> in, View<T> out, List<const f64> wz, List<const f64> wy,
         List<const f64> wx, i64 kind, Edge ez, Edge ey, Edge ex, f64 fill);
}  // namespace cpu
#endif

}  // namespace voxkern
