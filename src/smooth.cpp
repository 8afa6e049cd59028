#include <voxkern/filters/canny.hpp>
#include <voxkern/filters/gradient.hpp>
#include <voxkern/filters/local_entropy.hpp>
#include <voxkern/filters/local_moments.hpp>
#include <voxkern/filters/unsharp.hpp>

#include "call.hpp"

namespace voxkern {

// Answers of narrow types are single, of wide ones double.
template <class F>
static std::vector<Instance> each_float(F make) {
  return each_pair<Pair<u8, f32>, Pair<i16, f32>, Pair<u16, f32>, Pair<i32, f64>, Pair<f32, f32>,
                   Pair<f64, f64>>(make);
}

static const Family smooth([](Module& m) {
  m.kernel("crests", each<f32, f64>([](auto t) { return &cpu::crests<decltype(t)>; }));
  m.kernel("gradient",
           each_float([](auto t, auto u) { return &cpu::gradient<decltype(t), decltype(u)>; }));
  m.kernel("length", each<f32, f64>([](auto t) { return &cpu::length<decltype(t)>; }));
  m.kernel("line_sums", each<f32, f64>([](auto t) { return &cpu::line_sums<decltype(t)>; }));
  m.kernel("local_entropy", {instance(&cpu::local_entropy)});
  m.kernel("local_moments", each_float([](auto t, auto u) {
             return &cpu::local_moments<decltype(t), decltype(u)>;
           }));
  m.kernel("unsharp", each<f32, f64>([](auto t) { return &cpu::unsharp<decltype(t)>; }));
});

}  // namespace voxkern
