// What every kernel may use: fixed-width names, host/device marks, Size, View, Edge.
// Read by g++, clang++, nvcc and NVRTC, so NVRTC's pass includes no standard header.
#pragma once

#ifdef __CUDACC_RTC__
namespace voxkern {
using i8 = signed char;
using u8 = unsigned char;
using i16 = short;
using u16 = unsigned short;
using i32 = int;
using u32 = unsigned int;
using i64 = long long;
using u64 = unsigned long long;
}  // namespace voxkern
#else
#include <math.h>  // not <cmath>: sqrt(float) without std::, as NVRTC has it, stays a float

#include <cstdint>
namespace voxkern {
using i8 = std::int8_t;
using u8 = std::uint8_t;
using i16 = std::int16_t;
using u16 = std::uint16_t;
using i32 = std::int32_t;
using u32 = std::uint32_t;
using i64 = long long;  // not int64_t: CUDA's atomics and NVRTC know long long
using u64 = unsigned long long;
}  // namespace voxkern
#endif

#if defined(__CUDACC__)
#define VOXKERN_HD __host__ __device__ __forceinline__
#else
#define VOXKERN_HD inline __attribute__((always_inline))
#endif

namespace voxkern {

using f32 = float;
using f64 = double;

// Three numbers in the order of the array's axes: voxels along z, y and x.
struct Size {
  i64 z, y, x;
  VOXKERN_HD i64 count() const { return z * y * x; }
};

// The same for lengths: a spacing, a sigma, a point.
struct Vec3 {
  f64 z, y, x;
};

// A volume somebody else owns. Steps count elements, not bytes; rows are contiguous (step.x is 1):
// Python hands over nothing else, and every schedule relies on it.
template <class T>
struct View {
  T* data;
  Size size;
  Size step;
  VOXKERN_HD T& operator()(i64 z, i64 y, i64 x) const { return data[z * step.z + y * step.y + x]; }
  VOXKERN_HD T* row(i64 z, i64 y) const { return data + z * step.z + y * step.y; }
};

// The row of a mask from x on, null without a mask: one of no voxels stands for none at all.
template <class T>
VOXKERN_HD T* row_of(const View<T>& mask, i64 z, i64 y, i64 x = 0) {
  return mask.size.x ? mask.row(z, y) + x : nullptr;
}

// A list somebody else owns: a table of weights, seeds, bins, parameters.
template <class T>
struct List {
  T* data;
  i64 size;
  VOXKERN_HD T& operator[](i64 i) const { return data[i]; }
};

// What lies outside an image; the codes are those of _edge.py.
enum class Edge : i32 { reflect, mirror, nearest, wrap, constant };

// The index that stands in for `i` in [0, n), or -1 for "use the fill value".
VOXKERN_HD i64 inside(i64 i, i64 n, Edge edge) {
  if (0 <= i && i < n) return i;
  switch (edge) {
    case Edge::nearest: return i < 0 ? 0 : n - 1;
    case Edge::wrap: {
      i64 r = i % n;
      return r < 0 ? r + n : r;
    }
    case Edge::reflect: {
      i64 r = i % (2 * n);
      if (r < 0) r += 2 * n;
      return r < n ? r : 2 * n - 1 - r;
    }
    case Edge::mirror: {
      if (n == 1) return 0;
      i64 p = 2 * n - 2, r = i % p;
      if (r < 0) r += p;
      return r < n ? r : p - r;
    }
    default: return -1;
  }
}

// The smaller and the larger of two numbers, where std::min is not to be had.
template <class T>
VOXKERN_HD T least(T a, T b) {
  return b < a ? b : a;
}
template <class T>
VOXKERN_HD T most(T a, T b) {
  return a < b ? b : a;
}

}  // namespace voxkern
