#include <voxkern/metrics/moments.hpp>

#include <cpu/parallel.hpp>
#include <voxkern/simd.hpp>

#include <algorithm>

namespace voxkern::cpu {

namespace {

using F = Vec<f64>;
constexpr int L = simd::lanes<f64>;

// Runs use(a, b, inside, count) with the lanes of both rows; what the mask leaves out is zero
// there.
template <class T, class Use>
[[gnu::always_inline]] inline void pairs(const T* a, const T* b, const u8* mask, i64 n, Use use) {
  simd::each_vector<f64>(n, [&](i64 x, auto some) {
    use(simd::load_as<f64>(a + x, some), simd::load_as<f64>(b + x, some),
        simd::inside<F::Mask>(mask, x, some));
  });
}

}  // namespace

template <class T>
void square_differences(On on, View<const T> a, View<const T> b, View<const u8> mask,
                        List<f64> sums) {
  const auto total =
      parallel_sum<Sums<2>>(on, a.size, [&](i64 z, i64 y, i64 begin, i64 end, Sums<2>& s) {
        F::Mask n(i64(0));
        F sum = 0.0;
        pairs(a.row(z, y) + begin, b.row(z, y) + begin, row_of(mask, z, y, begin), end - begin,
              [&](F u, F v, F::Mask inside) {
                n -= inside;
                const F d = select(inside, u - v, 0.0);
                sum = simd::fma(d, d, sum);
              });
        s[0] += f64(simd::reduce_sum(n));
        s[1] += simd::reduce_sum(sum);
      });
  std::copy(total.of, total.of + sums.size, sums.data);
}

template <class T>
void comoments(On on, View<const T> a, View<const T> b, View<const u8> mask, List<f64> sums, f64 a0,
               f64 b0) {
  const auto total =
      parallel_sum<Sums<6>>(on, a.size, [&](i64 z, i64 y, i64 begin, i64 end, Sums<6>& s) {
        F::Mask n(i64(0));
        F su = 0.0, sv = 0.0, suu = 0.0, svv = 0.0, suv = 0.0;
        pairs(a.row(z, y) + begin, b.row(z, y) + begin, row_of(mask, z, y, begin), end - begin,
              [&](F u, F v, F::Mask inside) {
                n -= inside;
                u = select(inside, u - a0, 0.0);
                v = select(inside, v - b0, 0.0);
                su += u;
                sv += v;
                suu = simd::fma(u, u, suu);
                svv = simd::fma(v, v, svv);
                suv = simd::fma(u, v, suv);
              });
        s[0] += f64(simd::reduce_sum(n));
        const F rows[5] = {su, sv, suu, svv, suv};
        for (int k = 0; k < 5; ++k) s[k + 1] += simd::reduce_sum(rows[k]);
      });
  std::copy(total.of, total.of + sums.size, sums.data);
}

template <class T, class R>
void pair_gradient(On on, View<const T> a, View<const T> b, View<const u8> mask, View<R> out,
                   f64 a0, f64 b0, f64 by_a, f64 by_b) {
  const Blocks blocks(a.size);
  parallel_for(on, blocks.count(), [&](i64 i) {
    const Block block = blocks[i];
    for (i64 row = block.begin; row < block.end; ++row) {
      const i64 z = row / a.size.y, y = row % a.size.y;
      const u8* inside = row_of(mask, z, y);
      const T *u = a.row(z, y), *v = b.row(z, y);
      R* to = out.row(z, y);
      for (i64 x = block.from; x < block.to; ++x)
        to[x] = R(by_a * (f64(u[x]) - a0) + by_b * (f64(v[x]) - b0));
      if (inside)
        for (i64 x = block.from; x < block.to; ++x) to[x] = inside[x] ? to[x] : R(0);
    }
  });
}

#define VOXKERN_INSTANCES(T, R)                                                                    \
  template void square_differences(On, View<const T>, View<const T>, View<const u8>, List<f64>);   \
  template void comoments(On, View<const T>, View<const T>, View<const u8>, List<f64>, f64, f64);  \
  template void pair_gradient(On, View<const T>, View<const T>, View<const u8>, View<R>, f64, f64, \
                              f64, f64);
VOXKERN_INSTANCES(u8, f32)
VOXKERN_INSTANCES(i16, f32)
VOXKERN_INSTANCES(u16, f32)
VOXKERN_INSTANCES(i32, f64)
VOXKERN_INSTANCES(f32, f32)
VOXKERN_INSTANCES(f64, f64)

}  // namespace voxkern::cpu
