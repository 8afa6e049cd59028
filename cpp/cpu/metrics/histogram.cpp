#include <voxkern/metrics/histogram.hpp>

#include <cpu/metrics/bins.hpp>
#include <cpu/parallel.hpp>
#include <voxkern/bits.hpp>
#include <voxkern/simd.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <mutex>
#include <vector>

namespace voxkern::cpu {

namespace {

constexpr i64 piece = 2048;  // voxels whose bins are found at once

template <class T>
struct Range {
  T low = std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity()
                                               : std::numeric_limits<T>::max();
  T high = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                : std::numeric_limits<T>::lowest();
  bool nan = false;
  i64 count = 0;

  void take(const T* row, const u8* mask, i64 n) {
    using Mask = typename Vec<T>::Mask;
    Vec<T> lower = low, upper = high;
    Mask odd(typename Mask::Lane(0));
    simd::each_vector<T>(n, [&](i64 x, auto some) {
      const auto v = simd::load(row + x, some);
      const auto in = simd::inside<Mask>(mask, x, some);
      lower = min(select(in, v, lower), lower);  // a NaN in v leaves the second operand
      upper = max(select(in, v, upper), upper);
      odd = odd | ((v != v) & in);
      if (mask) count += bits::count(simd::bits(in));
    });
    low = simd::reduce_min(lower);
    high = simd::reduce_max(upper);
    nan |= any(odd);
    if (!mask) count += n;
  }
  Range& operator+=(const Range& r) {
    low = r.low < low ? r.low : low;
    high = r.high > high ? r.high : high;
    nan |= r.nan;
    count += r.count;
    return *this;
  }
};

// Counts pairs or single bins: one voxel in four goes to the same copy, so that a run of equal
// values does not wait for its own last count.
class Counts {
 public:
  explicit Counts(i64 bins) : bins_(bins), of_(4 * bins) {}
  void add(i64 x, i64 bin) { ++of_[(x & 3) * bins_ + bin]; }
  void into(List<i64> counts) const {
    for (int copy = 0; copy < 4; ++copy)
      for (i64 k = 0; k < bins_; ++k) counts[k] += of_[copy * bins_ + k];
  }

 private:
  i64 bins_;
  std::vector<u64> of_;
};

// Counts few voxels: to make copies would take longer.
struct Few {
  List<i64> counts;
  void add(i64, i64 bin) { ++counts[bin]; }
};

// How often each value of a narrow type occurs: one voxel in eight, or two, goes to the same copy.
template <class T>
class Values {
 public:
  static constexpr i64 lowest = std::numeric_limits<T>::min();
  static constexpr i64 number = i64(1) << 8 * sizeof(T);

  Values() : of_(copies * number) {}
  void add(const T* row, const u8* mask, i64 n) {
    u32* of = of_.data() - lowest;
    i64 x = 0;
    if (mask) {
      for (; x < n; ++x) of[(x % copies) * number + row[x]] += mask[x] != 0;
      return;
    }
    constexpr int some = 8 / int(sizeof(T));  // read at once
    for (; x + some <= n; x += some) {
      u64 bits;
      std::memcpy(&bits, row + x, 8);
      for (int k = 0; k < some; ++k) ++of[k % copies * number + T(bits >> (64 / some * k))];
    }
    for (; x < n; ++x) ++of[row[x]];
  }
  // Adds to all and begins anew.
  void into(std::vector<i64>& all) {
    for (i64 k = 0; k < copies * number; ++k) all[std::size_t(k % number)] += of_[std::size_t(k)];
    std::fill(of_.begin(), of_.end(), 0);
  }

