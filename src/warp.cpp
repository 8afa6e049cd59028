#include <voxkern/warp/affine.hpp>
#include <voxkern/warp/map_coordinates.hpp>
#include <voxkern/warp/spline_filter.hpp>
#include <voxkern/warp/zoom.hpp>

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
  m.kernel("affine",
           readable([](auto t, auto u) { return &cpu::affine<decltype(t), decltype(u)>; }));
  m.kernel("zoom", readable([](auto t, auto u) { return &cpu::zoom<decltype(t), decltype(u)>; }));
  auto listed =
      readable([](auto t, auto u) { return &cpu::map_coordinates<decltype(t), decltype(u), f32>; });
  for (const Instance& i : readable(
           [](auto t, auto u) { return &cpu::map_coordinates<decltype(t), decltype(u), f64>; }))
    listed.push_back(i);
  m.kernel("map_coordinates", listed);
  m.kernel("spline_filter", each_pair<Pair<u8, f32>, Pair<i16, f32>, Pair<u16, f32>, Pair<f32, f32>,
                                      Pair<i32, f64>, Pair<f64, f64>>([](auto t, auto u) {
             return &cpu::spline_filter<decltype(t), decltype(u)>;
           }));
});

}  // namespace voxkern
