// Memory for outputs and scratch: large blocks on huge pages, kept for the next call.
//
// A fresh 64 MiB output costs as much in page faults as a filter does in work, so blocks of 1 MiB
// and more stay in a cache: at most 1 GiB, and at most an eighth of what the machine or the
// container has. VOXKERN_CACHE_MB sets another limit; 0 makes every block a plain malloc.
#pragma once
#include <voxkern/base.hpp>

#include <cstddef>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>

namespace voxkern::cpu {

// At least `bytes`, aligned to 64, with anything in them. Throws std::bad_alloc.
void* take(std::size_t bytes);
// Gives back what take() gave; null is fine.
void give(void* block);

// How many bytes the cache holds for reuse, and a way to hand them back to the system.
std::size_t cached();
void clear_cache();

// An uninitialised array of plain values, gone with its scope.
template <class T>
class Scratch {
  static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= 64);

 public:
  Scratch() = default;
  explicit Scratch(i64 size) : size_(size) {
    if (size < 0 || size > std::numeric_limits<std::ptrdiff_t>::max() / i64(sizeof(T)))
      throw std::bad_alloc();
    data_ = static_cast<T*>(take(std::size_t(size) * sizeof(T)));
  }
  Scratch(Scratch&& other) noexcept { swap(other); }
  Scratch& operator=(Scratch&& other) noexcept {
    Scratch(std::move(other)).swap(*this);
    return *this;
  }
  ~Scratch() { give(data_); }

  T* data() const { return data_; }
  i64 size() const { return size_; }
  T& operator[](i64 i) const { return data_[i]; }
  T* begin() const { return data_; }
  T* end() const { return data_ + size_; }

 private:
  T* data_ = nullptr;
  i64 size_ = 0;

  void swap(Scratch& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }
};

}  // namespace voxkern::cpu
