// Canny: plain loops that the compiler turns into vectors, and crests where the slope is steep.
#include <voxkern/filters/canny.hpp>

#include <cpu/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

namespace voxkern::cpu {
namespace {

// Sums of one row; `at(step)` is the row that many steps away, or null where all is `fill`.
template <class T, class At>
void sum_rows(At at, List<const f64> w, f64 sign, f64 fill, std::vector<f64>& sum) {
  const i64 n = i64(sum.size()), middle = w.size / 2;
  const T* here = at(0);
  for (i64 x = 0; x < n; ++x) sum[size_t(x)] = f64(here[x]) * w[middle];
  for (i64 far = middle; far > 0; --far) {
    const T *left = at(-far), *right = at(far);
    const f64 weight = w[middle - far];
    f64* to = sum.data();
    if (left && right)
      for (i64 x = 0; x < n; ++x) to[x] += (f64(left[x]) + sign * f64(right[x])) * weight;
    else
      for (i64 x = 0; x < n; ++x)
        to[x] += ((left ? f64(left[x]) : fill) + sign * (right ? f64(right[x]) : fill)) * weight;
  }
}

// What lies between a near neighbour and one beside it, as scikit-image rounds it.
template <class T, class W>
f64 between(T near, T far, W share) {
  return f64(far * share) + f64(near) * (1.0 - f64(share));
}

// Whether a voxel is no less than on both sides. Steps are in elements of `m`.
template <class T>
bool is_crest(const T* m, const T* slope, i64 apart, Size step, bool solid) {
  struct Axis {
    T slope;
    i64 step;
  };
  const auto axis = [](T s, i64 by) { return Axis{s, s > 0 ? by : -by}; };
  Axis x = axis(slope[(solid ? 2 : 1) * apart], step.x), y = axis(slope[solid ? apart : 0], step.y);
  Axis z = solid ? axis(slope[0], step.z) : Axis{0, 0};
  const T ax = std::abs(x.slope), ay = std::abs(y.slope), az = std::abs(z.slope);
  Axis top = x, one = y, two = z;
  if (!(ax >= ay && ax >= az)) {
    top = ay >= az ? y : z;
    one = ay >= az ? x : y;
    two = ay >= az ? z : x;
  }
  const T high = std::abs(top.slope);
  if (!(high > 0)) return false;
  const T u = std::abs(one.slope) / high, v = std::abs(two.slope) / high;
  for (const i64 side : {1, -1}) {
    const T* near = m + side * top.step;
    const i64 a = side * one.step, b = side * two.step;
    f64 value = between(near[0], near[a], u);
    if (solid) value = between(value, between(near[b], near[a + b], u), f64(v));
    if (!(value <= f64(*m))) return false;
  }
  return true;
}

// Whether a voxel and all around it are in the mask.
bool all_around(View<const u8> mask, i64 z, i64 y, i64 x, i64 deep) {
  if (!mask.data) return true;
  for (i64 k = z - deep; k <= z + deep; ++k)
    for (i64 j = y - 1; j <= y + 1; ++j) {
      const u8* row = mask.row(k, j) + x;
      if (!row[-1] || !row[0] || !row[1]) return false;
    }
  return true;
}

}  // namespace

template <class T>
void line_sums(On on, View<const T> in, View<T> out, List<const f64> w, i64 axis, Edge edge,
               f64 fill) {
  const Size n = in.size;
  if (n.count() == 0) return;
  const i64 reach = w.size / 2;
  const f64 sign =
      std::equal(w.data, w.data + reach, std::reverse_iterator(w.data + w.size)) ? 1 : -1;
  parallel_slabs(on, n.z * n.y, std::max<i64>(1, 4096 / n.x), [&](i64 begin, i64 end) {
    std::vector<f64> sum(size_t(n.x)), line(axis == 2 ? size_t(n.x + 2 * reach) : 0);
    for (i64 i = begin; i < end; ++i) {
      const i64 z = i / n.y, y = i % n.y;
      if (axis == 2) {
        const T* row = in.row(z, y);
        for (i64 x = -reach; x < n.x + reach; ++x) {
          const i64 from = inside(x, n.x, edge);
          line[size_t(x + reach)] = from < 0 ? fill : f64(row[from]);
        }
        sum_rows<f64>([&](i64 step) { return line.data() + reach + step; }, w, sign, fill, sum);
      } else {
        const i64 count = axis ? n.y : n.z;
        const auto at = [&](i64 step) -> const T* {
          const i64 from = inside((axis ? y : z) + step, count, edge);
          return from < 0 ? nullptr : axis ? in.row(z, from) : in.row(from, y);
        };
        sum_rows<T>(at, w, sign, fill, sum);
      }
      T* to = out.row(z, y);
      for (i64 x = 0; x < n.x; ++x) to[x] = T(sum[size_t(x)]);
    }
  });
}

template <class T>
void crests(On on, View<const T> in, View<const T> slopes, View<const u8> mask, View<u8> out,
            f64 low, f64 high) {
  const Size n = in.size;
  if (n.count() == 0) return;
  const bool solid = slopes.size.z == 3 * n.z;
  const i64 deep = solid ? 1 : 0, apart = n.z * slopes.step.z;
  parallel_slabs(on, n.z * n.y, std::max<i64>(1, 4096 / n.x), [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i) {
      const i64 z = i / n.y, y = i % n.y;
      u8* to = out.row(z, y);
      std::fill(to, to + n.x, u8(0));
      if (y == 0 || y == n.y - 1 || (solid && (z == 0 || z == n.z - 1))) continue;
      const T *m = in.row(z, y), *slope = slopes.row(z, y);
      for (i64 x = 1; x < n.x - 1; ++x) {
        if (!(m[x] >= low && m[x] > 0) || !all_around(mask, z, y, x, deep)) continue;
        if (is_crest(m + x, slope + x, apart, in.step, solid)) to[x] = m[x] >= high ? 2 : 1;
      }
    }
  });
}

using W = List<const f64>;
template void line_sums(On, View<const f32>, View<f32>, W, i64, Edge, f64);
template void line_sums(On, View<const f64>, View<f64>, W, i64, Edge, f64);
template void crests(On, View<const f32>, View<const f32>, View<const u8>, View<u8>, f64, f64);
template void crests(On, View<const f64>, View<const f64>, View<const u8>, View<u8>, f64, f64);

}  // namespace voxkern::cpu
