// Sums that come out the same for any number of threads: blocks fixed by the shape alone, one
// partial sum in float64 for each, added up in one order.
#pragma once
#include <voxkern/base.hpp>

#include <vector>

namespace voxkern {

// A part of a volume: rows [begin, end) counted over planes, voxels [from, to) of each.
struct Block {
  i64 begin, end, from, to;
};

// A volume cut into blocks of about 16 Ki voxels: some whole rows, or a piece of one long row.
class Blocks {
 public:
  explicit Blocks(Size size) : size_(size) {
    constexpr i64 voxels = 16384;
    if (size.count() == 0) return;
    pieces_ = size.x < 2 * voxels ? 1 : size.x / voxels;
    rows_ = pieces_ > 1 ? 1 : most(voxels / size.x, i64(1));
    count_ = (size.z * size.y + rows_ - 1) / rows_ * pieces_;
  }
  i64 count() const { return count_; }
  Block operator[](i64 i) const {
    const i64 row = i / pieces_ * rows_, piece = i % pieces_;
    return {row, least(row + rows_, size_.z * size_.y), piece * size_.x / pieces_,
            (piece + 1) * size_.x / pieces_};
  }

 private:
  Size size_;
  i64 rows_ = 1, pieces_ = 1, count_ = 0;
};

// The size of a volume, as that of one long row where nothing lies between its rows: for counts,
// and all else that does not ask where a voxel is.
template <class T>
Size joined(View<T> x) {
  const bool gaps =
      (x.size.y > 1 && x.step.y != x.size.x) || (x.size.z > 1 && x.step.z != x.size.y * x.size.x);
  return gaps ? x.size : Size{1, 1, x.size.count()};
}

// Several sums at once.
template <int N>
struct Sums {
  f64 of[N] = {};
  f64& operator[](int i) { return of[i]; }
  f64 operator[](int i) const { return of[i]; }
  Sums& operator+=(const Sums& other) {
    for (int i = 0; i < N; ++i) of[i] += other.of[i];
    return *this;
  }
};

// Adds neighbours, then their sums, and so on: the error grows with the logarithm of the number.
template <class S>
S added_up(std::vector<S> parts) {
  if (parts.empty()) return S{};
  for (size_t step = 1; step < parts.size(); step *= 2)
    for (size_t i = 0; i + step < parts.size(); i += 2 * step) parts[i] += parts[i + step];
  return parts[0];
}

}  // namespace voxkern
