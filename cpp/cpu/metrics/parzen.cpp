#include <voxkern/metrics/parzen.hpp>

#include <cpu/parallel.hpp>
#include <voxkern/metrics/window.hpp>

#include <algorithm>
#include <mutex>

namespace voxkern::cpu {

template <class T>
void parzen_histogram(On on, View<const T> fixed, View<const T> moving, View<const u8> mask,
                      i64 bins, f64 fixed_low, f64 fixed_high, f64 moving_low, f64 moving_high,
                      List<i64> counts) {
  const Axis f(fixed_low, fixed_high, bins), m(moving_low, moving_high, bins);
  std::fill(counts.data, counts.data + counts.size, 0);
  std::mutex adding;
  const Blocks blocks(fixed.size);
  parallel_slabs(on, blocks.count(), 4, [&](i64 first, i64 last) {
    Windows own(bins);
    for (i64 i = first; i < last; ++i) {
      const Block block = blocks[i];
      for (i64 row = block.begin; row < block.end; ++row) {
        const i64 z = row / fixed.size.y, y = row % fixed.size.y;
        const T *u = fixed.row(z, y), *v = moving.row(z, y);
        for (i64 x = block.from; x < block.to; ++x) {
          if (!f.takes(f64(u[x])) || !m.takes(f64(v[x])) || !counts_in(mask, z, y, x)) continue;
          own.add(parzen_bin(f.place(f64(u[x])), bins), m.place(f64(v[x])));
        }
      }
    }
    std::lock_guard hold(adding);
    own.into(counts);
  });
}

template <class T, class R>
void parzen_gradient(On on, View<const T> fixed, View<const T> moving, View<const u8> mask,
                     i64 bins, f64 fixed_low, f64 fixed_high, f64 moving_low, f64 moving_high,
                     List<const f64> table, f64 factor, View<R> out) {
  const Axis f(fixed_low, fixed_high, bins), m(moving_low, moving_high, bins);
  const Blocks blocks(fixed.size);
  parallel_for(on, blocks.count(), [&](i64 i) {
    const Block block = blocks[i];
    for (i64 row = block.begin; row < block.end; ++row) {
      const i64 z = row / fixed.size.y, y = row % fixed.size.y;
      const T *u = fixed.row(z, y), *v = moving.row(z, y);
      R* to = out.row(z, y);
      for (i64 x = block.from; x < block.to; ++x) {
        to[x] = 0;
        if (!f.takes(f64(u[x])) || !m.takes(f64(v[x])) || !counts_in(mask, z, y, x)) continue;
        const f64 place = m.place(f64(v[x]));
        const i64 bin = parzen_bin(place, bins);
        const f64* at = table.data + parzen_bin(f.place(f64(u[x])), bins) * bins + bin - 1;
        const Four sums = slopes_at(place - f64(bin)) * simd::load<f64, 4>(at);
        to[x] = R(factor * (((sums[0] + sums[1]) + sums[2]) + sums[3]));
      }
    }
  });
}

#define VOXKERN_INSTANCES(T, R)                                                                   \
  template void parzen_histogram(On, View<const T>, View<const T>, View<const u8>, i64, f64, f64, \
                                 f64, f64, List<i64>);                                            \
  template void parzen_gradient(On, View<const T>, View<const T>, View<const u8>, i64, f64, f64,  \
                                f64, f64, List<const f64>, f64, View<R>);
VOXKERN_INSTANCES(u8, f32)
VOXKERN_INSTANCES(i16, f32)
VOXKERN_INSTANCES(u16, f32)
VOXKERN_INSTANCES(i32, f64)
VOXKERN_INSTANCES(f32, f32)
VOXKERN_INSTANCES(f64, f64)

}  // namespace voxkern::cpu
