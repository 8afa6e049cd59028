// What a CUDA kernel may use, whoever compiles it: nvcc, NVRTC, or g++ for the emulator of
// tests/emu.
//
// A kernel includes nothing else but <voxkern/...>. It adds up floats in an order fixed by the
// shape, so there is no float atomic here; and it has no flags between blocks: use two launches.
#pragma once
#include <voxkern/base.hpp>

#ifdef VOXKERN_EMULATE
#include "emulator.hpp"
#else
// An array that the threads of a block share. The count is known when compiling.
#define VOXKERN_SHARED(T, name, count) __shared__ T name[count]
#endif

namespace voxkern {

// Where this thread stands among all threads of a launch with one-dimensional blocks:
//   for (i64 i = first(); i < n; i += step()) ...
__device__ __forceinline__ i64 first() { return blockIdx.x * i64(blockDim.x) + threadIdx.x; }
__device__ __forceinline__ i64 step() { return gridDim.x * i64(blockDim.x); }

// The place (z, y, x) of the i-th voxel of a volume, in C order.
VOXKERN_HD Size place(i64 i, Size size) {
  i64 rows = i / size.x;
  return {rows / size.y, rows % size.y, i % size.x};
}

VOXKERN_HD i64 offset(Size at, Size size) { return (at.z * size.y + at.y) * size.x + at.x; }

VOXKERN_HD bool contains(Size size, Size at) {
  return 0 <= at.z && at.z < size.z && 0 <= at.y && at.y < size.y && 0 <= at.x && at.x < size.x;
}

// How many tiles cover a volume along each axis, and the first voxel of the i-th of them. A block
// takes tile after tile from a one-dimensional grid, so that no axis meets CUDA's limit on grids:
//   Size tiles = tiling(size, tile);
//   for (i64 t = blockIdx.x; t < tiles.count(); t += gridDim.x) { Size from = corner(t, tiles,
//   tile); ...
VOXKERN_HD Size tiling(Size size, Size tile) {
  return {(size.z + tile.z - 1) / tile.z, (size.y + tile.y - 1) / tile.y,
          (size.x + tile.x - 1) / tile.x};
}
VOXKERN_HD Size corner(i64 i, Size tiles, Size tile) {
  Size at = place(i, tiles);
  return {at.z * tile.z, at.y * tile.y, at.x * tile.x};
}

// This thread's number within its block of any shape, and how many threads the block has.
__device__ __forceinline__ int thread_in_block() {
  return int((threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x);
}
__device__ __forceinline__ int block_threads() { return int(blockDim.x * blockDim.y * blockDim.z); }

#ifndef VOXKERN_EMULATE

// Reads and writes of a place that other threads change meanwhile, 4 or 8 bytes of integer. They
// order nothing else. In PTX, because CUDA before 12.8 has no function for it.
template <class T>
__device__ __forceinline__ T load_relaxed(const T* p) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "4 or 8 bytes");
  if constexpr (sizeof(T) == 4) {
    u32 value;
    asm volatile("ld.relaxed.gpu.u32 %0, [%1];" : "=r"(value) : "l"(p) : "memory");
    return T(value);
  } else {
    u64 value;
    asm volatile("ld.relaxed.gpu.u64 %0, [%1];" : "=l"(value) : "l"(p) : "memory");
    return T(value);
  }
}
template <class T>
__device__ __forceinline__ void store_relaxed(T* p, T value) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "4 or 8 bytes");
  if constexpr (sizeof(T) == 4) {
    asm volatile("st.relaxed.gpu.u32 [%0], %1;" ::"l"(p), "r"(u32(value)) : "memory");
  } else {
    asm volatile("st.relaxed.gpu.u64 [%0], %1;" ::"l"(p), "l"(u64(value)) : "memory");
  }
}

// Atomics on integers of 4 or 8 bytes. Each returns what was there before. Most of CUDA's own know
// eight bytes only without a sign, which makes no difference to them.
template <class T>
__device__ __forceinline__ T atomic_add(T* p, T value) {
  if constexpr (sizeof(T) == 8)
    return T(atomicAdd(reinterpret_cast<u64*>(p), u64(value)));
  else
    return atomicAdd(p, value);
}
template <class T>
__device__ __forceinline__ T atomic_or(T* p, T value) {
  if constexpr (sizeof(T) == 8)
    return T(atomicOr(reinterpret_cast<u64*>(p), u64(value)));
  else
    return atomicOr(p, value);
}
template <class T>
__device__ __forceinline__ T atomic_and(T* p, T value) {
  if constexpr (sizeof(T) == 8)
    return T(atomicAnd(reinterpret_cast<u64*>(p), u64(value)));
  else
    return atomicAnd(p, value);
}
template <class T>
__device__ __forceinline__ T atomic_exchange(T* p, T value) {
  if constexpr (sizeof(T) == 8)
    return T(atomicExch(reinterpret_cast<u64*>(p), u64(value)));
  else
    return atomicExch(p, value);
}
template <class T>
__device__ __forceinline__ T atomic_compare_exchange(T* p, T expected, T value) {
  if constexpr (sizeof(T) == 8) {
    return T(atomicCAS(reinterpret_cast<u64*>(p), u64(expected), u64(value)));
  } else {
    return atomicCAS(p, expected, value);
  }
}
template <class T>
__device__ __forceinline__ T atomic_min(T* p, T value) {
  return atomicMin(p, value);
}
template <class T>
__device__ __forceinline__ T atomic_max(T* p, T value) {
  return atomicMax(p, value);
}

#endif

// The sum of one value a lane, on every lane. All 32 lanes call it. The order is fixed.
template <class T>
__device__ __forceinline__ T warp_sum(T value) {
  for (int far = 16; far > 0; far /= 2) value += __shfl_xor_sync(0xffffffffu, value, far);
  return value;
}

// The sum of one value a thread, on every thread of the block, in a fixed order. `room` is a shared
// array of 32 values, the same for two calls in a row if need be. The block has a multiple of 32
// threads, and all of them call it.
template <class T>
__device__ __forceinline__ T block_sum(T value, T* room) {
  int thread = thread_in_block(), warps = block_threads() / 32;
  value = warp_sum(value);
  __syncthreads();
  if (thread % 32 == 0) room[thread / 32] = value;
  __syncthreads();
  return warp_sum(thread % 32 < warps ? room[thread % 32] : T(0));
}

}  // namespace voxkern
