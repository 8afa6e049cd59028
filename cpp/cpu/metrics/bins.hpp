// Finding the bins of a row of voxels, as fast as the element type allows.
#pragma once
#include <voxkern/metrics/histogram.hpp>
#include <voxkern/simd.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

namespace voxkern::cpu {

template <class T>
class Bins {
 public:
  // `voxels` says whether a table of all values is worth its making.
  Bins(List<const f64> edges, i64 voxels) : edges_(edges.data), bins_(edges.size - 1) {
    const f64 width = (edges_[bins_] - edges_[0]) / f64(bins_);
    scale_ = f64(bins_) / (edges_[bins_] - edges_[0]);
    even_ = std::isfinite(scale_) && bins_ < (1 << 30);
    f64 stray = std::abs(f64(f32(edges_[0])) - edges_[0]) * scale_;
    for (i64 k = 0; even_ && k <= bins_; ++k) {
      even_ = std::abs(edges_[k] - edges_[0] - f64(k) * width) < width / 4;
      stray = std::max(stray, std::abs((edges_[k] - edges_[0]) * scale_ - f64(k)));
    }
    doubt_ = f32(1.01 * stray + 6 * 0x1p-24 * f64(bins_));  // four roundings in `near`
    if (!std::isnormal(f32(scale_))) doubt_ = 1;
    if constexpr (sizeof(T) <= 2) {
      if (sizeof(T) > 1 && voxels < values) return;
      table_.resize(values);
      for (i64 v = 0; v < values; ++v) table_[v] = i32(bin_of(f64(v + lowest), edges_, bins_));
    }
  }

  // to[x] = the bin of row[x], -1 outside and where the mask is zero.
  void find(const T* row, const u8* mask, i64 n, i32* to) const {
    if constexpr (sizeof(T) <= 2) {
      if (!table_.empty()) {
        for (i64 x = 0; x < n; ++x) to[x] = table_[i64(row[x]) - lowest];
        return cut(mask, n, to);
      }
    }
    i64 x = 0;
    if constexpr (std::is_same_v<T, f32>)
      if (even_ && doubt_ < 0.125f)
        for (; x + simd::lanes<f32> <= n; x += simd::lanes<f32>)
          if (!near(simd::load(row + x), to + x))
            for (i64 k = x; k < x + simd::lanes<f32>; k += lanes)
              simd::store(to + k, guess(simd::load_as<f64>(row + k)));
    if (even_)
      for (; x + lanes <= n; x += lanes) simd::store(to + x, guess(simd::load_as<f64>(row + x)));
    for (; x < n; ++x) to[x] = i32(bin_of(f64(row[x]), edges_, bins_));
    cut(mask, n, to);
  }

 private:
  static constexpr int lanes = simd::lanes<f64>;
  static constexpr i64 values = sizeof(T) <= 2 ? i64(1) << 8 * sizeof(T) : 0;
  static constexpr i64 lowest = sizeof(T) <= 2 ? i64(std::numeric_limits<T>::min()) : 0;

  // Even bins: the quotient is off by one at most, and the edges decide.
  Vec<i32, lanes> guess(Vec<f64> v) const {
    const Vec<f64> at = min(max((v - edges_[0]) * scale_, 0.0), f64(bins_ - 1));
    const auto bin = simd::convert<i32>(at);
    const auto below = v < simd::gather(edges_, bin), above = v >= simd::gather(edges_ + 1, bin);
    const auto outside = ~((v >= Vec<f64>(edges_[0])) & (v <= Vec<f64>(edges_[bins_])));
    const auto moved = bin + simd::convert<i32>(below) - simd::convert<i32>(above);
    return min(moved, i32(bins_ - 1)) | simd::convert<i32>(outside);
  }

  // In single precision: false where a voxel lies so near an edge that this could not tell.
  bool near(Vec<f32> v, i32* to) const {
    const Vec<f32> low = f32(edges_[0]), top = f32(bins_) + 1.5f;
    const auto at = max(min((v - low) * f32(scale_) + 1.0f, top), 0.5f);  // of NaN: top
    const auto bin = simd::convert<i32>(at);
    const auto part = at - simd::convert<f32>(bin);
    if (!all(((part > doubt_) & (part < 1.0f - doubt_)) | (v == low))) return false;
    simd::store(to, select(bin > i32(bins_), Vec<i32>(-1), bin - i32(1)));
    return true;
  }

  static void cut(const u8* mask, i64 n, i32* to) {
    if (mask)
      for (i64 x = 0; x < n; ++x) to[x] = mask[x] ? to[x] : -1;
  }

  const f64* edges_;
  i64 bins_;
  f64 scale_;
  f32 doubt_;
  bool even_;
  std::vector<i32> table_;
};

}  // namespace voxkern::cpu
