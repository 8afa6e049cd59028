// The thread pool: who runs what, and that nothing hangs.
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cpu/cgroup.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include "check.hpp"

using namespace voxkern;
using namespace voxkern::cpu;

void nap(int milliseconds) { usleep(unsigned(milliseconds) * 1000); }

void each_runs_once(int threads, i64 n) {
  std::vector<int> hits(size_t(n), 0);
  parallel_for({threads}, n, [&](i64 i) { ++hits[size_t(i)]; });
  CHECK(std::count(hits.begin(), hits.end(), 1) == n);
}

// Waits for a child and says how it ended; one that hangs is killed after a while.
int end_of(pid_t child) {
  int status = 0;
  for (int i = 0; i < 2000; ++i) {
    if (waitpid(child, &status, WNOHANG) == child) return status;
    nap(5);
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return status;
}

void every_task_runs_once() {
  for (int threads : {-1, 0, 1, 2, 3, 8})
    for (i64 n : {0, 1, 2, 7, 1000}) each_runs_once(threads, n);
}

void workers_help() {
  std::set<std::thread::id> who;
  std::mutex lock;
  std::atomic<int> met{0};
  parallel_for({3}, 3, [&](i64) {
    {
      std::lock_guard hold(lock);
      who.insert(std::this_thread::get_id());
    }
    for (++met; met < 3;) nap(1);  // only three threads at once get past this
  });
  CHECK(who.size() == 3 && who.count(std::this_thread::get_id()));
}

void nested_calls_stay_on_their_thread() {
  std::atomic<int> sum{0};
  // Fewer tasks than threads: some worker is free, and must not come to help.
  parallel_for({4}, 2, [&](i64) {
    const auto self = std::this_thread::get_id();
    parallel_for({4}, 10, [&](i64) {
      nap(1);
      CHECK(std::this_thread::get_id() == self);
      parallel_for({4}, 2, [&](i64) { ++sum; });
    });
  });
  CHECK(sum == 40);
}

void callers_do_not_wait_for_each_other() {
  std::atomic<bool> go{false};
  std::atomic<int> inside{0};
  std::thread slow([&] {
    parallel_for({4}, 4, [&](i64) {
      ++inside;
      while (!go) nap(1);
    });
  });
  while (inside < 4) nap(1);  // every worker of the pool is in there
  for (int i = 0; i < 20; ++i) each_runs_once(4, 100);
  go = true;
  slow.join();
}

void many_callers_at_once() {
  std::vector<std::thread> callers;
  for (int c = 0; c < 6; ++c)
    callers.emplace_back([c] {
      for (int i = 0; i < 300; ++i) each_runs_once(1 + (c + i) % 4, 1 + i % 23);
    });
  for (auto& c : callers) c.join();
}

void exceptions_reach_the_caller() {
  for (int threads : {1, 2, 4})
    for (i64 bad : {0, 5, 99}) {
      std::atomic<int> ran{0};
      bool caught = false;
      try {
        parallel_for({threads}, 100000, [&](i64 i) {
          ++ran;
          if (i == bad) throw std::bad_alloc();
          if (i > bad + 200) usleep(10);
        });
      } catch (const std::bad_alloc&) {
        caught = true;
      }
      CHECK(caught && ran < 100000);
      each_runs_once(threads, 50);
    }
  // One that a worker throws while the caller is busy.
  const auto self = std::this_thread::get_id();
  std::atomic<bool> thrown{false};
  bool caught = false;
  try {
    parallel_for({2}, 2, [&](i64) {
      if (std::this_thread::get_id() != self) {
        thrown = true;
        throw std::runtime_error("of a worker");
      }
      while (!thrown) nap(1);
    });
  } catch (const std::runtime_error& e) {
    caught = std::string(e.what()) == "of a worker";
  }
  CHECK(caught);
}

std::atomic<int> polls{0};
std::atomic<bool> stop{false};
std::atomic<bool> polled_elsewhere{false};
std::thread::id caller;

bool poll() {
  ++polls;
  if (std::this_thread::get_id() != caller) polled_elsewhere = true;
  return stop;
}

// Runs a parallel_for that lasts long, says whether it was interrupted, and how much of it ran.
bool interrupted(int threads, i64 n, const std::function<void(i64)>& task) {
  try {
    parallel_for({threads}, n, task);
  } catch (const Interrupted&) {
    return true;
  }
  return false;
}

void interrupts_stop_the_work() {
  poll_interrupt = poll;
  caller = std::this_thread::get_id();
  for (int threads : {1, 2, 4}) {
    std::atomic<int> ran{0}, running{0};
    polls = 0;
    stop = false;
    CHECK(interrupted(threads, 100000, [&](i64) {
      ++running;
      nap(1);
      if (++ran == 200) stop = true;
      --running;
    }));
    CHECK(ran < 2000 && running == 0);
    CHECK(polls >= 1);
    stop = false;
    each_runs_once(threads, 100);
  }
  // Within a nested call on the caller, and when only a worker has work left.
  CHECK(interrupted(2, 2, [&](i64) {
    stop = true;
    parallel_for({2}, 100, [&](i64) { nap(2); });
  }));
  stop = false;
  bool late = false;
  CHECK(interrupted(2, 2, [&](i64) {
    if (std::this_thread::get_id() == caller) return nap(20);
    polls = 0;
    for (int i = 0; i < 100 && polls == 0; ++i) nap(5);
    stop = true;
    const int before = polls;
    for (int i = 0; i < 100 && polls == before; ++i) nap(5);
    late = true;
  }));
  CHECK(late && !polled_elsewhere);
  stop = false;
  poll_interrupt = nullptr;
}

void forked_children_compute() {
  each_runs_once(3, 50);
  for (int i = 0; i < 5; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      each_runs_once(3, 50);
      const pid_t grandchild = fork();
      if (grandchild == 0) {
        each_runs_once(2, 50);
        _exit(failures);
      }
      if (end_of(grandchild) != 0) _exit(1);
      _exit(failures);
    }
    each_runs_once(3, 50);
    CHECK(end_of(child) == 0);
  }
}

