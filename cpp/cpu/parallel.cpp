#include "parallel.hpp"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "cgroup.hpp"

namespace voxkern::cpu {

bool (*poll_interrupt)() = nullptr;

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto poll_every = std::chrono::milliseconds(50);
constexpr int spins = 100;  // a few microseconds: longer than the gap between two passes of one op
constexpr int most_workers = 1023;

// Where this thread is: an inner parallel_for runs serially, and only a caller may poll.
enum class Place { outside, caller, worker };
thread_local Place place = Place::outside;
thread_local Clock::time_point last_poll;

std::atomic<int> forks{0};

// One parallel_for. It lives on the caller's stack: only workers counted in `inside` may touch it.
struct Region {
  const std::function<void(i64)>& task;
  const i64 n;
  const int helpers;
  std::atomic<i64> next{0};
  std::atomic<int> inside{
      0};  // written under the pool's lock, read without it by a spinning caller
  std::exception_ptr error{};  // written under the pool's lock
  std::condition_variable empty{};

  bool wants() const {
    return inside.load(std::memory_order_relaxed) < helpers &&
           next.load(std::memory_order_relaxed) < n;
  }
  void stop() { next.store(n, std::memory_order_relaxed); }
};

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// True if it is time to look for a Ctrl-C and there is one.
bool interrupted() {
  if (!poll_interrupt) return false;
  const auto now = Clock::now();
  if (now - last_poll < poll_every) return false;
  last_poll = now;
  return poll_interrupt();
}

class Pool {
 public:
  void run(Region& region) {
    {
      std::lock_guard hold(lock_);
      grow(region.helpers);
      regions_.push_back(&region);
      posted_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_one();  // the worker that comes wakes the next, so that the caller starts at once

    const int fork_count = forks.load();
    bool stopped = false;
    std::exception_ptr own;
    try {
      stopped = work(region, true);
    } catch (...) {
      region.stop();
      own = std::current_exception();
    }
    // poll_interrupt runs Python's signal handlers, and those may fork. Here is the child: its
    // workers, and the tasks they had claimed, stayed in the parent.
    const auto here = [&] {
      if (forks.load() != fork_count) throw std::runtime_error("forked within a parallel call");
    };
    here();

    std::unique_lock hold(lock_);
    regions_.erase(std::find(regions_.begin(), regions_.end(), &region));
    if (region.inside.load() > 0) {
      hold.unlock();
      for (int i = 0; i < spins && region.inside.load(std::memory_order_relaxed) > 0; ++i) pause();
      hold.lock();  // the last one out holds the lock while it touches the region: wait for that
                    // too
    }
    while (region.inside.load() > 0) {
      region.empty.wait_for(hold, poll_every);
      if (stopped || own || region.inside.load() == 0) continue;
      hold.unlock();
      stopped = interrupted();
      here();
      if (stopped) region.stop();
      hold.lock();
    }
    hold.unlock();
    if (stopped) throw Interrupted{};
    if (own) std::rethrow_exception(own);
    if (region.error) std::rethrow_exception(region.error);
  }

 private:
  std::mutex lock_;
  std::condition_variable wake_;
  std::vector<Region*> regions_;
  std::atomic<unsigned> posted_{0};
  int workers_ = 0;

  // Claims tasks until none is left; true if a Ctrl-C came.
  static bool work(Region& region, bool polls) {
    for (;;) {
      const i64 i = region.next.fetch_add(1, std::memory_order_relaxed);
      if (i >= region.n) return false;
      region.task(i);
      if (polls && interrupted()) {
        region.stop();
        return true;
      }
    }
  }

  // Under the lock. A machine that gives no more threads still gets its answer: the caller works.
  void grow(int wanted) {
    wanted = std::min(wanted, most_workers);
    if (workers_ >= wanted) return;
    // Signals go to the threads that Python knows, but for those that say that this one crashed.
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (int s : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGPROF})
      sigdelset(&blocked, s);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 4 << 20);  // musl gives 128 KiB, macOS 512
    pthread_t thread;
    while (workers_ < wanted && pthread_create(&thread, &attributes, &Pool::start, this) == 0)
      ++workers_;
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  static void* start(void* pool) {
#if defined(__APPLE__)
    pthread_setname_np("voxkern");
#elif defined(__linux__)
    pthread_setname_np(pthread_self(), "voxkern");
#endif
    place = Place::worker;
    static_cast<Pool*>(pool)->serve();
    return nullptr;
  }

