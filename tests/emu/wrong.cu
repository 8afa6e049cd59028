// Kernels with one mistake each, which the emulator has to find, and the same without it.
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

__global__ void wrong_early_return(i32* y) {
  if (threadIdx.x == 5) return;
  __syncthreads();
  y[threadIdx.x] = 1;
}

__global__ void wrong_deadlock(i32* y) {
  if (threadIdx.x % 2)
    __syncthreads();
  else
    __syncwarp();
  y[threadIdx.x] = 1;
}

__global__ void wrong_two_barriers(i32* y) {
  if (threadIdx.x % 2)
    __syncthreads();
  else
    __syncthreads_or(0);
  y[threadIdx.x] = 1;
}

__global__ void wrong_mask(i32* y) { y[threadIdx.x] = __shfl_sync(0x0000ffffu, 1, 0); }

// Lanes 16 to 31 do not take part, so what they give is not defined.
__global__ void wrong_lane(i32* y) {
  if (threadIdx.x < 16) y[threadIdx.x] = __shfl_sync(0x0000ffffu, 1, 31);
}

__global__ void wrong_too_much_shared(i32* y) {
  VOXKERN_SHARED(i32, room, 13000);
  room[threadIdx.x] = 0;
  y[threadIdx.x] = room[threadIdx.x];
}

__global__ void wrong_uninitialised(f32* y) {
  VOXKERN_SHARED(f32, room, 32);
  if (threadIdx.x < 31) room[threadIdx.x] = 1;
  __syncthreads();
  y[threadIdx.x] = room[threadIdx.x];
}

__global__ void wrong_global_index(i32* y) { y[threadIdx.x + 1] = 1; }

__global__ void wrong_shared_index(i32* y) {
  VOXKERN_SHARED(i32, room, 32);
  room[threadIdx.x + 1] = 1;
  __syncthreads();
  y[threadIdx.x] = room[threadIdx.x];
}

__global__ void wrong_overflow(i32* y) {
  i32 big = 2147483647;
  y[threadIdx.x] = big + i32(threadIdx.x);
}

// Whether the two barriers of a sum over a block are there.
template <bool FILLED, bool READ>
__global__ void wrong_sum(const i32* x, i32* y) {
  VOXKERN_SHARED(i32, room, 64);
  for (int turn = 0; turn < 2; ++turn) {
    room[threadIdx.x] = x[64 * turn + threadIdx.x];
    if (FILLED) __syncthreads();
    i32 sum = 0;
    for (int i = 0; i < 64; ++i) sum += room[i];
    y[64 * turn + threadIdx.x] = sum;
    if (READ) __syncthreads();
  }
}

// Code from before lanes of a warp had to be told to wait for each other.
template <bool SYNC>
__global__ void wrong_warp(i32* y) {
  VOXKERN_SHARED(i32, room, 32);
  room[threadIdx.x] = i32(threadIdx.x);
  if (SYNC) __syncwarp();
  y[threadIdx.x] = room[31 - threadIdx.x];
}

// The second exchange must not be reached before all have read the first.
template <bool SYNC>
__global__ void wrong_warp_twice(i32* y) {
  VOXKERN_SHARED(i32, room, 32);
  for (int turn = 0; turn < 3; ++turn) {
    room[threadIdx.x] = turn;
    __syncwarp();
    y[threadIdx.x] = room[31 - threadIdx.x];
    if (SYNC) __syncwarp();
  }
}

template <bool ATOMIC>
__global__ void wrong_count(const u8* x, i32* bins) {
  VOXKERN_SHARED(i32, own, 4);
  if (threadIdx.x < 4) own[threadIdx.x] = 0;
  __syncthreads();
  i32* bin = &own[x[threadIdx.x] % 4];
  if (ATOMIC)
    atomic_add(bin, 1);
  else
    *bin += 1;
  __syncthreads();
  if (threadIdx.x < 4) atomic_add(&bins[threadIdx.x], own[threadIdx.x]);
}

// Blocks add to one place.
template <bool ATOMIC>
__global__ void wrong_blocks(i32* y) {
  if (threadIdx.x != 0) return;
  if (ATOMIC)
    atomic_add(y, 1);
  else
    *y += 1;
}

// The smallest of all: looking first and writing then lets another thread in between.
template <bool ATOMIC>
__global__ void wrong_smallest(const i32* x, i32* y) {
  i32 own = x[first()];
  if (ATOMIC)
    atomic_min(y, own);
  else if (own < load_relaxed(y))
    store_relaxed(y, own);
}

// A plain write where others read relaxed.
template <bool RELAXED>
__global__ void wrong_plain_store(i32* y) {
  i32 seen = load_relaxed(y);
  if (RELAXED)
    store_relaxed(y, 7);
  else
    *y = 7;
  if (seen == 9) y[1] = 1;
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../../cpp/cuda/export.hpp"
using namespace voxkern::kernel;
using voxkern::cuda::launcher;
static const voxkern::cuda::Exports exports{
    {"wrong_early_return", launcher<wrong_early_return>},
    {"wrong_deadlock", launcher<wrong_deadlock>},
    {"wrong_two_barriers", launcher<wrong_two_barriers>},
    {"wrong_mask", launcher<wrong_mask>},
    {"wrong_lane", launcher<wrong_lane>},
    {"wrong_too_much_shared", launcher<wrong_too_much_shared>},
    {"wrong_uninitialised", launcher<wrong_uninitialised>},
    {"wrong_global_index", launcher<wrong_global_index>},
    {"wrong_shared_index", launcher<wrong_shared_index>},
    {"wrong_overflow", launcher<wrong_overflow>},
    {"wrong_sum<true,true>", launcher<wrong_sum<true, true>>},
    {"wrong_sum<false,true>", launcher<wrong_sum<false, true>>},
    {"wrong_sum<true,false>", launcher<wrong_sum<true, false>>},
    {"wrong_warp<true>", launcher<wrong_warp<true>>},
    {"wrong_warp<false>", launcher<wrong_warp<false>>},
    {"wrong_warp_twice<true>", launcher<wrong_warp_twice<true>>},
    {"wrong_warp_twice<false>", launcher<wrong_warp_twice<false>>},
    {"wrong_count<true>", launcher<wrong_count<true>>},
    {"wrong_count<false>", launcher<wrong_count<false>>},
    {"wrong_blocks<true>", launcher<wrong_blocks<true>>},
    {"wrong_blocks<false>", launcher<wrong_blocks<false>>},
    {"wrong_smallest<true>", launcher<wrong_smallest<true>>},
    {"wrong_smallest<false>", launcher<wrong_smallest<false>>},
    {"wrong_plain_store<true>", launcher<wrong_plain_store<true>>},
    {"wrong_plain_store<false>", launcher<wrong_plain_store<false>>},
};
#endif
