#include <voxkern/metrics/parzen.hpp>

#include <cpu/parallel.hpp>
#include <voxkern/metrics/window.hpp>

#include <algorithm>
#include <mutex>

namespace voxkern::cpu {

namespace {

// Where some voxels of a row lie: the bin of the fixed value, that of the moving one and how far
// behind it. What does not count has a fixed bin of -1.
template <class T>
class Places {
 public:
  static constexpr i64 most = 256;
  alignas(64) i32 fixed[most], moving[most];
  alignas(64) f64 behind[most];

  Places(const Axis& f, const Axis& m, i64 bins, View<const u8> mask)
      : f_(f), m_(m), last_(i32(bins - 3)), mask_(mask) {}

  void find(const T* u, const T* v, i64 z, i64 y, i64 x, i64 n) {
    for (i64 k = 0; k < n; k += lanes) {
      const int some = int(std::min<i64>(lanes, n - k));
      const auto a = simd::load_as<f64>(u + k, some), b = simd::load_as<f64>(v + k, some);
      const auto counts =
          (a >= F(f_.low)) & (a <= F(f_.high)) & (b >= F(m_.low)) & (b <= F(m_.high));
      const auto place = place_of(b, m_);
      const auto bin = bin_of(place);
      simd::store(fixed + k, bin_of(place_of(a, f_)) | ~simd::convert<i32>(counts));
      simd::store(moving + k, bin);
      simd::store(behind + k, place - simd::convert<f64>(bin));
    }
    if (const u8* inside = row_of(mask_, z, y, x))
      for (i64 k = 0; k < n; ++k)
        if (!inside[k]) fixed[k] = -1;
  }

 private:
  using F = Vec<f64>;
  static constexpr int lanes = F::lanes;
  const Axis &f_, &m_;
  const i32 last_;
  const View<const u8> mask_;

  static F place_of(F v, const Axis& axis) { return (v - axis.low) * axis.scale + 2.0; }
  Vec<i32, lanes> bin_of(F place) const {
    return simd::convert<i32>(min(max(place, 2.0), f64(last_)));
  }
};

// Calls use(places, z, y, x, n) for n voxels of a row, some at a time.
template <class T, class F>
void each_stretch(const Block& block, View<const T> fixed, View<const T> moving, Places<T>& places,
                  F use) {
  for (i64 row = block.begin; row < block.end; ++row) {
    const i64 z = row / fixed.size.y, y = row % fixed.size.y;
    for (i64 x = block.from; x < block.to; x += places.most) {
      const i64 n = std::min(places.most, block.to - x);
      places.find(fixed.row(z, y) + x, moving.row(z, y) + x, z, y, x, n);
      use(z, y, x, n);
    }
  }
}

}  // namespace

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
    Places<T> places(f, m, bins, mask);
    for (i64 i = first; i < last; ++i)
      each_stretch(blocks[i], fixed, moving, places, [&](i64, i64, i64, i64 n) {
        for (i64 k = 0; k < n; ++k)
          if (places.fixed[k] >= 0) own.add(places.fixed[k], places.moving[k], places.behind[k]);
      });
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
    Places<T> places(f, m, bins, mask);
    each_stretch(blocks[i], fixed, moving, places, [&](i64 z, i64 y, i64 x, i64 n) {
      R* to = out.row(z, y) + x;
      for (i64 k = 0; k < n; ++k) {
        const i64 row = places.fixed[k];
        const f64* at = table.data + most(row, i64(0)) * bins + places.moving[k] - 1;
        const Four sums = slopes_at(places.behind[k]) * simd::load<f64, 4>(at);
        to[k] = row < 0 ? R(0) : R(factor * (((sums[0] + sums[1]) + sums[2]) + sums[3]));
      }
    });
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
