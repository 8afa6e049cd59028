// The CPU plays the GPU: kernels run unchanged, each CUDA thread a fiber. For tests only.
//
// Always found: threads that miss a barrier, deadlocks, lanes outside their mask, too much or
// uninitialised shared memory, and what depends on the order of threads and blocks.
// With -fsanitize=address: reads and writes outside global and shared arrays.
// With -fsanitize=thread: missing barriers and atomics. Each CUDA thread is a thread to TSan, and
// only barriers, warp intrinsics and launches put two of them in order; switching does not.
// Never found: anything about speed, registers, memory fences, or arithmetic that differs on a GPU.
#pragma once
#include <voxkern/base.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <functional>
#include <string>
#include <type_traits>

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x = 1, y = 1, z = 1;
};
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;

namespace voxkern::emulator {

// Runs `body` as every thread of the grid. Throws std::runtime_error for what a GPU would refuse,
// hang on, or get wrong without a word.
void launch(dim3 grid, dim3 block, const std::function<void()>& body);

// How the launches from now on are scheduled. `order` of threads and of blocks: "forward",
// "reverse" or "random". `preempt`: how probably a thread pauses at an atomic. `resident`: how many
// blocks take turns.
void set_schedule(const std::string& order, unsigned seed, double preempt, int resident);

// Makes one __syncthreads() do nothing: the line of a file whose path ends so. For tests of tests.
void take_out_barrier(const std::string& file, int line);
bool taken_out(const char* file, int line);

// How often fibers were switched since the start.
unsigned long long switches();

// The calling block's shared array that `key` stands for.
void* shared_array(const void* key, std::size_t bytes, std::size_t align);

enum class Barrier { plain, any, all, count };
int barrier(int predicate, Barrier kind);

enum class Warp { sync, shfl, shfl_up, shfl_down, shfl_xor, vote, match };

// Meets the lanes of `mask` and hands over what each of the 32 gave; lanes outside gave garbage.
const u64* meet(unsigned mask, u64 given, Warp kind);
unsigned lane();

void maybe_pause();

template <class T>
u64 to_bits(T value) {
  static_assert(sizeof(T) <= 8, "lanes exchange at most 8 bytes");
  u64 bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}
template <class T>
T from_bits(u64 bits) {
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// What lane `from` gave, or this lane's own where `from` is outside its group of `width` lanes.
template <class T>
T from_lane(unsigned mask, T value, int from, int width, Warp kind) {
  int own = int(lane()), begin = own / width * width;
  const u64* given = meet(mask, to_bits(value), kind);
  return from_bits<T>(given[begin <= from && from < begin + width ? from : own]);
}

}  // namespace voxkern::emulator

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define VOXKERN_SHARED(T, name, count)                             \
  T* const name = static_cast<T*>(voxkern::emulator::shared_array( \
      [] {                                                         \
        static char key;                                           \
        return static_cast<const void*>(&key);                     \
      }(),                                                         \
      sizeof(T) * (count), alignof(T)))

constexpr int warpSize = 32;

inline void voxkern_syncthreads(const char* file, int line) {
  using namespace voxkern::emulator;
  if (!taken_out(file, line)) barrier(0, Barrier::plain);
}
#define __syncthreads() voxkern_syncthreads(__FILE__, __LINE__)
inline int __syncthreads_or(int p) {
  return voxkern::emulator::barrier(p, voxkern::emulator::Barrier::any);
}
inline int __syncthreads_and(int p) {
  return voxkern::emulator::barrier(p, voxkern::emulator::Barrier::all);
}
inline int __syncthreads_count(int p) {
  return voxkern::emulator::barrier(p, voxkern::emulator::Barrier::count);
}

inline void __syncwarp(unsigned mask = 0xffffffffu) {
  voxkern::emulator::meet(mask, 0, voxkern::emulator::Warp::sync);
}
template <class T>
T __shfl_sync(unsigned mask, T value, int from, int width = 32) {
  using namespace voxkern::emulator;
  int begin = int(lane()) / width * width;
  return from_lane(mask, value, begin + (from & (width - 1)), width, Warp::shfl);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32) {
  using namespace voxkern::emulator;
  return from_lane(mask, value, int(lane()) - int(by), width, Warp::shfl_up);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32) {
  using namespace voxkern::emulator;
  return from_lane(mask, value, int(lane() + by), width, Warp::shfl_down);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int by, int width = 32) {
  using namespace voxkern::emulator;
  return from_lane(mask, value, int(lane()) ^ by, width, Warp::shfl_xor);
}
inline unsigned __ballot_sync(unsigned mask, int predicate) {
  const voxkern::u64* given =
      voxkern::emulator::meet(mask, predicate != 0, voxkern::emulator::Warp::vote);
  unsigned votes = 0;
  for (int i = 0; i < 32; ++i) votes |= (mask >> i & 1) && given[i] == 1 ? 1u << i : 0;
  return votes;
}
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, !predicate) == 0; }
template <class T>
unsigned __match_any_sync(unsigned mask, T value) {
  voxkern::u64 own = voxkern::emulator::to_bits(value);
  const voxkern::u64* given = voxkern::emulator::meet(mask, own, voxkern::emulator::Warp::match);
  unsigned same = 0;
  for (int i = 0; i < 32; ++i) same |= (mask >> i & 1) && given[i] == own ? 1u << i : 0;
  return same;
}

