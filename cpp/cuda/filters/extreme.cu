// Minimum and maximum filters: a thread a voxel. A box goes axis by axis, a launch each.
#include <voxkern/filters/extreme.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

// Keys of which the least is wanted: turned round where the greatest is.
template <class T>
__device__ __forceinline__ Key<T> turned(Key<T> key, i64 highest) {
  return highest ? Key<T>(~key) : key;
}

template <class T>
__global__ void extreme_line(const T* in, T* out, Size size, i64 axis, i64 begin, i64 count,
                             i64 highest, i64 edge, f64 fill) {
  const i64 n = axis == 0 ? size.z : axis == 1 ? size.y : size.x;
  const i64 stride = axis == 0 ? size.y * size.x : axis == 1 ? size.x : 1;
  for (i64 i = first(); i < size.count(); i += step()) {
    const i64 at = i / stride % n;
    Key<T> best = 0;
    for (i64 c = 0; c < count; ++c) {
      const i64 from = inside(at + begin + c, n, Edge(edge));
      const T value = from < 0 ? T(fill) : in[i + (from - at) * stride];
      const Key<T> key = turned<T>(rank_key(value), highest);
      if (c == 0 || key < best) best = key;
    }
    from_rank_key(turned<T>(best, highest), out[i]);
  }
}

template <class T>
__global__ void extreme(const T* in, T* out, const i64* offsets, i64 count, Size size, i64 highest,
                        Size edges, f64 fill) {
  for (i64 i = first(); i < size.count(); i += step()) {
    const Size at = place(i, size);
    Key<T> best = 0;
    for (i64 n = 0; n < count; ++n) {
      const Size from{inside(at.z + offsets[3 * n], size.z, Edge(edges.z)),
                      inside(at.y + offsets[3 * n + 1], size.y, Edge(edges.y)),
                      inside(at.x + offsets[3 * n + 2], size.x, Edge(edges.x))};
      const T value = contains(size, from) ? in[offset(from, size)] : T(fill);
      const Key<T> key = turned<T>(rank_key(value), highest);
      if (n == 0 || key < best) best = key;
    }
    from_rank_key(turned<T>(best, highest), out[i]);
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports extreme{
    {"extreme<u8>", launcher<kernel::extreme<u8>>},
    {"extreme<i16>", launcher<kernel::extreme<i16>>},
    {"extreme<u16>", launcher<kernel::extreme<u16>>},
    {"extreme<i32>", launcher<kernel::extreme<i32>>},
    {"extreme<f32>", launcher<kernel::extreme<f32>>},
    {"extreme<f64>", launcher<kernel::extreme<f64>>},
    {"extreme_line<u8>", launcher<kernel::extreme_line<u8>>},
    {"extreme_line<i16>", launcher<kernel::extreme_line<i16>>},
    {"extreme_line<u16>", launcher<kernel::extreme_line<u16>>},
    {"extreme_line<i32>", launcher<kernel::extreme_line<i32>>},
    {"extreme_line<f32>", launcher<kernel::extreme_line<f32>>},
    {"extreme_line<f64>", launcher<kernel::extreme_line<f64>>},
};
}  // namespace voxkern::cuda
#endif
