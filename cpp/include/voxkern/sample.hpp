// Reading an image between its voxels: the rule, shared by the CPU's borders and by the GPU.
//
// A coordinate counts voxels: 0 is the centre of the first. An image is the sum of B-splines of
// order 0 to 5 centred on its voxels; from order 2 on the weights are not the voxels but what
// spline_filter makes of them. The Python twin is warp/_sample.py.
#pragma once
#include "base.hpp"

// Marks what stays a function where others are put into their callers: rare or long.
#if defined(__CUDACC__)
#define VOXKERN_APART __host__ __device__ __noinline__
#else
#define VOXKERN_APART inline
#endif

namespace voxkern {

// What lies outside an image to be read between its voxels. The first five are those of Edge;
// `constant` is the fill value as soon as the outermost centre is passed, `wrap` has a period of
// n - 1, and `cell` is the fill value beyond the outermost voxel's far face (ITK's rule).
enum class Outside : i32 {
  reflect,
  mirror,
  nearest,
  grid_wrap,
  grid_constant,
  constant,
  wrap,
  cell
};

// Moves a coordinate outside to where an axis of n voxels is known: NaN where the fill value
// stands, else in (-1, n), or in [-8, n + 8] where SciPy lets splines run off the edge.
VOXKERN_APART f64 folded(f64 c, i64 n, Outside outside, int order) {
  const f64 last = f64(n - 1), none = nan("");
  if (outside == Outside::nearest) {
    if (c != c) return none;
    const f64 far = order < 2 ? 0 : 8;
    c = c < -far ? -far : c > last + far ? last + far : c;
    return c;
  }
  if (!(c > -1e15 && c < 1e15)) return none;
  switch (outside) {
    case Outside::grid_constant: return c >= -8 && c <= last + 8 ? c : none;
    case Outside::cell:
      if (c < -0.5 || c >= last + 0.5) return none;
      if (order < 2 || n == 1) c = c < 0 ? 0 : last;
      return c;
    case Outside::mirror:
      if (n == 1) {
        c = 0;
      } else {
        const f64 period = 2 * last;
        c = fabs(c);
        c -= period * floor(c / period);
        if (c > last) c = period - c;
      }
      return c;
    case Outside::reflect:
      if (n == 1) {
        c = 0;
      } else {
        const f64 period = 2 * f64(n);
        c -= period * floor(c / period);
        if (c >= f64(n)) c = period - 1 - c;
      }
      return c;
    case Outside::grid_wrap:
      if (n == 1)
        c = 0;
      else
        c -= f64(n) * floor(c / f64(n));
      return c;
    case Outside::wrap:
      if (n == 1)
        c = 0;
      else if (c < 0)
        c += last * (floor(-c / last) + 1);
      else
        c -= last * floor(c / last);
      return c;
    default: return none;
  }
}

// Moves a coordinate to where the axis is known. False: the fill value stands there.
VOXKERN_HD bool fold(f64& c, i64 n, Outside outside, int order) {
  if (!(0 <= c && c <= f64(n - 1))) c = folded(c, n, outside, order);
  return c == c;
}

// How the voxels around a folded coordinate continue beyond the edge. Splines do not know how an
// axis of one voxel would go on: it may be none at all.
VOXKERN_HD Edge edge_of(Outside outside, int order, i64 n) {
  if (order > 1 && n == 1) return Edge::nearest;
  return outside <= Outside::grid_constant ? Edge(i32(outside)) : Edge::mirror;
}

VOXKERN_APART i64 inside_again(i64 i, i64 n, Edge edge) { return inside(i, n, edge); }

// The first of the order + 1 voxels that a point reads, and the way from there.
template <int order>
VOXKERN_HD f64 anchor(f64 c) {
  return order % 2 ? floor(c) : floor(c + 0.5);
}

// The weights of those voxels, from the fraction t = c - anchor(c). R may be a vector.
template <int order, class R>
VOXKERN_HD void spline_weights(R t, R* w) {
  const R one = R(1);
  if constexpr (order == 0) w[0] = one;
  if constexpr (order == 1) {
    w[0] = one - t;
    w[1] = t;
  }
  if constexpr (order == 2) {
    const R a = R(0.5) - t, b = R(0.5) + t;
    w[0] = R(0.5) * a * a;
    w[1] = R(0.75) - t * t;
    w[2] = R(0.5) * b * b;
  }
  if constexpr (order == 3) {
    const R s = one - t;
    w[0] = s * s * s * R(1.0 / 6);
    w[1] = R(2.0 / 3) - t * t * (one - R(0.5) * t);
    w[2] = R(2.0 / 3) - s * s * (one - R(0.5) * s);
    w[3] = t * t * t * R(1.0 / 6);
  }
  if constexpr (order == 4) {
    const R a = R(0.5) - t, b = R(0.5) + t, tt = t * t, p = one + t, s = one - t;
    w[0] = a * a * a * a * R(1.0 / 24);
    w[1] = R(55.0 / 96) + p * (R(5.0 / 24) - p * (R(1.25) - p * (R(5) - p) * R(1.0 / 6)));
    w[2] = R(115.0 / 192) - tt * (R(0.625) - R(0.25) * tt);
    w[3] = R(55.0 / 96) + s * (R(5.0 / 24) - s * (R(1.25) - s * (R(5) - s) * R(1.0 / 6)));
    w[4] = b * b * b * b * R(1.0 / 24);
  }
  if constexpr (order == 5) {
    const R s = one - t, tt = t * t, ss = s * s, p = one + t, q = one + s;
    const R c2 = R(1.25), c1 = R(1.75), c3 = R(0.375), k = R(1.0 / 24), d = R(1.0 / 12);
    w[0] = ss * ss * s * R(1.0 / 120);
    w[1] = R(0.425) + p * (R(0.625) - p * (c1 - p * (c2 - p * (c3 - p * k))));
    w[2] = R(0.55) - tt * (R(0.5) - tt * (R(0.25) - t * d));
    w[3] = R(0.55) - ss * (R(0.5) - ss * (R(0.25) - s * d));
    w[4] = R(0.425) + q * (R(0.625) - q * (c1 - q * (c2 - q * (c3 - q * k))));
    w[5] = tt * tt * t * R(1.0 / 120);
  }
}

// The order + 1 voxels that a point reads along one axis: their places in memory, -1 for the fill
// value, and their weights. False: the point itself is the fill value.
template <int order, class R>
VOXKERN_HD bool taps(f64 c, i64 n, i64 step, Outside outside, i64* at, R* w) {
  if (!fold(c, n, outside, order)) return false;
  const f64 middle = anchor<order>(c);
  spline_weights<order>(R(c - middle), w);
  const i64 start = i64(middle) - order / 2;
  for (int k = 0; k <= order; ++k) {
    i64 i = start + k;
    if (i < 0 || i >= n) i = inside_again(i, n, edge_of(outside, order, n));
    at[k] = i < 0 ? -1 : i * step;
  }
  return true;
}

// The image at one point, in R's precision. NaN coordinates give the fill value; a NaN voxel
// reaches every point that reads it, whatever its weight.
template <int order, class R, class T>
VOXKERN_HD R sample(View<const T> image, f64 z, f64 y, f64 x, Outside outside, R fill) {
  i64 az[order + 1], ay[order + 1], ax[order + 1];
  R wz[order + 1], wy[order + 1], wx[order + 1];
  if (!taps<order>(z, image.size.z, image.step.z, outside, az, wz)) return fill;
  if (!taps<order>(y, image.size.y, image.step.y, outside, ay, wy)) return fill;
  if (!taps<order>(x, image.size.x, i64(1), outside, ax, wx)) return fill;
  R sum = R(0);
  for (int k = 0; k <= order; ++k) {
    R plane = R(0);
    for (int j = 0; j <= order; ++j) {
      R row = R(0);
      for (int i = 0; i <= order; ++i) {
        const bool known = az[k] >= 0 && ay[j] >= 0 && ax[i] >= 0;
        row += wx[i] * (known ? R(image.data[az[k] + ay[j] + ax[i]]) : fill);
      }
      plane += wy[j] * row;
    }
    sum += wz[k] * plane;
  }
  return sum;
}

// Small integers and f32 are interpolated in f32, the rest in f64.
template <class T>
struct RealOf {
  using type = f64;
};
template <>
struct RealOf<f32> {
  using type = f32;
};
template <>
struct RealOf<u8> {
  using type = f32;
};
template <>
struct RealOf<i16> {
  using type = f32;
};
template <>
struct RealOf<u16> {
  using type = f32;
};
template <class T>
using Real = typename RealOf<T>::type;

// How a sampled value is kept: integers are rounded, halves away from zero, and cut to the range;
// NaN becomes 0.
template <class T>
struct Kept {
  static constexpr bool whole = T(0.5) == T(0);
  static constexpr f64 high = whole
                                  ? (T(-1) < T(0) ? f64((u64(1) << (8 * sizeof(T) - 1)) - 1)
                                                  : f64((u64(1) << (8 * sizeof(T) - 1)) * 2.0 - 1))
                                  : 0;
  static constexpr f64 low = whole && T(-1) < T(0) ? -high - 1 : 0;
};
template <class T, class R>
VOXKERN_HD T keep(R value) {
  if constexpr (!Kept<T>::whole) {
    return T(value);
  } else {
    const f64 v = f64(value);
    const f64 rounded = v > 0 ? floor(v + 0.5) : -floor(0.5 - v);
    return v != v                     ? T(0)
           : rounded <= Kept<T>::low  ? T(Kept<T>::low)
           : rounded >= Kept<T>::high ? T(Kept<T>::high)
                                      : T(rounded);
  }
}

// A point as an image of type T keeps it: order 0 or 1.
template <class T>
VOXKERN_HD T read_linear(View<const T> image, f64 z, f64 y, f64 x, i64 order, i64 outside,
                         f64 fill) {
  const Outside beyond = Outside(i32(outside));
  using R = Real<T>;
  if (order == 1) return keep<T>(sample<1>(image, z, y, x, beyond, R(fill)));
  return keep<T>(sample<0>(image, z, y, x, beyond, R(fill)));
}

// A function of its own, so that all kernels of a file share one: compilers take long over it.
template <int order, class R>
VOXKERN_APART R sample_spline(View<const R> coefficients, f64 z, f64 y, f64 x, Outside outside,
                              R fill) {
  return sample<order>(coefficients, z, y, x, outside, fill);
}

// The same from spline coefficients: order 2 to 5.
template <class U, class R>
VOXKERN_HD U read_spline(View<const R> coefficients, f64 z, f64 y, f64 x, i64 order, i64 outside,
                         f64 fill) {
  const Outside beyond = Outside(i32(outside));
  if (order == 2) return keep<U>(sample_spline<2>(coefficients, z, y, x, beyond, R(fill)));
  if (order == 3) return keep<U>(sample_spline<3>(coefficients, z, y, x, beyond, R(fill)));
  if (order == 4) return keep<U>(sample_spline<4>(coefficients, z, y, x, beyond, R(fill)));
  return keep<U>(sample_spline<5>(coefficients, z, y, x, beyond, R(fill)));
}

// A volume whose planes and rows follow each other without a gap.
template <class T>
VOXKERN_HD View<T> dense(T* data, Size size) {
  return {data, size, {size.y * size.x, size.x, 1}};
}

}  // namespace voxkern
