// The cache of large blocks: what it keeps, what it hands back, and that it survives fork.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cpu/memory.hpp>

#include <fstream>
#include <thread>
#include <vector>

#include "check.hpp"

using namespace voxkern;
using namespace voxkern::cpu;

constexpr size_t MiB = 1 << 20;

bool aligned(void* p, size_t to) { return reinterpret_cast<size_t>(p) % to == 0; }

void blocks_are_aligned_and_their_own() {
  std::vector<std::pair<char*, size_t>> all;
  for (size_t bytes :
       {size_t(0), size_t(1), size_t(63), size_t(1000), MiB - 1, MiB, 3 * MiB, 40 * MiB}) {
    char* p = static_cast<char*>(take(bytes));
    CHECK(aligned(p, bytes < MiB ? 64 : 2 * MiB));
    std::memset(p, int(all.size()), bytes);
    all.emplace_back(p, bytes);
  }
  for (size_t i = 0; i < all.size(); ++i)
    for (size_t at = 0; at < all[i].second; at += 511) CHECK(all[i].first[at] == char(i));
  for (auto& a : all) give(a.first);
  give(nullptr);
  clear_cache();
}

void like_sizes_share_a_block() {
  CHECK(cached() == 0);
  void* p = take(64 * MiB);
  CHECK(cached() == 0);
  give(p);
  CHECK(cached() == 64 * MiB);
  void* small = take(2 * MiB);
  CHECK(small != p && cached() == 64 * MiB);
  void* again = take(63 * MiB);
  CHECK(again == p && cached() == 0);
  give(again);
  give(small);
  clear_cache();
  CHECK(cached() == 0);
}

// Run with VOXKERN_CACHE_MB=64.
void the_oldest_go_first_when_full() {
  void* p[3];
  for (void*& q : p) q = take(32 * MiB);
  for (void* q : p) give(q);
  CHECK(cached() == 64 * MiB);
  CHECK(take(32 * MiB) == p[2] && take(32 * MiB) == p[1] && cached() == 0);
  void* large = take(100 * MiB);
  give(large);
  CHECK(cached() == 0);
}

// Run with VOXKERN_CACHE_MB=0.
void a_cache_of_nothing_keeps_nothing() {
  void* p = take(32 * MiB);
  std::memset(p, 1, 32 * MiB);
  give(p);
  CHECK(cached() == 0);
}

void too_much_is_refused() {
  give(take(4 * MiB));
  CHECK(cached() == 4 * MiB);
  for (size_t bytes : {size_t(1) << 47, ~size_t(0), ~size_t(0) / 2}) {
    bool refused = false;
    try {
      take(bytes);
    } catch (const std::bad_alloc&) {
      refused = true;
    }
    CHECK(refused);
  }
  CHECK(cached() == 0);  // it was dropped to make room
  for (i64 n : {i64(-1), i64(1) << 62}) {
    bool refused = false;
    try {
      Scratch<f64> s(n);
    } catch (const std::bad_alloc&) {
      refused = true;
    }
    CHECK(refused);
  }
}

void the_cache_makes_room_when_memory_is_short() {
  give(take(64 * MiB));
  long pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const rlimit limit = {size_t(pages) * size_t(sysconf(_SC_PAGESIZE)) + 48 * MiB, RLIM_INFINITY};
  CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
  void* p = take(80 * MiB);
  std::memset(p, 1, 80 * MiB);
  CHECK(cached() == 0);
  give(p);
}

void scratch_moves() {
  Scratch<f32> a(100);
  CHECK(a.size() == 100 && aligned(a.data(), 64) && a.end() - a.begin() == 100);
  a[99] = 7;
  Scratch<f32> b = std::move(a);
  CHECK(!a.data() && a.size() == 0 && b[99] == 7);
  Scratch<f32> c(3);
  c = std::move(b);
  CHECK(c[99] == 7 && !b.data());
  Scratch<f32> none, empty(0);
  CHECK(none.size() == 0 && empty.size() == 0);
}

void churn(int rounds) {
  for (int i = 0; i < rounds; ++i) {
    Scratch<char> a(i64(2 * MiB)), b(i64(3 * MiB)), c(100);
    a[0] = b[0] = c[0] = char(i);
    CHECK(a[0] == b[0]);
    if (i % 7 == 0) clear_cache();
  }
}

void many_threads_take_and_give() {
  std::vector<std::thread> all;
  for (int t = 0; t < 4; ++t) all.emplace_back([] { churn(300); });
  for (auto& t : all) t.join();
}

void forks_find_the_lock_free() {
  std::atomic<bool> done{false};
  std::vector<std::thread> busy;
  for (int t = 0; t < 2; ++t)
    busy.emplace_back([&] {
      while (!done) churn(10);
    });
  char* mine = static_cast<char*>(take(4 * MiB));
  mine[5] = 5;
  for (int i = 0; i < 40; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      CHECK(cached() == 0);  // shared pages would be copied on the first write
      CHECK(mine[5] == 5);
      give(mine);
      churn(3);
      _exit(failures);
    }
    int status = 1;
    waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  done = true;
  for (auto& t : busy) t.join();
  CHECK(mine[5] == 5);
  give(mine);
}

#define CASE(name) {#name, name}
int main(int count, char** arguments) {
  return run(
      {
          CASE(blocks_are_aligned_and_their_own),
          CASE(like_sizes_share_a_block),
          CASE(the_oldest_go_first_when_full),
          CASE(a_cache_of_nothing_keeps_nothing),
          CASE(too_much_is_refused),
          CASE(the_cache_makes_room_when_memory_is_short),
          CASE(scratch_moves),
          CASE(many_threads_take_and_give),
          CASE(forks_find_the_lock_free),
      },
      count, arguments);
}
