#include <voxkern/regions/label.hpp>

#include "call.hpp"

namespace voxkern {

static const Family regions([](Module& m) {
  m.kernel("label", each_pair<Pair<u8, i32>, Pair<u16, i32>, Pair<i32, i32>, Pair<i64, i32>,
                              Pair<u8, i64>, Pair<u16, i64>, Pair<i32, i64>, Pair<i64, i64>>(
                        [](auto t, auto l) { return &cpu::label<decltype(t), decltype(l)>; }));
});

}  // namespace voxkern
