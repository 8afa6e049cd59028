#include <voxkern/regions/connected_threshold.hpp>
#include <voxkern/regions/edt.hpp>
#include <voxkern/regions/fill_holes.hpp>
#include <voxkern/regions/keep_largest.hpp>
#include <voxkern/regions/label.hpp>

#include "call.hpp"

namespace voxkern {

static const Family regions([](Module& m) {
  m.kernel("connected_threshold", each<u8, i16, u16, i32, f32, f64>([](auto t) {
             return &cpu::connected_threshold<decltype(t)>;
           }));
  m.kernel("edt", each<u8, u16, i32, i64>([](auto t) { return &cpu::edt<decltype(t)>; }));
  m.kernel("fill_holes", {instance(&cpu::fill_holes)});
  m.kernel("keep_largest", {instance(&cpu::keep_largest)});
  m.kernel("label", each_pair<Pair<u8, i32>, Pair<u16, i32>, Pair<i32, i32>, Pair<i64, i32>,
                              Pair<u8, i64>, Pair<u16, i64>, Pair<i32, i64>, Pair<i64, i64>>(
                        [](auto t, auto l) { return &cpu::label<decltype(t), decltype(l)>; }));
});

}  // namespace voxkern
