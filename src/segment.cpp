#include <voxkern/segment/otsu.hpp>

#include "call.hpp"

namespace voxkern {

static const Family segment([](Module& m) {
  m.kernel("otsu", each<i64>([](auto) { return &cpu::otsu; }));
});

}  // namespace voxkern
