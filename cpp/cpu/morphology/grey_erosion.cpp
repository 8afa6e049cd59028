#include <voxkern/morphology/grey_erosion.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <limits>
#include <type_traits>

namespace voxkern::cpu {
namespace {

template <bool highest>
f64 better(f64 value, f64 best) {
  if constexpr (highest)
    return (value > best) | (value != value) ? value : best;
  else
    return (value < best) | (best != best) ? value : best;
}

// What every number is better than.
template <bool highest>
constexpr f64 worst =
    highest ? -std::numeric_limits<f64>::infinity() : std::numeric_limits<f64>::quiet_NaN();

template <bool highest, class T>
void erode(On on, View<const T> x, View<T> y, List<const i64> offsets, List<const f64> heights,
           Edge edge, f64 fill, f64 low, f64 high) {
  const Size n = y.size;
  parallel_slabs(on, n.z * n.y, std::max<i64>(1, 4096 / n.x), [&](i64 begin, i64 end) {
    Scratch<f64> best(n.x);
    for (i64 line = begin; line < end; ++line) {
      std::fill(best.begin(), best.end(), worst<highest>);
      for (i64 i = 0; i < heights.size; ++i) {
        const i64 dx = offsets[3 * i + 2];
        const i64 zz = inside(line / n.y + offsets[3 * i], n.z, edge);
        const i64 yy = inside(line % n.y + offsets[3 * i + 1], n.y, edge);
        const T* row = zz < 0 || yy < 0 ? nullptr : x.row(zz, yy);
        const f64 height = highest ? heights[i] : -heights[i];
        const i64 from = row ? std::clamp<i64>(-dx, 0, n.x) : n.x;
        const i64 to = std::clamp(n.x - dx, from, n.x);
        const auto edges = [&](i64 a, i64 b) {
          for (; a < b; ++a) {
            const i64 at = row ? inside(a + dx, n.x, edge) : -1;
            best[a] = better<highest>((at < 0 ? fill : f64(row[at])) + height, best[a]);
          }
        };
        edges(0, from);
        f64* least = best.data();
        for (i64 a = from; a < to; ++a)
          least[a] = better<highest>(f64(row[a + dx]) + height, least[a]);
        edges(to, n.x);
      }
      T* out = y.row(line / n.y, line % n.y);
      for (i64 a = 0; a < n.x; ++a) {
        const f64 v = best[a];
        out[a] = T(v < low ? low : v > high ? high : v);
      }
    }
  });
}

}  // namespace

template <class T>
void grey_erosion(On on, View<const T> x, View<T> y, List<const i64> offsets,
                  List<const f64> heights, i64 highest, Edge edge, f64 fill, f64 low, f64 high) {
  if (highest)
    erode<true>(on, x, y, offsets, heights, edge, fill, low, high);
  else
    erode<false>(on, x, y, offsets, heights, edge, fill, low, high);
}

template <class T>
void difference(On on, View<const T> a, View<const T> b, View<T> y, i64 how) {
  const Size n = y.size;
  parallel_slabs(on, n.z * n.y, std::max<i64>(1, 65536 / n.x), [&](i64 begin, i64 end) {
    for (i64 line = begin; line < end; ++line) {
      const T *p = a.row(line / n.y, line % n.y), *q = b.row(line / n.y, line % n.y);
      T* out = y.row(line / n.y, line % n.y);
      if (how == 1)
        for (i64 x = 0; x < n.x; ++x) out[x] = p[x] != q[x];
      else if (how == 2)
        for (i64 x = 0; x < n.x; ++x) out[x] = (p[x] != 0) & (q[x] == 0);
      else if (how == 3)
        for (i64 x = 0; x < n.x; ++x) out[x] = (p[x] == 0) & (q[x] == 0);
      else if constexpr (std::is_same_v<T, i32>)
        for (i64 x = 0; x < n.x; ++x) out[x] = i32(u32(p[x]) - u32(q[x]));
      else
        for (i64 x = 0; x < n.x; ++x) out[x] = T(p[x] - q[x]);
    }
  });
}

using Offsets = List<const i64>;
using Heights = List<const f64>;
template void grey_erosion(On, View<const u8>, View<u8>, Offsets, Heights, i64, Edge, f64, f64,
                           f64);
template void grey_erosion(On, View<const i16>, View<i16>, Offsets, Heights, i64, Edge, f64, f64,
                           f64);
template void grey_erosion(On, View<const u16>, View<u16>, Offsets, Heights, i64, Edge, f64, f64,
                           f64);
template void grey_erosion(On, View<const i32>, View<i32>, Offsets, Heights, i64, Edge, f64, f64,
                           f64);
template void grey_erosion(On, View<const f32>, View<f32>, Offsets, Heights, i64, Edge, f64, f64,
                           f64);
template void grey_erosion(On, View<const f64>, View<f64>, Offsets, Heights, i64, Edge, f64, f64,
                           f64);

template void difference(On, View<const u8>, View<const u8>, View<u8>, i64);
template void difference(On, View<const i16>, View<const i16>, View<i16>, i64);
template void difference(On, View<const u16>, View<const u16>, View<u16>, i64);
template void difference(On, View<const i32>, View<const i32>, View<i32>, i64);
template void difference(On, View<const f32>, View<const f32>, View<f32>, i64);
template void difference(On, View<const f64>, View<const f64>, View<f64>, i64);

}  // namespace voxkern::cpu