 private:
  static constexpr i64 copies = sizeof(T) == 1 ? 8 : 2;
  std::vector<u32> of_;
};

// The same of bytes, two at once: neighbours are alike, so few of the pairs' counters are in use,
// and these stay in the cache. Where a vector of them is equal it is counted as one.
class BytePairs {
 public:
  BytePairs() : of_(256 * 256), single_(256) {}
  void add(const u8* row, const u8*, i64 n) {
    constexpr i64 run = simd::lanes<u8>;
    u32* of = of_.data();
    i64 x = 0;
    for (; x + run <= n; x += run) {
      if (simd::all(simd::load(row + x) == Vec<u8>(row[x]))) {
        single_[row[x]] += run;
        continue;
      }
      for (i64 at = x; at < x + run; at += 8) {
        u64 bits;
        std::memcpy(&bits, row + at, 8);
        for (int k = 0; k < 4; ++k) ++of[bits >> (16 * k) & 0xffff];
      }
    }
    for (; x < n; ++x) ++single_[row[x]];
  }
  void into(std::vector<i64>& all) {
    for (std::size_t second = 0; second < 256; ++second) {
      const u32* row = of_.data() + 256 * second;
      i64 sum = 0;
      for (std::size_t first = 0; first < 256; ++first) {
        all[first] += row[first];
        sum += row[first];
      }
      all[second] += sum;
    }
    for (std::size_t k = 0; k < single_.size(); ++k) all[k] += single_[k];
    std::fill(of_.begin(), of_.end(), 0);
    std::fill(single_.begin(), single_.end(), 0);
  }

