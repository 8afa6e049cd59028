// Plain loops over rows, which the compiler turns into vectors.
#include <voxkern/filters/srad.hpp>

#include <cpu/parallel.hpp>

#include <algorithm>

namespace voxkern::cpu {

namespace {

// Calls at(i, before, behind) along a row, whose ends stand for what lies beyond.
template <class F>
void along(i64 n, F at) {
  at(0, 0, std::min<i64>(1, n - 1));
  for (i64 i = 1; i + 1 < n; ++i) at(i, i - 1, i + 1);
  if (n > 1) at(n - 1, n - 2, n - 1);
}

}  // namespace

template <class T>
void srad(On on, View<const T> x, View<T> c, View<T> y, f64 noise, f64 step, i64 axes) {
  const Size n = x.size;
  const T share = T(1.0 / f64(2 * axes)), each = T(1.0 / f64(axes)), power = T(noise),
          by = T(step / f64(2 * axes));
  parallel_slabs(on, n.z * n.y, 16, [&](i64 begin, i64 end) {
    for (i64 line = begin; line < end; ++line) {
      const i64 k = line / n.y, j = line % n.y;
      const T *here = x.row(k, j), *up = x.row(std::max<i64>(k - 1, 0), j),
              *down = x.row(std::min(k + 1, n.z - 1), j), *left = x.row(k, std::max<i64>(j - 1, 0)),
              *right = x.row(k, std::min(j + 1, n.y - 1));
      T* to = c.row(k, j);
      along(n.x, [=](i64 i, i64 before, i64 behind) {
        const T v = here[i];
        const T d[6] = {up[i] - v,    down[i] - v,      left[i] - v,
                        right[i] - v, here[before] - v, here[behind] - v};
        const T sum = ((d[0] + d[1]) + (d[2] + d[3])) + (d[4] + d[5]);
        const T squares = ((d[0] * d[0] + d[1] * d[1]) + (d[2] * d[2] + d[3] * d[3])) +
                          (d[4] * d[4] + d[5] * d[5]);
        const T shift = sum * share;
        to[i] = speckle_flow(v + shift, squares * each, shift, power);
      });
    }
  });
  parallel_slabs(on, n.z * n.y, 16, [&](i64 begin, i64 end) {
    for (i64 line = begin; line < end; ++line) {
      const i64 k = line / n.y, j = line % n.y, next = std::min(k + 1, n.z - 1),
                beside = std::min(j + 1, n.y - 1);
      const T *here = x.row(k, j), *up = x.row(std::max<i64>(k - 1, 0), j), *down = x.row(next, j),
              *left = x.row(k, std::max<i64>(j - 1, 0)), *right = x.row(k, beside);
      const T *flow = c.row(k, j), *below = c.row(next, j), *across = c.row(k, beside);
      T* to = y.row(k, j);
      along(n.x, [=](i64 i, i64 before, i64 behind) {
        const T v = here[i], f = flow[i];
        const T back = f * (((up[i] - v) + (left[i] - v)) + (here[before] - v));
        const T on = (below[i] * (down[i] - v) + across[i] * (right[i] - v)) +
                     flow[behind] * (here[behind] - v);
        to[i] = v + by * (back + on);
      });
    }
  });
}

template void srad(On, View<const f32>, View<f32>, View<f32>, f64, f64, i64);
template void srad(On, View<const f64>, View<f64>, View<f64>, f64, f64, i64);

}  // namespace voxkern::cpu
