// Memory for outputs and scratch.
#pragma once
#include <cstddef>

namespace voxkern::cpu {

void* take(std::size_t bytes);  // at least 64-byte aligned; throws std::bad_alloc
void give(void*);
std::size_t cached();
void clear_cache();

}  // namespace voxkern::cpu