 private:
  std::vector<u32> of_, single_;
};

// Counts all values into tables, one for each task that runs at the time.
template <class Table, class T>
std::vector<i64> count_into(On on, View<const T> x, View<const u8> mask) {
  std::vector<i64> all(std::size_t(Values<T>::number));
  struct Own {
    Table table;
    i64 blocks = 0;
  };
  std::mutex guard;
  std::vector<Own> spare;
  if (!mask.size.x) x.size = joined(x);
  const Blocks blocks(x.size);
  parallel_slabs(on, blocks.count(), 1, [&](i64 begin, i64 end) {
    Own own = [&] {
      std::lock_guard hold(guard);
      if (spare.empty()) return Own();
      Own found = std::move(spare.back());
      spare.pop_back();
      return found;
    }();
    for (i64 i = begin; i < end; ++i) {
      const Block b = blocks[i];
      for (i64 line = b.begin; line < b.end; ++line) {
        const i64 z = line / x.size.y, y = line % x.size.y;
        own.table.add(x.row(z, y) + b.from, row_of(mask, z, y, b.from), b.to - b.from);
      }
      if (++own.blocks % 65536 == 0) {  // before 32 bits are too few
        std::lock_guard hold(guard);
        own.table.into(all);
      }
    }
    std::lock_guard hold(guard);
    spare.push_back(std::move(own));
  });
  for (Own& own : spare) own.table.into(all);
  return all;
}

// Values are counted first and their bins looked for afterwards, once each.
template <class T>
void count_values(On on, View<const T> x, View<const u8> mask, List<const f64> edges,
                  List<i64> counts) {
  std::vector<i64> all;
  if constexpr (sizeof(T) == 1)
    if (!mask.size.x && x.size.count() >= on.threads * i64(1 << 18))
      all = count_into<BytePairs>(on, x, mask);
  if (all.empty()) all = count_into<Values<T>>(on, x, mask);
  std::fill(counts.data, counts.data + counts.size, 0);
  for (i64 v = 0; v < Values<T>::number; ++v) {
    if (!all[std::size_t(v)]) continue;
    const i64 bin = bin_of(f64(v + Values<T>::lowest), edges.data, edges.size - 1);
    if (bin >= 0) counts[bin] += all[std::size_t(v)];
  }
}

// Runs count(own, z, y, from, to) over all pieces of rows and adds the threads' own counts up.
template <class F>
void count_pieces(On on, Size size, List<i64> counts, F count) {
  std::fill(counts.data, counts.data + counts.size, 0);
  const Blocks blocks(size);
  const auto count_block = [&](auto& own, const Block& block) {
    for (i64 row = block.begin; row < block.end; ++row)
      for (i64 from = block.from; from < block.to; from += piece)
        count(own, row / size.y, row % size.y, from, std::min(from + piece, block.to));
  };
  if (size.count() <= piece) {
    Few own{counts};
    for (i64 i = 0; i < blocks.count(); ++i) count_block(own, blocks[i]);
    return;
  }
  std::mutex adding;
  parallel_slabs(on, blocks.count(), 4, [&](i64 begin, i64 end) {
    Counts own(counts.size);
    for (i64 i = begin; i < end; ++i) count_block(own, blocks[i]);
    std::lock_guard hold(adding);
    own.into(counts);
  });
}

// Whether edges were made: not where they, off by half of `least` at most, may meet.
template <class E>
bool part(f64 low, f64 high, List<E> edges) {
  const i64 bins = edges.size - 1;
  const f64 span = high - low, eps = std::numeric_limits<E>::epsilon();
  const f64 least = 8 * eps * f64(bins) * std::max(std::abs(low), std::abs(high));
  if (!(bins > 0 && std::max(least, 1e-30) < span && span < 1e38)) return false;
  const E step = E(span) / E(bins);
  for (i64 k = 0; k < bins; ++k) edges[k] = E(k) * step + E(low);
  edges[bins] = E(high);
  return true;
}

}  // namespace

template <class T, class E>
void extremes(On on, View<const T> x, View<const u8> mask, List<f64> out, List<E> edges) {
  const auto all =
      parallel_sum<Range<T>>(on, x.size, [&](i64 z, i64 y, i64 from, i64 to, Range<T>& range) {
        range.take(x.row(z, y) + from, row_of(mask, z, y, from), to - from);
      });
  const bool some = all.low <= all.high;
  out[0] = some ? f64(all.low) : std::numeric_limits<f64>::infinity();
  out[1] = some ? f64(all.high) : -std::numeric_limits<f64>::infinity();
  out[2] = all.nan;
  out[3] = f64(all.count);
  out[4] = part(out[0], out[1], edges);
}

template <class T>
void histogram(On on, View<const T> x, View<const u8> mask, List<const f64> edges,
               List<i64> counts) {
  if constexpr (sizeof(T) <= 2)
    if (x.size.count() >= Values<T>::number) return count_values(on, x, mask, edges, counts);
  const Bins<T> bins(edges, x.size.count());
  count_pieces(on, x.size, counts, [&](auto& own, i64 z, i64 y, i64 from, i64 to) {
    i32 at[piece];
    bins.find(x.row(z, y) + from, row_of(mask, z, y, from), to - from, at);
    for (i64 i = 0; i < to - from; ++i)
      if (at[i] >= 0) own.add(i, at[i]);
  });
}

template <class T>
void joint_histogram(On on, View<const T> a, View<const T> b, View<const u8> mask,
                     List<const f64> a_edges, List<const f64> b_edges, List<i64> counts) {
  const Bins<T> a_bins(a_edges, a.size.count()), b_bins(b_edges, b.size.count());
  const i64 across = b_edges.size - 1;
  count_pieces(on, a.size, counts, [&](auto& own, i64 z, i64 y, i64 from, i64 to) {
    i32 at[piece], of[piece];
    a_bins.find(a.row(z, y) + from, row_of(mask, z, y, from), to - from, at);
    b_bins.find(b.row(z, y) + from, nullptr, to - from, of);
    for (i64 i = 0; i < to - from; ++i)
      if (at[i] >= 0 && of[i] >= 0) own.add(i, at[i] * across + of[i]);
  });
}

#define VOXKERN_INSTANCES(T)                                                                       \
  template void histogram(On, View<const T>, View<const u8>, List<const f64>, List<i64>);          \
  template void joint_histogram(On, View<const T>, View<const T>, View<const u8>, List<const f64>, \
                                List<const f64>, List<i64>);
VOXKERN_INSTANCES(u8)
VOXKERN_INSTANCES(i16)
VOXKERN_INSTANCES(u16)
VOXKERN_INSTANCES(i32)
VOXKERN_INSTANCES(f32)
VOXKERN_INSTANCES(f64)
template void extremes(On, View<const u8>, View<const u8>, List<f64>, List<f64>);
template void extremes(On, View<const i16>, View<const u8>, List<f64>, List<f64>);
template void extremes(On, View<const u16>, View<const u8>, List<f64>, List<f64>);
template void extremes(On, View<const i32>, View<const u8>, List<f64>, List<f64>);
template void extremes(On, View<const f32>, View<const u8>, List<f64>, List<f32>);
template void extremes(On, View<const f64>, View<const u8>, List<f64>, List<f64>);

}  // namespace voxkern::cpu
