#include <voxkern/warp/map_coordinates.hpp>

#include <cpu/parallel.hpp>
#include <cpu/warp/points.hpp>

namespace voxkern::cpu {
namespace {

// Lists of coordinates along z, y and x: one of the two types.
struct Lists {
  const f32* f32s[3];
  const f64* f64s[3];

  Lists(List<const f32> z, List<const f32> y, List<const f32> x)
      : f32s{z.data, y.data, x.data}, f64s{} {}
  Lists(List<const f64> z, List<const f64> y, List<const f64> x)
      : f32s{}, f64s{z.data, y.data, x.data} {}
};

void widen(const f32* from, i64 n, f64* to) {
  constexpr int L = simd::lanes<f64>;
  i64 i = 0;
  for (; i + L <= n; i += L) simd::store(to + i, simd::load_as<f64, L>(from + i));
  for (; i < n; ++i) to[i] = f64(from[i]);
}

template <class T, class V, class U>
void read_list(On on, const Reader<T, V>& reader, List<U> out, const Lists& lists) {
  constexpr i64 share = 32 * block;
  parallel_for(on, (out.size + share - 1) / share, [&](i64 s) {
    alignas(64) f64 wide[3][block + 40];
    const i64 end = std::min((s + 1) * share, out.size);
    for (i64 i = s * share; i < end; i += block) {
      const i64 n = std::min(block, end - i);
      Points at;
      for (int a = 0; a < 3; ++a) {
        at.list[a] = wide[a];
        if (lists.f32s[a])
          widen(lists.f32s[a] + i, n, wide[a]);
        else if (n < block)
          std::copy_n(lists.f64s[a] + i, n, wide[a]);
        else
          at.list[a] = lists.f64s[a] + i;
        std::fill(wide[a] + n, wide[a] + block, wide[a][0]);
      }
      read_block(reader, at, n, false, out.data + i);
    }
  });
}

}  // namespace

template <class T, class U, class C>
void map_coordinates(On on, View<const T> in, List<U> out, List<const C> zs, List<const C> ys,
                     List<const C> xs, i64 order, i64 outside, f64 fill, f64, f64) {
  const Lists lists(zs, ys, xs);
  const Outside beyond = Outside(i32(outside));
  if constexpr (std::is_same_v<T, U>)
    if (order == 0) return read_list(on, Reader<T, T>(in, order, beyond, fill), out, lists);
  read_list(on, Reader<T, Real<T>>(in, order, beyond, fill), out, lists);
}

template void map_coordinates(On, View<const u8>, List<u8>, List<const f32>, List<const f32>,
                              List<const f32>, i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const i16>, List<i16>, List<const f32>, List<const f32>,
                              List<const f32>, i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const u16>, List<u16>, List<const f32>, List<const f32>,
                              List<const f32>, i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const i32>, List<i32>, List<const f32>, List<const f32>,
                              List<const f32>, i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f32>, List<f32>, List<const f32>, List<const f32>,
                              List<const f32>, i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f64>, List<f64>, List<const f32>, List<const f32>,
                              List<const f32>, i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f32>, List<u8>, List<const f32>, List<const f32>,
                              List<const f32>, i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f32>, List<i16>, List<const f32>, List<const f32>,
                              List<const f32>, i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f32>, List<u16>, List<const f32>, List<const f32>,
                              List<const f32>, i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f64>, List<i32>, List<const f32>, List<const f32>,
                              List<const f32>, i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const u8>, List<u8>, List<const f64>, List<const f64>,
                              List<const f64>, i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const i16>, List<i16>, List<const f64>, List<const f64>,
                              List<const f64>, i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const u16>, List<u16>, List<const f64>, List<const f64>,
                              List<const f64>, i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const i32>, List<i32>, List<const f64>, List<const f64>,
                              List<const f64>, i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f32>, List<f32>, List<const f64>, List<const f64>,
                              List<const f64>, i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f64>, List<f64>, List<const f64>, List<const f64>,
                              List<const f64>, i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f32>, List<u8>, List<const f64>, List<const f64>,
                              List<const f64>, i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f32>, List<i16>, List<const f64>, List<const f64>,
                              List<const f64>, i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f32>, List<u16>, List<const f64>, List<const f64>,
                              List<const f64>, i64, i64, f64, f64, f64);
template void map_coordinates(On, View<const f64>, List<i32>, List<const f64>, List<const f64>,
                              List<const f64>, i64, i64, f64, f64, f64);

}  // namespace voxkern::cpu
