#include <voxkern/filters/clahe.hpp>
#include <voxkern/filters/match.hpp>
#include <voxkern/filters/n4.hpp>
#include <voxkern/filters/rescale.hpp>

#include "call.hpp"

namespace voxkern {

// Answers of narrow types are single, of wide ones double.
template <class F>
static std::vector<Instance> each_float(F make) {
  return each_pair<Pair<u8, f32>, Pair<i16, f32>, Pair<u16, f32>, Pair<i32, f64>, Pair<f32, f32>,
                   Pair<f64, f64>>(make);
}

// One answer of type R for each type.
template <class R, class F>
static void each_to(std::vector<Instance>& all, F make) {
  for (Instance one :
       {instance(make(u8(), R())), instance(make(i16(), R())), instance(make(u16(), R())),
        instance(make(i32(), R())), instance(make(f32(), R())), instance(make(f64(), R()))})
    all.push_back(one);
}
static std::vector<Instance> rescales() {
  const auto make = [](auto t, auto r) { return &cpu::rescale<decltype(t), decltype(r)>; };
  std::vector<Instance> all;
  each_to<u8>(all, make);
  each_to<f32>(all, make);
  each_to<f64>(all, make);
  return all;
}

template <class F>
static std::vector<Instance> each_real(F make) {
  return each<u8, i16, u16, i32, f32, f64>(make);
}

static const Family intensity([](Module& m) {
  m.kernel("rescale", rescales());
  m.kernel("clip", each_real([](auto t) { return &cpu::clip<decltype(t)>; }));
  m.kernel("shifted_sums", each_real([](auto t) { return &cpu::shifted_sums<decltype(t)>; }));
  m.kernel("interp", each_pair<Pair<i32, f64>, Pair<f32, f32>, Pair<f64, f64>>(
                         [](auto t, auto r) { return &cpu::interp<decltype(t), decltype(r)>; }));
  m.kernel("power", each_pair<Pair<i32, f64>, Pair<f32, f32>, Pair<f64, f64>>(
                        [](auto t, auto r) { return &cpu::power<decltype(t), decltype(r)>; }));
  m.kernel("lookup", each_pair<Pair<u8, f32>, Pair<i16, f32>, Pair<u16, f32>>(
                         [](auto t, auto r) { return &cpu::lookup<decltype(t), decltype(r)>; }));
  m.kernel("match", each<f32, f64>([](auto t) { return &cpu::match<decltype(t)>; }));
  m.kernel("gray_bins", each_real([](auto t) { return &cpu::gray_bins<decltype(t)>; }));
  m.kernel("tile_maps", {instance(&cpu::tile_maps)});
  m.kernel("tile_blend", {instance(&cpu::tile_blend)});
  m.kernel("n4_pick", each_real([](auto t) { return &cpu::n4_pick<decltype(t)>; }));
  m.kernel("n4_histogram", {instance(&cpu::n4_histogram)});
  m.kernel("n4_fit", {instance(&cpu::n4_fit)});
  m.kernel("n4_update", {instance(&cpu::n4_update)});
  m.kernel("n4_divide",
           each_float([](auto t, auto r) { return &cpu::n4_divide<decltype(t), decltype(r)>; }));
});

}  // namespace voxkern
