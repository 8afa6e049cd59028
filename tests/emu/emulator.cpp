// The scheduler of emulator.hpp. Compiled without -fsanitize=thread, so that TSan watches the
// kernels and not the scheduler; VOXKERN_EMULATE_TSAN says that the kernels have it.
#include "emulator.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <vector>

#if !defined(__x86_64__)
#include <ucontext.h>
#define VOXKERN_UCONTEXT
#endif

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define ASAN(code) code
#else
#define ASAN(code)
#endif

#ifdef VOXKERN_EMULATE_TSAN
extern "C" {
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned flags);
void __tsan_set_fiber_name(void* fiber, const char* name);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void __tsan_acquire(void* tag);
void __tsan_release(void* tag);
}
#define TSAN(code) code
#else
#define TSAN(code)
#endif

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace voxkern::emulator {
namespace {

constexpr std::size_t stack_bytes = 256 << 10, page = 4096;
constexpr std::size_t shared_limit = 48 << 10, red_zone = 64, most_shared_arrays = 32;
constexpr std::size_t arena_bytes = shared_limit + most_shared_arrays * 2 * red_zone;
constexpr std::size_t most_warps = 32, tag_bytes = 2 + 2 * most_warps;
constexpr unsigned char garbage = 0xCB;  // a float of it is about -2.7e7

enum class State : unsigned char { ready, at_barrier, in_warp, done };

struct Block;

struct Fiber {
  void* top = nullptr;  // the saved stack pointer
  char* stack = nullptr;
  void* asan_stack = nullptr;
  void* tsan = nullptr;
#ifdef VOXKERN_UCONTEXT
  ucontext_t context;
#endif
  Block* block = nullptr;
  uint3 at{};
  unsigned number = 0;  // within the block
  State state = State::done;
  Barrier barrier{};
  unsigned mask = 0;
  bool whole = false;  // whether the mask is all of the warp
  Warp warp{};
  u64 given = 0;
  u64 received[32];
  // What others acquire to come after this thread's stops; the next stop uses the other tag, so
  // that whoever is still on its way from this stop does not come after the next as well.
  char tags[2];
  unsigned turn = 0;
  char* met[32];
};

struct SharedArray {
  const void* key;
  char* data;
};

struct Block {
  uint3 at{};
  std::vector<Fiber*> threads;
  unsigned live = 0;
  int predicates = 0, counted = 0;
  std::unique_ptr<char, decltype(&std::free)> arena{nullptr, &std::free};
  std::size_t used = 0, shared_bytes = 0;
  std::vector<SharedArray> shared;
  // For barriers, then for each whole warp, in turn, as in Fiber; fresh with the arena.
  char* tags = nullptr;
  unsigned turn = 0, warp_turns[most_warps] = {};
  char* barrier_tag() const { return tags + turn % 2; }
  char* warp_tag(unsigned warp) const { return tags + 2 + 2 * warp + warp_turns[warp] % 2; }
};

struct Schedule {
  std::string order = "forward";
  unsigned seed = 0;
  double preempt = 0;
  int resident = 1;
};

Schedule schedule;
std::mt19937 dice;
Fiber scheduler, *current = &scheduler;
std::vector<std::unique_ptr<Fiber>> fibers;
std::deque<Fiber*> idle;
const std::function<void()>* body;
std::string failure;
unsigned long long switch_count = 0;
std::string file_without;
int line_without = 0;
char start_tag, end_tag;
const void* main_stack = nullptr;
std::size_t main_stack_bytes = 0;

// TSan takes note of memset and memcpy wherever they are called, so the scheduler fills and copies
// what kernels see byte by byte.
void fill(void* to, unsigned char value, std::size_t bytes) {
  auto p = static_cast<volatile unsigned char*>(to);
  for (std::size_t i = 0; i < bytes; ++i) p[i] = value;
}
void copy(u64 (&to)[32], const u64 (&from)[32]) {
  for (int i = 0; i < 32; ++i) static_cast<volatile u64&>(to[i]) = from[i];
}

void acquire([[maybe_unused]] char* tag) { TSAN(__tsan_acquire(tag)); }
void release([[maybe_unused]] char* tag) { TSAN(__tsan_release(tag)); }

#ifndef VOXKERN_UCONTEXT
extern "C" void voxkern_switch(void** save, void* to);
asm(R"(
.text
.globl voxkern_switch
.hidden voxkern_switch
.type voxkern_switch,@function
voxkern_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size voxkern_switch,.-voxkern_switch
)");
#endif

void switch_to(Fiber* to) {
  Fiber* from = current;
  current = to;
  ++switch_count;
  if (to != &scheduler) {
    threadIdx = to->at;
    blockIdx = to->block->at;
  }
  ASAN(__sanitizer_start_switch_fiber(&from->asan_stack, to == &scheduler ? main_stack : to->stack,
                                      to == &scheduler ? main_stack_bytes : stack_bytes));
  TSAN(__tsan_switch_to_fiber(to->tsan, 1));  // 1: the switch orders nothing
#ifdef VOXKERN_UCONTEXT
  swapcontext(&from->context, &to->context);
#else
  voxkern_switch(&from->top, to->top);
#endif
  ASAN(__sanitizer_finish_switch_fiber(from->asan_stack, nullptr, nullptr));
}

void live_as_fiber() {
  ASAN(__sanitizer_finish_switch_fiber(nullptr, &main_stack, &main_stack_bytes));
  for (;;) {
    acquire(&start_tag);
    try {
      (*body)();
    } catch (const std::exception& error) {
      if (failure.empty()) failure = error.what();
    }
    release(&end_tag);
    current->state = State::done;
    switch_to(&scheduler);
  }
}

std::unique_ptr<Fiber> make_fiber() {
  auto fiber = std::make_unique<Fiber>();
  void* memory = mmap(nullptr, stack_bytes + page, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  mprotect(memory, page, PROT_NONE);  // a stack that overflows stops here
  fiber->stack = static_cast<char*>(memory) + page;
#ifdef VOXKERN_UCONTEXT
  getcontext(&fiber->context);
  fiber->context.uc_stack.ss_sp = fiber->stack;
  fiber->context.uc_stack.ss_size = stack_bytes;
  fiber->context.uc_link = nullptr;
  makecontext(&fiber->context, live_as_fiber, 0);
#else
  void** top = reinterpret_cast<void**>(fiber->stack + stack_bytes - 64);
  *--top = nullptr;  // keeps the stack aligned as after a call
  *--top = reinterpret_cast<void*>(live_as_fiber);
  for (int saved = 0; saved < 6; ++saved) *--top = nullptr;
  fiber->top = top;
#endif
  TSAN(fiber->tsan = __tsan_create_fiber(0));
  TSAN(__tsan_set_fiber_name(fiber->tsan, "CUDA thread"));
  return fiber;
}

std::string text(uint3 at) {
  return "(" + std::to_string(at.z) + ", " + std::to_string(at.y) + ", " + std::to_string(at.x) +
         ")";
}

[[noreturn]] void fail(const std::string& message) { throw std::runtime_error(message); }

[[noreturn]] void fail_here(const std::string& message) {
  fail(message + ", in thread " + text(threadIdx) + " of block " + text(blockIdx) + " (z, y, x)");
}

// Blocks take idle fibers in turn and one is always left over, so that a thread and the thread of
// the same number in the next block are different threads to TSan.
void start(Block& block, std::size_t index) {
  block.at = {unsigned(index % gridDim.x), unsigned(index / gridDim.x % gridDim.y),
              unsigned(index / gridDim.x / gridDim.y)};
  // Fresh memory each time: TSan would take what the last block did with it for a race.
  block.arena.reset(static_cast<char*>(std::aligned_alloc(red_zone, arena_bytes + red_zone * 2)));
  static_assert(tag_bytes <= red_zone * 2);
  block.tags = block.arena.get() + arena_bytes;
  ASAN(__asan_poison_memory_region(block.arena.get(), arena_bytes));
  block.used = block.shared_bytes = 0;
  block.shared.clear();
  block.predicates = 0;
  block.live = unsigned(block.threads.size());
  for (unsigned i = 0; i < block.threads.size(); ++i) {
    Fiber* fiber = idle.front();
    idle.pop_front();
    fiber->block = &block;
    fiber->number = i;
    fiber->at = {i % blockDim.x, i / blockDim.x % blockDim.y, i / blockDim.x / blockDim.y};
    fiber->state = State::ready;
    block.threads[i] = fiber;
  }
  release(&start_tag);
}

using Arena = std::unique_ptr<char, decltype(&std::free)>;

void finish(Block& block, [[maybe_unused]] std::vector<Arena>& keep) {
  ASAN(__asan_unpoison_memory_region(block.arena.get(), arena_bytes));
  TSAN(keep.push_back(std::move(block.arena)));  // freeing it now would race with the block
  for (Fiber* fiber : block.threads) idle.push_back(fiber);
}

bool all_meet(const Block& block, const Fiber& first) {
  unsigned warp = first.number / 32 * 32;
  for (unsigned i = 0; i < 32; ++i) {
    if (!(first.mask >> i & 1)) continue;
    const Fiber& other = *block.threads[warp + i];
    if (other.state != State::in_warp || other.mask != first.mask || other.warp != first.warp) {
      return false;
    }
  }
  return true;
}

void hand_over(Block& block, const Fiber& first) {
  unsigned warp = first.number / 32 * 32, mask = first.mask;
  u64 values[32];
  char* tags[32] = {};
  fill(values, garbage, sizeof values);
  for (unsigned i = 0; i < 32; ++i) {
    if (!(mask >> i & 1)) continue;
    Fiber& fiber = *block.threads[warp + i];
    values[i] = fiber.given;
    if (!first.whole) tags[i] = &fiber.tags[fiber.turn++ % 2];
  }
  if (first.whole) ++block.warp_turns[warp / 32];
  for (unsigned i = 0; i < 32; ++i) {
    if (!(mask >> i & 1)) continue;
    Fiber& fiber = *block.threads[warp + i];
    copy(fiber.received, values);
    std::copy(tags, tags + 32, fiber.met);
    fiber.state = State::ready;
  }
}

bool release_warps(Block& block) {
  bool any = false;
  for (Fiber* fiber : block.threads) {
    if (fiber->state == State::in_warp && all_meet(block, *fiber)) {
      hand_over(block, *fiber);
      any = true;
    }
  }
  return any;
}

void release_barrier(Block& block) {
  unsigned size = unsigned(block.threads.size()), waiting = 0;
  Barrier kind{};
  for (Fiber* fiber : block.threads) {
    if (fiber->state != State::at_barrier) continue;
    if (waiting++ == 0) kind = fiber->barrier;
    if (fiber->barrier != kind) fail("the threads of a block wait at different kinds of barrier");
  }
  if (waiting != block.live) {
    fail("deadlock: " + std::to_string(waiting) + " of " + std::to_string(block.live) +
         " threads wait at __syncthreads(), the others in a warp intrinsic that some lane of its "
         "mask never reaches");
  }
  if (block.live != size) {
    fail("barrier divergence: " + std::to_string(size - block.live) + " of " +
         std::to_string(size) +
         " threads left the kernel before a __syncthreads() that the others reached");
  }
  block.counted = block.predicates;
  block.predicates = 0;
  ++block.turn;
  for (Fiber* fiber : block.threads) fiber->state = State::ready;
}

template <class Items>
void arrange(Items& items) {
  if (schedule.order == "reverse") std::reverse(items.begin(), items.end());
  if (schedule.order == "random") std::shuffle(items.begin(), items.end(), dice);
}

// Lets every thread that can go run to its next stop.
void advance(Block& block) {
  std::vector<Fiber*> ready;
  for (Fiber* fiber : block.threads) {
    if (fiber->state == State::ready) ready.push_back(fiber);
  }
  if (ready.empty()) {
    if (!release_warps(block)) release_barrier(block);
    return;
  }
  arrange(ready);
  for (Fiber* fiber : ready) {
    switch_to(fiber);
    if (!failure.empty()) fail(failure);
    if (fiber->state == State::done) --block.live;
  }
}

void check(dim3 grid, dim3 block) {
  std::size_t threads = std::size_t(block.x) * block.y * block.z;
  if (threads < 1 || threads > 1024 || block.z > 64) {
    fail("invalid block of (" + std::to_string(block.z) + ", " + std::to_string(block.y) + ", " +
         std::to_string(block.x) + ") threads: at most 1024, and 64 along z");
  }
  if (!grid.x || !grid.y || !grid.z || grid.x > 0x7fffffff || grid.y > 65535 || grid.z > 65535) {
    fail("invalid grid of (" + std::to_string(grid.z) + ", " + std::to_string(grid.y) + ", " +
         std::to_string(grid.x) + ") blocks: at least 1, and at most 65535 along z and y");
  }
}

void run(std::size_t threads) {
  std::size_t count = std::size_t(gridDim.x) * gridDim.y * gridDim.z, next = 0;
  std::vector<unsigned> order(count);
  for (std::size_t i = 0; i < count; ++i) order[i] = unsigned(i);
  arrange(order);

  std::vector<Block> blocks(std::min<std::size_t>(count, std::size_t(schedule.resident)));
  while (fibers.size() < threads * blocks.size() + 1) {
    fibers.push_back(make_fiber());
    idle.push_back(fibers.back().get());
  }
  std::vector<Arena> keep;
  for (Block& block : blocks) {
    block.threads.resize(threads);
    start(block, order[next++]);
  }
  for (std::size_t left = count; left > 0;) {
    for (Block& block : blocks) {
      if (block.live == 0) continue;
      advance(block);
      if (block.live > 0) continue;
      finish(block, keep);
      --left;
      if (next < count) start(block, order[next++]);
    }
  }
  acquire(&end_tag);
}

}  // namespace

void set_schedule(const std::string& order, unsigned seed, double preempt, int resident) {
  if (order != "forward" && order != "reverse" && order != "random") {
    throw std::invalid_argument("order is forward, reverse or random, not " + order);
  }
  if (resident < 1) throw std::invalid_argument("at least one block is resident");
  schedule = {order, seed, preempt, resident};
}

void take_out_barrier(const std::string& file, int line) {
  file_without = file;
  line_without = line;
}

bool taken_out(const char* file, int line) {
  if (line != line_without) return false;
  const std::string path = file;
  return path.size() >= file_without.size() &&
         path.compare(path.size() - file_without.size(), std::string::npos, file_without) == 0;
}

unsigned long long switches() { return switch_count; }

void launch(dim3 grid, dim3 block, const std::function<void()>& kernel) {
  static std::mutex one_at_a_time;
  std::lock_guard<std::mutex> lock(one_at_a_time);
  check(grid, block);
  gridDim = grid;
  blockDim = block;
  body = &kernel;
  failure.clear();
  dice.seed(schedule.seed);
  current = &scheduler;
  TSAN(scheduler.tsan = __tsan_get_current_fiber());
  try {
    run(std::size_t(block.x) * block.y * block.z);
  } catch (...) {
    // Some fibers stopped in mid-kernel. They cannot be unwound from here: forget them.
    for (auto& fiber : fibers) static_cast<void>(fiber.release());
    fibers.clear();
    idle.clear();
    throw;
  }
}

unsigned lane() { return current->number % 32; }

void* shared_array(const void* key, std::size_t bytes, std::size_t align) {
  Block& block = *current->block;
  for (const SharedArray& array : block.shared) {
    if (array.key == key) return array.data;
  }
  align = std::max(align, red_zone);
  std::size_t begin = (block.used + align - 1) / align * align;
  std::size_t arrays = block.shared.size() + 1;
  if (arrays > most_shared_arrays) fail_here("more shared arrays than the emulator has room for");
  block.used = begin + bytes + red_zone;
  block.shared_bytes += bytes;
  if (block.shared_bytes > shared_limit)
    fail_here("the block's shared arrays take more than 48 KB");
  char* data = block.arena.get() + begin;
  ASAN(__asan_unpoison_memory_region(data, bytes));
  fill(data, garbage, bytes);
  block.shared.push_back({key, data});
  return data;
}

int barrier(int predicate, Barrier kind) {
  Fiber& self = *current;
  Block& block = *self.block;
  block.predicates += predicate != 0;
  self.barrier = kind;
  self.state = State::at_barrier;
  char* tag = block.barrier_tag();
  release(tag);
  switch_to(&scheduler);
  acquire(tag);
  switch (kind) {
    case Barrier::any: return block.counted > 0;
    case Barrier::all: return block.counted == int(block.threads.size());
    case Barrier::count: return block.counted;
    default: return 0;
  }
}

const u64* meet(unsigned mask, u64 given, Warp kind) {
  Fiber& self = *current;
  Block& block = *self.block;
  unsigned warp = self.number / 32, left = unsigned(block.threads.size()) - warp * 32;
  if (!(mask >> lane() & 1))
    fail_here("a lane calls a warp intrinsic with a mask that leaves it out");
  const unsigned all = left < 32 ? (1u << left) - 1 : ~0u;
  mask &= all;
  self.mask = mask;
  self.whole = mask == all;
  self.warp = kind;
  self.given = given;
  self.state = State::in_warp;
  // One tag stands for all lanes of a whole warp, which saves most of the time.
  char* tag = self.whole ? block.warp_tag(warp) : &self.tags[self.turn % 2];
  release(tag);
  switch_to(&scheduler);
  if (self.whole) {
    acquire(tag);
    return self.received;
  }
  for (char* other : self.met) {
    if (other) acquire(other);
  }
  return self.received;
}

void maybe_pause() {
  if (schedule.preempt > 0 && dice() < schedule.preempt * 4294967296.0) switch_to(&scheduler);
}

}  // namespace voxkern::emulator
