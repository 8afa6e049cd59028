#include <voxkern/morphology/binary_erosion.hpp>

#include "call.hpp"

namespace voxkern {

static const Family morphology([](Module& m) {
  m.kernel("binary_erosion", {instance(&cpu::binary_erosion)});
});

}  // namespace voxkern
