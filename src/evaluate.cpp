#include <voxkern/evaluate/overlap.hpp>

#include "call.hpp"

namespace voxkern {

template <class P>
static void add(std::vector<Instance>& to) {
  for (Instance& i : each<u8, u16, i32, i64>([](auto r) { return &cpu::overlap<P, decltype(r)>; }))
    to.push_back(std::move(i));
}

static const Family evaluate([](Module& m) {
  std::vector<Instance> overlap;
  add<u8>(overlap), add<u16>(overlap), add<i32>(overlap), add<i64>(overlap);
  m.kernel("overlap", std::move(overlap));
});

}  // namespace voxkern
