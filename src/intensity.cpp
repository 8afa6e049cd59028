#include <voxkern/filters/n4.hpp>

#include "call.hpp"

namespace voxkern {

// Answers of narrow types are single, of wide ones double.
template <class F>
static std::vector<Instance> each_float(F make) {
  return each_pair<Pair<u8, f32>, Pair<i16, f32>, Pair<u16, f32>, Pair<i32, f64>, Pair<f32, f32>,
                   Pair<f64, f64>>(make);
}

static const Family intensity([](Module& m) {
  m.kernel("n4_pick",
           each<u8, i16, u16, i32, f32, f64>([](auto t) { return &cpu::n4_pick<decltype(t)>; }));
  m.kernel("n4_histogram", {instance(&cpu::n4_histogram)});
  m.kernel("n4_fit", {instance(&cpu::n4_fit)});
  m.kernel("n4_update", {instance(&cpu::n4_update)});
  m.kernel("n4_divide",
           each_float([](auto t, auto r) { return &cpu::n4_divide<decltype(t), decltype(r)>; }));
});

}  // namespace voxkern