  // The region with the fewest helpers of those that want more.
  Region* choose() const {
    Region* best = nullptr;
    for (Region* r : regions_)
      if (r->wants() && (!best || r->inside.load() < best->inside.load())) best = r;
    return best;
  }

  void serve() {
    std::unique_lock hold(lock_);
    for (;;) {
      Region* region = choose();
      if (!region) {
        const unsigned seen = posted_.load(std::memory_order_relaxed);
        hold.unlock();
        for (int i = 0; i < spins && posted_.load(std::memory_order_acquire) == seen; ++i) pause();
        hold.lock();
        while (!(region = choose())) wake_.wait(hold);
      }
      region->inside.fetch_add(1);
      const bool more = choose() != nullptr;
      hold.unlock();
      if (more) wake_.notify_one();
      std::exception_ptr error;
      try {
        work(*region, false);
      } catch (...) {
        region->stop();
        error = std::current_exception();
      }
      hold.lock();
      if (error && !region->error) region->error = std::move(error);
      if (region->inside.fetch_sub(1) == 1) region->empty.notify_one();
    }
  }
};

// Never destroyed: workers sleep in it until the process ends. A forked child has no workers, and
// another thread may have held the lock at that moment, so the child forgets it and starts anew.
std::atomic<Pool*> shared{nullptr};

[[maybe_unused]] const int fork_hook = pthread_atfork(nullptr, nullptr, [] {
  shared.store(nullptr);
  forks.fetch_add(1);
});

Pool& pool() {
  Pool* now = shared.load();
  if (!now) {
    Pool* mine = new Pool;
    if (shared.compare_exchange_strong(now, mine)) return *mine;
    delete mine;
  }
  return *now;
}

// Sets this thread's place for the length of a call.
struct Entered {
  const Place before = place;
  Entered() {
    if (before != Place::outside) return;
    place = Place::caller;
    last_poll = Clock::now();
  }
  ~Entered() { place = before; }
};

void serially(i64 n, const std::function<void(i64)>& task) {
  for (i64 i = 0; i < n; ++i) {
    task(i);
    if (place == Place::caller && interrupted()) throw Interrupted{};
  }
}

}  // namespace

void parallel_for(On on, i64 n, const std::function<void(i64)>& task) {
  if (n <= 0) return;
  const bool nested = place != Place::outside;
  const Entered entered;
  if (nested || n == 1 || on.threads <= 1) return serially(n, task);
  Region region{task, n, int(std::min<i64>(on.threads, n)) - 1};
  pool().run(region);
}

void parallel_slabs(On on, i64 n, i64 grain, const std::function<void(i64, i64)>& task) {
  if (n <= 0) return;
  const i64 most = std::max<i64>(1, n / std::max<i64>(1, grain));
  const i64 pieces = std::min<i64>(most, 8 * std::max<i64>(1, on.threads));
  const i64 length = n / pieces, longer = n % pieces;  // the first `longer` have one more
  const auto start = [=](i64 i) { return i * length + std::min(i, longer); };
  parallel_for(on, pieces, [&](i64 i) { task(start(i), start(i + 1)); });
}

namespace {

#ifdef __linux__

int affinity() {
  for (int cpus = 1024; cpus <= 1 << 20; cpus *= 2) {
    cpu_set_t* set = CPU_ALLOC(cpus);
    if (!set) break;
    const size_t size = CPU_ALLOC_SIZE(cpus);
    const bool good = sched_getaffinity(0, size, set) == 0;
    const int count = good ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (good) return std::max(1, count);
  }
  return int(sysconf(_SC_NPROCESSORS_ONLN));
}

#endif

}  // namespace

int cores() {
#ifdef __linux__
  // Rounded up: a thread that waits for its quota costs less than a core left idle.
  return int(std::ceil(cgroup::tightest("cpu", cgroup::cpu_limit, affinity())));
#else
  return std::max(1, int(sysconf(_SC_NPROCESSORS_ONLN)));
#endif
}

}  // namespace voxkern::cpu
