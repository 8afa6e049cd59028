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
  const V norm = a * a + d * d + f * f + V(2.0) * (b * b + c * c + e * e);
  const V p2 = Do::most(norm * V(1.0 / 6.0), V(0.125)), p = Do::root(p2);  // 1/4 if any is not 0

  // The adjugate.
  const V zz = d * f - e * e, yy = a * f - c * c, xx = a * d - b * b;
  const V zy = c * e - b * f, zx = b * e - c * d, yx = b * c - e * a;
  const V half = V(0.5) * (a * zz + b * zy + c * zx) / (p2 * p);
  const V u = Do::most(V(1.0) - Do::abs(half), V(0.0));
  V w =
      u *
      (V(0.111111136) +
       u * (V(0.0164585165) +
            u * (V(0.00430402401) +
                 u * (V(0.00115063922) +
                      u * (V(0.00100790879) + u * (V(-0.000484447604) + u * V(0.000426785163)))))));
  for (int step = 0; step < steps; ++step)
    w = w -
        (w * (V(9.0) + w * (V(4.0) * w - V(12.0))) - u) / (V(9.0) + w * (V(12.0) * w - V(24.0)));

  const V q = (d - a) * (xx - zz) - (f - a) * (yy - zz);
  const V s = f * zy - b * (xx + p2), t = d * zx - c * (yy + p2), v = a * yx - e * (zz + p2);
  const V l = c * yx - zx * e, m = b * yx - zy * e, n = b * zx - zy * c;
  const V discriminant =
      q * q + V(9.0) * (s * s + t * t + v * v) + V(15.0) * (l * l + m * m + n * n);
  const V near = p * (V(1.0) - w), outer = near + near;
  const V side = Do::root(discriminant) / (V(6.0) * (outer * outer - p2));
  const auto up = half >= V(0.0);  // whether the outermost is the highest
  const V sign = Do::pick(up, V(1.0), V(-1.0)), base = mean - sign * near * size;
  const V far = mean + sign * outer * size, one = base - side * size, two = base + side * size;
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
