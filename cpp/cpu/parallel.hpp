// Threads for CPU schedules: tasks claimed one by one by the caller and a small pool.
//
// The pool is rebuilt in a forked child, runs nested calls on the thread that makes them, and
// polls for Ctrl-C between tasks. Which thread runs a task is unspecified: a schedule writes each
// voxel in one task only, and sums into one slot a task, added up in the order of the tasks.
#pragma once
#include <voxkern/base.hpp>
#include <voxkern/sums.hpp>

#include <functional>
#include <utility>
#include <vector>

namespace voxkern::cpu {

// How a call is spread over the CPU: at most `threads` threads, the caller among them.
struct On {
  int threads;
};

// A task asked to stop: thrown by parallel_for on the calling thread, after all workers let go.
struct Interrupted {};

// Called on the calling thread about twenty times a second while a parallel_for runs, between
// tasks; true means stop. It must not throw. The bindings set it to look for a pending Ctrl-C.
extern bool (*poll_interrupt)();

// Runs task(i) for every i in [0, n), each once, and returns when all are done.
// An exception in a task stops the others early and is thrown again here, on the caller.
void parallel_for(On on, i64 n, const std::function<void(i64)>& task);

// Splits [0, n) into consecutive pieces of about equal length, a few per thread and none shorter
// than `grain`, and runs task(begin, end) for each. The pieces depend on the number of threads, so
// nothing may be summed over them: use parallel_for over blocks fixed by the shape for that.
void parallel_slabs(On on, i64 n, i64 grain, const std::function<void(i64, i64)>& task);

// Sums over a volume with the same bits for any number of threads: add(z, y, from, to, sum) puts
// voxels [from, to) of a row into `sum`, an f64 or a Sums<N>.
template <class S, class F>
S parallel_sum(On on, Size size, F add) {
  const Blocks blocks(size);
  std::vector<S> parts(static_cast<size_t>(blocks.count()));
  parallel_for(on, blocks.count(), [&](i64 i) {
    const Block block = blocks[i];
    S sum{};
    for (i64 row = block.begin; row < block.end; ++row)
      add(row / size.y, row % size.y, block.from, block.to, sum);
    parts[static_cast<size_t>(i)] = sum;
  });
  return added_up(std::move(parts));
}

// How many cores this process may use: the affinity mask, cut by a cgroup's CPU quota.
int cores();

}  // namespace voxkern::cpu
