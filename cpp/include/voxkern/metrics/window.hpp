// The cubic window as one vector: its four weights, or slopes, at once; and counts under it.
#pragma once
#include "../simd.hpp"
#include "parzen.hpp"

#include <algorithm>
#include <vector>

namespace voxkern::cpu {

using Four = Vec<f64, 4>;

// As cubic_weight and cubic_slope, each lane for one k.
inline Four weights_at(f64 u) {
  const Four w0 = Four::Raw{1.0 / 6, 4.0 / 6, 1.0 / 6, 0.0}, w1 = Four::Raw{-0.5, 0.0, 0.5, 0.0},
             w2 = Four::Raw{0.5, -1.0, 0.5, 0.0}, w3 = Four::Raw{-1.0 / 6, 0.5, -0.5, 1.0 / 6};
  return ((w3 * u + w2) * u + w1) * u + w0;
}
inline Four slopes_at(f64 u) {
  const Four s0 = Four::Raw{-0.5, 0.0, 0.5, 0.0}, s1 = Four::Raw{1.0, -2.0, 1.0, 0.0},
             s2 = Four::Raw{-0.5, 1.5, -1.5, 0.5};
  return (s2 * u + s1) * u + s0;
}

// Counts of windows in 32 bits, in four copies taken in turn: neighbours often fall into the same
// bins, and an update would wait for the one before.
class Windows {
 public:
  explicit Windows(i64 bins) : bins_(bins), few_(4 * bins * bins), all_(bins * bins) {}

  void add(i64 row, f64 place) {
    const i64 bin = parzen_bin(place, bins_);
    add(row, bin, place - f64(bin));
  }
  void add(i64 row, i64 bin, f64 behind) {
    const auto weights = simd::convert<i32>(weights_at(behind) * parzen_unit + Four(0.5));
    u32* at = few_.data() + ((samples_ & 3) * bins_ + row) * bins_ + bin - 1;
    simd::store(at, simd::load<u32, 4>(at) + simd::bits_as<u32>(weights));
    if (++samples_ == most) flush();
  }
  void into(List<i64> counts) {
    flush();
    for (i64 k = 0; k < counts.size; ++k) counts[k] += all_[k];
  }

 private:
  static constexpr i64 most =
      16384;  // 4096 weights of at most 2/3 in each of four copies: below 2^32

  void flush() {
    const i64 n = bins_ * bins_;
    for (i64 k = 0; k < n; ++k)
      all_[k] += i64(few_[k]) + few_[k + n] + few_[k + 2 * n] + few_[k + 3 * n];
    std::fill(few_.begin(), few_.end(), 0);
    samples_ = 0;
  }

  i64 bins_, samples_ = 0;
  std::vector<u32> few_;
  std::vector<i64> all_;
};

}  // namespace voxkern::cpu
