#include <voxkern/filters/median.hpp>

#include <cpu/parallel.hpp>

#include <vector>

namespace voxkern::cpu {

template <class T>
void median(On on, View<const T> in, View<T> out, List<const i64> offsets, i64 rank, Edge edge,
            T fill) {
  const i64 count = offsets.size / 3;
  parallel_slabs(on, out.size.z * out.size.y, 1, [&](i64 begin, i64 end) {
    std::vector<T> box(count);
    for (i64 line = begin; line < end; ++line) {
      const i64 z = line / out.size.y, y = line % out.size.y;
      for (i64 x = 0; x < out.size.x; ++x) {
        for (i64 n = 0; n < count; ++n) {
          i64 zz = inside(z + offsets[3 * n], in.size.z, edge);
          i64 yy = inside(y + offsets[3 * n + 1], in.size.y, edge);
          i64 xx = inside(x + offsets[3 * n + 2], in.size.x, edge);
          box[n] = zz < 0 || yy < 0 || xx < 0 ? fill : in(zz, yy, xx);
        }
        out(z, y, x) = select(box.data(), count, rank);
      }
    }
  });
}

template void median(On, View<const u8>, View<u8>, List<const i64>, i64, Edge, u8);
template void median(On, View<const i16>, View<i16>, List<const i64>, i64, Edge, i16);
template void median(On, View<const u16>, View<u16>, List<const i64>, i64, Edge, u16);
template void median(On, View<const i32>, View<i32>, List<const i64>, i64, Edge, i32);
template void median(On, View<const f32>, View<f32>, List<const i64>, i64, Edge, f32);
template void median(On, View<const f64>, View<f64>, List<const i64>, i64, Edge, f64);

}  // namespace voxkern::cpu
