#include <voxkern/warp/map_coordinates.hpp>

#include <cpu/parallel.hpp>
#include <cpu/warp/points.hpp>

#include <algorithm>

namespace voxkern::cpu {
namespace {

template <int order, class T, class U, class C>
void read_list(On on, View<const T> image, List<U> out, List<const C> zs, List<const C> ys,
               List<const C> xs, Outside outside, f64 fill) {
  using R = Real<T>;
  constexpr int N = group<R>;
  using D = Doubles<N>;
  using Part = typename D::Part;
  const Field field(image);
  const i64 n[3] = {image.size.z, image.size.y, image.size.x};
  const List<const C> points[3] = {zs, ys, xs};
  Span inner[3];
  for (int a = 0; a < 3; ++a) inner[a] = interior(n[a], order, outside);
  const bool clamped = order < 2 && (outside == Outside::nearest || outside == Outside::cell);
  const bool groups = in_groups<order, T> && (order == 0 || n[2] > 1);

  const auto slowly = [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i)
      out[i] = keep<U>(sample<order>(image, f64(zs[i]), f64(ys[i]), f64(xs[i]), outside, R(fill)));
  };
  constexpr i64 block = 8192;  // fixed, so that the same points share a group whoever reads them
  parallel_for(on, (out.size + block - 1) / block, [&](i64 b) {
    i64 i = b * block;
    const i64 end = std::min(i + block, out.size);
    if constexpr (in_groups<order, T>) {
      for (; groups && i + N <= end; i += N) {
        D c[3];
        auto ok = Part(0.0) == Part(0.0);
        for (int a = 0; a < 3; ++a)
          for (int p = 0; p < D::parts; ++p) {
            const Part x = simd::load_as<f64, half_group>(points[a].data + i + p * half_group);
            c[a].part[p] = x;
            ok = ok & (x >= Part(inner[a].low)) & (x <= Part(inner[a].high));
          }
        if (!simd::all(ok)) {
          slowly(i, i + N);
        } else if (clamped) {
          read_group<order, (order < 2)>(image, field, c, out.data + i, N);
        } else {
          read_group<order, false>(image, field, c, out.data + i, N);
        }
      }
    }
    slowly(i, end);
  });
}

}  // namespace

template <class T, class U, class C>
void map_coordinates(On on, View<const T> in, List<U> out, List<const C> zs, List<const C> ys,
                     List<const C> xs, i64 order, i64 outside, f64 fill, f64, f64) {
  const Outside beyond = Outside(i32(outside));
  if constexpr (std::is_same_v<T, U>) {
    if (order == 0) return read_list<0>(on, in, out, zs, ys, xs, beyond, fill);
    if (order == 1) return read_list<1>(on, in, out, zs, ys, xs, beyond, fill);
  }
  if constexpr (std::is_floating_point_v<T>) {
    if (order == 2) return read_list<2>(on, in, out, zs, ys, xs, beyond, fill);
    if (order == 3) return read_list<3>(on, in, out, zs, ys, xs, beyond, fill);
    if (order == 4) return read_list<4>(on, in, out, zs, ys, xs, beyond, fill);
    if (order == 5) return read_list<5>(on, in, out, zs, ys, xs, beyond, fill);
  }
}

template <class C>
using Points = List<const C>;
template void map_coordinates(On, View<const u8>, List<u8>, Points<f32>, Points<f32>, Points<f32>,
                              i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const i16>, List<i16>, Points<f32>, Points<f32>, Points<f32>,
                              i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const u16>, List<u16>, Points<f32>, Points<f32>, Points<f32>,
                              i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const i32>, List<i32>, Points<f32>, Points<f32>, Points<f32>,
                              i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f32>, List<f32>, Points<f32>, Points<f32>, Points<f32>,
                              i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f64>, List<f64>, Points<f32>, Points<f32>, Points<f32>,
                              i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f32>, List<u8>, Points<f32>, Points<f32>, Points<f32>,
                              i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f32>, List<i16>, Points<f32>, Points<f32>, Points<f32>,
                              i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f32>, List<u16>, Points<f32>, Points<f32>, Points<f32>,
                              i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f64>, List<i32>, Points<f32>, Points<f32>, Points<f32>,
                              i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const u8>, List<u8>, Points<f64>, Points<f64>, Points<f64>,
                              i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const i16>, List<i16>, Points<f64>, Points<f64>, Points<f64>,
                              i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const u16>, List<u16>, Points<f64>, Points<f64>, Points<f64>,
                              i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const i32>, List<i32>, Points<f64>, Points<f64>, Points<f64>,
                              i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f32>, List<f32>, Points<f64>, Points<f64>, Points<f64>,
                              i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f64>, List<f64>, Points<f64>, Points<f64>, Points<f64>,
                              i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f32>, List<u8>, Points<f64>, Points<f64>, Points<f64>,
                              i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f32>, List<i16>, Points<f64>, Points<f64>, Points<f64>,
                              i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f32>, List<u16>, Points<f64>, Points<f64>, Points<f64>,
                              i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f64>, List<i32>, Points<f64>, Points<f64>, Points<f64>,
                              i64, i64, f64, f64, f64);

}  // namespace voxkern::cpu