void forks_during_regions_of_other_threads() {
  std::atomic<bool> done{false};
  std::vector<std::thread> busy;
  for (int c = 0; c < 2; ++c)
    busy.emplace_back([&] {
      while (!done) each_runs_once(3, 40);
    });
  for (int i = 0; i < 40; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      each_runs_once(3, 50);
      _exit(failures);
    }
    CHECK(end_of(child) == 0);
  }
  done = true;
  for (auto& b : busy) b.join();
}

// A Python signal handler may fork, and it runs within poll_interrupt.
pid_t forked = -1;
bool fork_once() {
  if (forked < 0) forked = fork();
  return false;
}

void a_fork_within_a_region_does_not_hang() {
  poll_interrupt = fork_once;
  bool refused = false;
  try {
    parallel_for({3}, 300, [](i64) { nap(1); });
  } catch (const std::runtime_error&) {
    refused = true;
  }
  poll_interrupt = nullptr;
  each_runs_once(3, 50);
  if (forked == 0) _exit(refused && !failures ? 0 : 1);
  CHECK(forked > 0 && !refused);
  CHECK(end_of(forked) == 0);
}

void the_process_ends_while_workers_work() {
  const pid_t child = fork();
  if (child == 0) {
    std::thread([] { parallel_for({3}, 1000000, [](i64) { nap(1); }); }).detach();
    nap(50);
    std::exit(0);
  }
  CHECK(end_of(child) == 0);
}

void workers_are_named_and_leave_signals_alone() {
  workers_help();
  int named = 0;
  DIR* tasks = opendir("/proc/self/task");
  while (const dirent* entry = readdir(tasks)) {
    const std::string base = std::string("/proc/self/task/") + entry->d_name;
    std::string name, line;
    std::getline(std::ifstream(base + "/comm") >> std::ws, name);
    if (name != "voxkern") continue;
    ++named;
    std::ifstream status(base + "/status");
    while (std::getline(status, line))
      if (line.rfind("SigBlk:", 0) == 0) {
        const auto blocked = std::stoull(line.substr(7), nullptr, 16);
        CHECK(blocked >> (SIGINT - 1) & 1);
        CHECK(!(blocked >> (SIGSEGV - 1) & 1));
      }
  }
  closedir(tasks);
  CHECK(named == 2);
  sigset_t mine;
  pthread_sigmask(SIG_SETMASK, nullptr, &mine);
  CHECK(!sigismember(&mine, SIGINT));
}

