#include <voxkern/features/discretize.hpp>

#include <cpu/parallel.hpp>

namespace voxkern::cpu {

template <class T>
void discretize(On on, View<const T> x, View<const u8> mask, View<u16> levels, f64 low, f64 times,
                f64 over, f64 most) {
  const Size size = x.size;
  parallel_slabs(on, size.z * size.y, 16, [&](i64 begin, i64 end) {
    for (i64 row = begin; row < end; ++row) {
      const i64 z = row / size.y, y = row % size.y;
      const T* from = x.row(z, y);
      u16* to = levels.row(z, y);
      if (!mask.size.x) {
        for (i64 i = 0; i < size.x; ++i) to[i] = level_of(f64(from[i]), low, times, over, most);
        continue;
      }
      const u8* inside = mask.row(z, y);
      for (i64 i = 0; i < size.x; ++i)
        to[i] = inside[i] ? level_of(f64(from[i]), low, times, over, most) : u16(0);
    }
  });
}

#define VOXKERN_INSTANCE(T)                                                                   \
  template void discretize(On, View<const T>, View<const u8>, View<u16>, f64, f64, f64, f64);
VOXKERN_INSTANCE(u8)
VOXKERN_INSTANCE(i16)
VOXKERN_INSTANCE(u16)
VOXKERN_INSTANCE(i32)
VOXKERN_INSTANCE(f32)
VOXKERN_INSTANCE(f64)

}  // namespace voxkern::cpu
