#include <voxkern/warp/affine.hpp>

#include "call.hpp"

namespace voxkern {

// An image of integers is read as it is, or, for splines, as coefficients in floating point.
template <class F>
std::vector<Instance> readable(F make) {
  return each_pair<Pair<u8, u8>, Pair<i16, i16>, Pair<u16, u16>, Pair<i32, i32>, Pair<f32, f32>,
                   Pair<f64, f64>, Pair<f32, u8>, Pair<f32, i16>, Pair<f32, u16>, Pair<f64, i32>>(
      make);
}

static const Family warp([](Module& m) {
  m.kernel("affine", readable([](auto t, auto u) {
             return &cpu::affine<decltype(t), decltype(u)>;
           }));
});

}  // namespace voxkern