void slabs_cover_and_keep_to_the_grain() {
  for (int threads : {1, 2, 5})
    for (i64 n : {0, 1, 2, 17, 100, 1001})
      for (i64 grain : {0, 1, 3, 50, 5000}) {
        std::vector<int> hits(size_t(n), 0);
        std::atomic<i64> shortest{n};
        parallel_slabs({threads}, n, grain, [&](i64 begin, i64 end) {
          CHECK(begin < end);
          i64 seen = shortest;
          while (end - begin < seen && !shortest.compare_exchange_weak(seen, end - begin)) {
          }
          for (i64 i = begin; i < end; ++i) ++hits[size_t(i)];
        });
        CHECK(std::count(hits.begin(), hits.end(), 1) == n);
        CHECK(shortest >= std::min(grain, n));
      }
}

void cores_follow_affinity() {
  cpu_set_t all, one;
  CHECK(sched_getaffinity(0, sizeof all, &all) == 0);
  CHECK(cores() >= 1 && cores() <= CPU_COUNT(&all));
  CPU_ZERO(&one);
  for (int c = 0; c < CPU_SETSIZE && !CPU_COUNT(&one); ++c)
    if (CPU_ISSET(c, &all)) CPU_SET(c, &one);
  CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
  CHECK(cores() == 1);
  each_runs_once(4, 50);
}

void write(const std::string& path, const char* text) { std::ofstream(path) << text; }

void cgroups_cut_the_cores() {
  char base[] = "/tmp/voxkern-cgroup-XXXXXX";
  CHECK(mkdtemp(base));
  const std::string root = base, groups = root + "/membership";
  for (const char* d : {"/a", "/a/b", "/cpu", "/cpu/c", "/memory"}) mkdir((root + d).c_str(), 0700);
  const auto cpu = [&] {
    return cgroup::tightest("cpu", cgroup::cpu_limit, 64, groups.c_str(), root);
  };
  const auto memory = [&] {
    return cgroup::tightest("memory", cgroup::memory_limit, 1e12, groups.c_str(), root);
  };
  CHECK(cpu() == 64);  // no membership file
  write(groups, "0::/a/b\n");
  CHECK(cpu() == 64);
  write(root + "/a/b/cpu.max", "max 100000\n");
  CHECK(cpu() == 64);
  write(root + "/a/cpu.max", "250000 100000\n");  // a parent's limit holds for its children
  CHECK(cpu() == 2.5);
  write(root + "/a/b/memory.max", "1048576\n");
  CHECK(memory() == 1048576);
  write(groups, "0::/not/to/be/seen/from/here\n");
  CHECK(cpu() == 64);
  write(root + "/cpu.max", "150000 100000\n");
  CHECK(cpu() == 1.5);
  unlink((root + "/cpu.max").c_str());
  write(groups, "7:cpuset:/x\n4:cpu,cpuacct:/c\n3:memory:/m\n");
  write(root + "/cpu/c/cpu.cfs_quota_us", "-1\n");
  write(root + "/cpu/c/cpu.cfs_period_us", "100000\n");
  CHECK(cpu() == 64);
  write(root + "/cpu/c/cpu.cfs_quota_us", "300000\n");
  write(root + "/memory/memory.limit_in_bytes", "2097152\n");
  CHECK(cpu() == 3 && memory() == 2097152);
  CHECK(std::system(("rm -r " + root).c_str()) == 0);
}

#define CASE(name) {#name, name}
int main(int count, char** arguments) {
  return run(
      {
          CASE(every_task_runs_once),
          CASE(workers_help),
          CASE(nested_calls_stay_on_their_thread),
          CASE(callers_do_not_wait_for_each_other),
          CASE(many_callers_at_once),
          CASE(exceptions_reach_the_caller),
          CASE(interrupts_stop_the_work),
          CASE(forked_children_compute),
          CASE(forks_during_regions_of_other_threads),
          CASE(a_fork_within_a_region_does_not_hang),
          CASE(the_process_ends_while_workers_work),
          CASE(workers_are_named_and_leave_signals_alone),
          CASE(slabs_cover_and_keep_to_the_grain),
          CASE(cores_follow_affinity),
          CASE(cgroups_cut_the_cores),
      },
      count, arguments);
}
