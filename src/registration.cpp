#include <voxkern/registration/affine.hpp>

#include "call.hpp"

namespace voxkern {

static const Family registration([](Module& m) {
  m.kernel("affine_moments", {instance(&cpu::affine_moments)});
  m.kernel("affine_parzen", {instance(&cpu::affine_parzen)});
  m.kernel("affine_parzen_gradient", {instance(&cpu::affine_parzen_gradient)});
});

}  // namespace voxkern