template <class T>
T __ldg(const T* p) {
  return *p;
}
inline int __popc(unsigned v) { return __builtin_popcount(v); }
inline int __popcll(unsigned long long v) { return __builtin_popcountll(v); }
inline int __ffs(int v) { return __builtin_ffs(v); }
inline int __ffsll(long long v) { return __builtin_ffsll(v); }
inline int __clz(int v) { return v ? __builtin_clz(unsigned(v)) : 32; }
inline int __clzll(long long v) { return v ? __builtin_clzll((unsigned long long)v) : 64; }
inline int __float_as_int(float v) {
  return voxkern::emulator::from_bits<int>(voxkern::emulator::to_bits(v));
}
inline float __int_as_float(int v) {
  return voxkern::emulator::from_bits<float>(voxkern::emulator::to_bits(v));
}
inline unsigned __float_as_uint(float v) { return unsigned(__float_as_int(v)); }
inline float __uint_as_float(unsigned v) { return __int_as_float(int(v)); }
inline long long __double_as_longlong(double v) { return (long long)voxkern::emulator::to_bits(v); }
inline double __longlong_as_double(long long v) {
  return voxkern::emulator::from_bits<double>(voxkern::u64(v));
}
using std::max;
using std::min;

namespace voxkern {

template <class T>
void check_atomic() {
  static_assert(std::is_integral_v<T> && (sizeof(T) == 4 || sizeof(T) == 8),
                "atomics take integers of 4 or 8 bytes; a sum of floats would depend on the order");
  emulator::maybe_pause();
}

template <class T>
T load_relaxed(const T* p) {
  check_atomic<T>();
  return __atomic_load_n(p, __ATOMIC_RELAXED);
}
template <class T>
void store_relaxed(T* p, T value) {
  check_atomic<T>();
  __atomic_store_n(p, value, __ATOMIC_RELAXED);
}
template <class T>
T atomic_add(T* p, T value) {
  check_atomic<T>();
  return __atomic_fetch_add(p, value, __ATOMIC_RELAXED);
}
template <class T>
T atomic_or(T* p, T value) {
  check_atomic<T>();
  return __atomic_fetch_or(p, value, __ATOMIC_RELAXED);
}
template <class T>
T atomic_and(T* p, T value) {
  check_atomic<T>();
  return __atomic_fetch_and(p, value, __ATOMIC_RELAXED);
}
template <class T>
T atomic_exchange(T* p, T value) {
  check_atomic<T>();
  return __atomic_exchange_n(p, value, __ATOMIC_RELAXED);
}
template <class T>
T atomic_compare_exchange(T* p, T expected, T value) {
  check_atomic<T>();
  __atomic_compare_exchange_n(p, &expected, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return expected;
}
template <class T>
T atomic_min(T* p, T value) {
  T seen = load_relaxed(p);
  while (value < seen &&
         !__atomic_compare_exchange_n(p, &seen, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return seen;
}
template <class T>
T atomic_max(T* p, T value) {
  T seen = load_relaxed(p);
  while (value > seen &&
         !__atomic_compare_exchange_n(p, &seen, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return seen;
}

}  // namespace voxkern
