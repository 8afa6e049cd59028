#include "memory.hpp"

#include <cstdlib>
#include <new>

namespace voxkern::cpu {

void* take(std::size_t bytes) {
  void* p = std::aligned_alloc(64, (bytes + 64) / 64 * 64);
  if (!p) throw std::bad_alloc();
  return p;
}
void give(void* p) { std::free(p); }
std::size_t cached() { return 0; }
void clear_cache() {}

}  // namespace voxkern::cpu
