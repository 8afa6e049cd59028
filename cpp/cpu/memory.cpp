#include "memory.hpp"

#include <stdlib.h>

#include <algorithm>
#include <cstdlib>

#ifdef __linux__
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <iterator>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "cgroup.hpp"
#endif

namespace voxkern::cpu {

namespace {

// Null if there is no more.
void* plain(std::size_t bytes) {
  void* block = nullptr;
  return posix_memalign(&block, 64, std::max<std::size_t>(bytes, 1)) == 0 ? block : nullptr;
}

}  // namespace

#ifdef __linux__

namespace {

constexpr std::size_t large = std::size_t(1) << 20, page = std::size_t(2) << 20;

struct Block {
  void* data;
  std::size_t bytes;
};

std::size_t default_limit() {
  if (const char* text = std::getenv("VOXKERN_CACHE_MB")) {
    char* end;
    const double wanted = std::strtod(text, &end);
    if (end != text && *end == 0 && wanted >= 0 && wanted < 1e12)
      return std::size_t(wanted * 1048576);
  }
  double memory = double(sysconf(_SC_PHYS_PAGES)) * double(sysconf(_SC_PAGESIZE));
  memory = cgroup::tightest("memory", cgroup::memory_limit, memory);
  return std::size_t(std::min(memory / 8, 1073741824.0));
}

// Two-megabyte pages, at most an eighth more than wanted, so that like sizes share their blocks.
std::size_t rounded(std::size_t bytes) {
  std::size_t step = page;
  while (bytes / step >= 16) step *= 2;
  return (bytes + step - 1) / step * step;
}

// Memory at a multiple of a huge page, or null.
void* map(std::size_t bytes) {
  void* raw =
      mmap(nullptr, bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  char* start = static_cast<char*>(raw);
  const std::size_t before = (page - std::size_t(start) % page) % page;
  if (before) munmap(start, before);
  munmap(start + before + bytes, page - before);
  madvise(start + before, bytes, MADV_HUGEPAGE);
  return start + before;
}

struct Cache {
  std::mutex lock;
  const std::size_t limit = default_limit();
  std::unordered_map<void*, std::size_t> out;  // what callers have
  std::vector<Block> kept;                     // what the next caller gets, oldest first
  std::size_t kept_bytes = 0;

  // Unmaps the oldest blocks until at most `most` bytes are kept. Under the lock.
  void shrink(std::size_t most) {
    std::size_t gone = 0;
    for (; kept_bytes > most; ++gone) {
      munmap(kept[gone].data, kept[gone].bytes);
      kept_bytes -= kept[gone].bytes;
    }
    kept.erase(kept.begin(), kept.begin() + gone);
  }
};

// Never destroyed: arrays may outlive the module's static objects.
Cache& cache = *new Cache;

// A forked child must find the lock free. It starts with nothing kept: writing to a page that it
// shares with its parent would copy the page's old contents.
[[maybe_unused]] const int fork_hook =
    pthread_atfork([] { cache.lock.lock(); }, [] { cache.lock.unlock(); },
                   [] {
                     cache.shrink(0);
                     cache.lock.unlock();
                   });

}  // namespace

void* take(std::size_t bytes) {
  if (bytes > std::numeric_limits<std::ptrdiff_t>::max() / 2) throw std::bad_alloc();
  if (bytes < large || cache.limit == 0) {
    void* block = plain(bytes);
    if (!block) {
      clear_cache();
      block = plain(bytes);
    }
    if (!block) throw std::bad_alloc();
    return block;
  }
  bytes = rounded(bytes);
  {
    std::lock_guard hold(cache.lock);
    for (auto last = cache.kept.rbegin(); last != cache.kept.rend(); ++last) {
      if (last->bytes != bytes) continue;
      void* data = last->data;
      cache.out.emplace(data, bytes);
      cache.kept_bytes -= bytes;
      cache.kept.erase(std::next(last).base());
      return data;
    }
  }
  void* data = map(bytes);
  if (!data) {
    clear_cache();
    data = map(bytes);
  }
  if (!data) throw std::bad_alloc();
  std::lock_guard hold(cache.lock);
  try {
    cache.out.emplace(data, bytes);
    cache.kept.reserve(cache.kept.size() + cache.out.size());  // so that give() need not allocate
  } catch (...) {
    cache.out.erase(data);
    munmap(data, bytes);
    throw;
  }
  return data;
}

void give(void* block) {
  if (std::size_t(block) % page == 0) {  // malloc may hit such an address too
    std::lock_guard hold(cache.lock);
    if (const auto found = cache.out.find(block); found != cache.out.end()) {
      const std::size_t bytes = found->second;
      cache.out.erase(found);
      if (bytes > cache.limit) {
        munmap(block, bytes);
        return;
      }
      cache.shrink(cache.limit - bytes);
      cache.kept.push_back({block, bytes});
      cache.kept_bytes += bytes;
      return;
    }
  }
  std::free(block);
}

std::size_t cached() {
  std::lock_guard hold(cache.lock);
  return cache.kept_bytes;
}

void clear_cache() {
  std::lock_guard hold(cache.lock);
  cache.shrink(0);
}

#else

void* take(std::size_t bytes) {
  void* block = plain(bytes);
  if (!block) throw std::bad_alloc();
  return block;
}
void give(void* block) { std::free(block); }
std::size_t cached() { return 0; }
void clear_cache() {}

#endif

}  // namespace voxkern::cpu
