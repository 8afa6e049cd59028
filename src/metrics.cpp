#include <voxkern/metrics/digits.hpp>
#include <voxkern/metrics/entropies.hpp>
#include <voxkern/metrics/histogram.hpp>
#include <voxkern/metrics/moments.hpp>
#include <voxkern/metrics/parzen.hpp>

#include "call.hpp"

namespace voxkern {

template <class F>
static std::vector<Instance> each_real(F make) {
  return each<u8, i16, u16, i32, f32, f64>(make);
}

// Gradients of narrow types are single, of wide ones double.
template <class F>
static std::vector<Instance> each_gradient(F make) {
  return each_pair<Pair<u8, f32>, Pair<i16, f32>, Pair<u16, f32>, Pair<i32, f64>, Pair<f32, f32>,
                   Pair<f64, f64>>(make);
}

static const Family metrics([](Module& m) {
  m.kernel("digits",
           each<u8, i16, u16, i32, i64>([](auto t) { return &cpu::digits<decltype(t)>; }));
  m.kernel("entropies", each<i64>([](auto) { return &cpu::entropies; }));
  m.kernel("extremes", each_pair<Pair<u8, f64>, Pair<i16, f64>, Pair<u16, f64>, Pair<i32, f64>,
                                 Pair<f32, f32>, Pair<f64, f64>>([](auto t, auto e) {
             return &cpu::extremes<decltype(t), decltype(e)>;
           }));
  m.kernel("histogram", each_real([](auto t) { return &cpu::histogram<decltype(t)>; }));
  m.kernel("joint_histogram", each_real([](auto t) { return &cpu::joint_histogram<decltype(t)>; }));
  m.kernel("square_differences",
           each_real([](auto t) { return &cpu::square_differences<decltype(t)>; }));
  m.kernel("comoments", each_real([](auto t) { return &cpu::comoments<decltype(t)>; }));
  m.kernel("pair_gradient", each_gradient([](auto t, auto r) {
             return &cpu::pair_gradient<decltype(t), decltype(r)>;
           }));
  m.kernel("parzen_histogram",
           each_real([](auto t) { return &cpu::parzen_histogram<decltype(t)>; }));
  m.kernel("parzen_gradient", each_gradient([](auto t, auto r) {
             return &cpu::parzen_gradient<decltype(t), decltype(r)>;
           }));
});

}  // namespace voxkern
