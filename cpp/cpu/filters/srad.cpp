// Rows in vectors; the two ends of a row, which have a neighbour less, one by one.
#include <voxkern/filters/srad.hpp>
#include <voxkern/simd.hpp>

#include <cpu/parallel.hpp>

#include <algorithm>

namespace voxkern::cpu {

namespace {

using voxkern::speckle_flow;

// The same for lanes.
template <class T>
Vec<T> speckle_flow(Vec<T> mean, Vec<T> squares, Vec<T> shift, Vec<T> noise) {
  const Vec<T> power = mean * mean;
  const Vec<T> below = noise * noise * power + (squares - shift * shift);
  const Vec<T> flow = noise * (Vec<T>(T(1)) + noise) * power / below;
  return simd::select(below == below, simd::min(flow, T(1)), below);
}

// A row of an image and those beside it.
template <class T>
struct Rows {
  const T *here, *up, *down, *left, *right;
  Rows(View<const T> x, i64 k, i64 j)
      : here(x.row(k, j)),
        up(x.row(std::max<i64>(k - 1, 0), j)),
        down(x.row(std::min(k + 1, x.size.z - 1), j)),
        left(x.row(k, std::max<i64>(j - 1, 0))),
        right(x.row(k, std::min(j + 1, x.size.y - 1))) {}
};

// Calls at(read, i, before, behind) for the voxels of a row: vectors, and single numbers
// where one would reach beyond the row.
template <class T, class F>
void along(i64 n, T* to, F at) {
  using V = Vec<T>;
  const auto one = [&](i64 i) {
    to[i] = at([](const T* p) { return *p; }, i, std::max<i64>(i - 1, 0), std::min(i + 1, n - 1));
  };
  one(0);
  i64 i = 1;
  for (; i + V::lanes < n; i += V::lanes)
    simd::store(to + i, at([](const T* p) { return simd::load(p); }, i, i - 1, i + 1));
  for (; i < n; ++i) one(i);
}

}  // namespace

template <class T>
void srad(On on, View<const T> x, View<T> c, View<T> y, f64 noise, f64 step, Vec3 share) {
  const Size n = x.size;
  const T power = T(noise), by = T(step);
  const T sz = T(share.z), sy = T(share.y), sx = T(share.x);
  parallel_slabs(on, n.z * n.y, 16, [&](i64 begin, i64 end) {
    for (i64 line = begin; line < end; ++line) {
      const Rows<T> r(x, line / n.y, line % n.y);
      along(n.x, c.row(line / n.y, line % n.y), [=](auto read, i64 i, i64 before, i64 behind) {
        using N = decltype(read(r.here));
        const N v = read(r.here + i), a = read(r.up + i) - v, b = read(r.down + i) - v,
                d = read(r.left + i) - v, e = read(r.right + i) - v, f = read(r.here + before) - v,
                g = read(r.here + behind) - v;
        const N shift = (N(sz) * (a + b) + N(sy) * (d + e)) + N(sx) * (f + g);
        const N squares =
            (N(sz) * (a * a + b * b) + N(sy) * (d * d + e * e)) + N(sx) * (f * f + g * g);
        return speckle_flow(v + shift, N(T(2)) * squares, shift, N(power));
      });
    }
  });
  const View<const T> flow{c.data, c.size, c.step};
  parallel_slabs(on, n.z * n.y, 16, [&](i64 begin, i64 end) {
    for (i64 line = begin; line < end; ++line) {
      const Rows<T> r(x, line / n.y, line % n.y), s(flow, line / n.y, line % n.y);
      along(n.x, y.row(line / n.y, line % n.y), [=](auto read, i64 i, i64 before, i64 behind) {
        using N = decltype(read(r.here));
        const N v = read(r.here + i);
        const N c = read(s.here + i);
        const N z = c * (read(r.up + i) - v) + read(s.down + i) * (read(r.down + i) - v);
        const N y = c * (read(r.left + i) - v) + read(s.right + i) * (read(r.right + i) - v);
        const N x =
            c * (read(r.here + before) - v) + read(s.here + behind) * (read(r.here + behind) - v);
        return v + N(by) * ((N(sz) * z + N(sy) * y) + N(sx) * x);
      });
    }
  });
}

template void srad(On, View<const f32>, View<f32>, View<f32>, f64, f64, Vec3);
template void srad(On, View<const f64>, View<f64>, View<f64>, f64, f64, Vec3);

}  // namespace voxkern::cpu
