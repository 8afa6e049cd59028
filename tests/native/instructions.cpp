// Functions whose assembly test_native.py reads.
#include <voxkern/simd.hpp>

using namespace voxkern;

#define BOTH(T)                                                                       \
  extern "C" void min_##T(T* p) { store(p, min(simd::load(p), simd::load(p + 99))); } \
  extern "C" void max_##T(T* p) { store(p, max(simd::load(p), simd::load(p + 99))); }

// clang-format off
BOTH(u8) BOTH(i8) BOTH(i16) BOTH(u16) BOTH(i32) BOTH(f32) BOTH(f64)
    // clang-format on

    // A constant operand is where GCC would rather compare and blend.
    extern "C" void clamp_f32(f32* p) {
  store(p, max(min(simd::load(p), 255.0f), 0.0f));
}
