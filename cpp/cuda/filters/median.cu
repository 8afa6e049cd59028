// Median filter: a thread a voxel. The cube of 3 goes through the networks of the CPU, in
// registers; any other footprint by bisection on the bits of the answer, which needs no room for
// the neighbours.
#include <voxkern/filters/median.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

template <class T>
__device__ __forceinline__ Key<T> key_at(const T* in, Size size, i64 z, i64 y, i64 x, Edge edge,
                                         Key<T> fill) {
  const i64 zz = inside(z, size.z, edge), yy = inside(y, size.y, edge),
            xx = inside(x, size.x, edge);
  const bool outside = zz < 0 || yy < 0 || xx < 0;
  return outside ? fill : rank_key(in[(zz * size.y + yy) * size.x + xx]);
}

template <class T>
__global__ void median_cube(const T* in, T* out, Size size, i64 mode, f64 outside) {
  const Edge edge = Edge(mode);
  const Key<T> fill = rank_key(T(outside));
  for (i64 i = first(); i < size.count(); i += step()) {
    const Size at = place(i, size);
    Key<T> list[3][9];  // the 9 voxels at each of three x, sorted
#pragma unroll
    for (int c = 0; c < 3; ++c) {
      Key<T> column[3][3], two[6];
#pragma unroll
      for (int b = 0; b < 3; ++b) {
#pragma unroll
        for (int a = 0; a < 3; ++a)
          column[b][a] = key_at(in, size, at.z + a - 1, at.y + b - 1, at.x + c - 1, edge, fill);
        network::sort<3>(column[b]);
      }
      network::merge<3, 3>(column[0], column[1], two);
      network::merge<6, 3>(two, column[2], list[c]);
    }
    Key<T> both[18];
    network::merge<9, 9>(list[0], list[1], both);
    from_rank_key(network::select<18, 9, 13>(both, list[2]), out[i]);
  }
}

// Where a key lies on an unsigned scale of 64 bits.
__device__ __forceinline__ u64 place_of(u8 k) { return k; }
__device__ __forceinline__ u64 place_of(u16 k) { return k; }
__device__ __forceinline__ u64 place_of(i16 k) { return u64(u16(k) ^ 0x8000u); }
__device__ __forceinline__ u64 place_of(i32 k) { return u64(u32(k) ^ 0x80000000u); }
__device__ __forceinline__ u64 place_of(i64 k) { return u64(k) ^ 0x8000000000000000ull; }
__device__ __forceinline__ void key_of(u64 p, u8& k) { k = u8(p); }
__device__ __forceinline__ void key_of(u64 p, u16& k) { k = u16(p); }
__device__ __forceinline__ void key_of(u64 p, i16& k) { k = i16(u16(p) ^ 0x8000u); }
__device__ __forceinline__ void key_of(u64 p, i32& k) { k = i32(u32(p) ^ 0x80000000u); }
__device__ __forceinline__ void key_of(u64 p, i64& k) { k = i64(p ^ 0x8000000000000000ull); }

template <class T>
__global__ void median(const T* in, T* out, const i64* offsets, i64 count, Size size, i64 rank,
                       i64 mode, f64 outside) {
  const Edge edge = Edge(mode);
  const Key<T> fill = rank_key(T(outside));
  for (i64 i = first(); i < size.count(); i += step()) {
    const Size at = place(i, size);
    u64 answer = 0;
    for (int bit = 8 * int(sizeof(Key<T>)) - 1; bit >= 0; --bit) {
      const u64 tried = answer | (u64(1) << bit);
      i64 below = 0;
      for (i64 n = 0; n < count; ++n) {
        const i64* o = offsets + 3 * n;
        below +=
            place_of(key_at(in, size, at.z + o[0], at.y + o[1], at.x + o[2], edge, fill)) < tried;
      }
      if (below <= rank) answer = tried;
    }
    Key<T> key;
    key_of(answer, key);
    from_rank_key(key, out[i]);
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports median{
    {"median<u8>", launcher<kernel::median<u8>>},
    {"median<i16>", launcher<kernel::median<i16>>},
    {"median<u16>", launcher<kernel::median<u16>>},
    {"median<i32>", launcher<kernel::median<i32>>},
    {"median<f32>", launcher<kernel::median<f32>>},
    {"median<f64>", launcher<kernel::median<f64>>},
    {"median_cube<u8>", launcher<kernel::median_cube<u8>>},
    {"median_cube<i16>", launcher<kernel::median_cube<i16>>},
    {"median_cube<u16>", launcher<kernel::median_cube<u16>>},
    {"median_cube<i32>", launcher<kernel::median_cube<i32>>},
    {"median_cube<f32>", launcher<kernel::median_cube<f32>>},
    {"median_cube<f64>", launcher<kernel::median_cube<f64>>},
};
}  // namespace voxkern::cuda
#endif
