#include <voxkern/metrics/digits.hpp>

#include <cpu/parallel.hpp>
#include <voxkern/bits.hpp>
#include <voxkern/simd.hpp>
#include <voxkern/sums.hpp>

#include <algorithm>
#include <limits>
#include <mutex>
#include <vector>

namespace voxkern::cpu {
namespace {

constexpr i64 nowhere = digit_values;  // a counter for what does not count

// Counts of one row. Narrow types are counted as they are, in four copies, so that equal
// neighbours do not wait for each other; wide ones by the order of their bits, vector by vector.
template <class T>
struct Row {
  List<const i64> prefixes;
  i64 shift, lowest, floats;

  static constexpr bool narrow = sizeof(T) <= 2;
  i64 copies() const { return prefixes.size ? 1 : narrow ? 4 : 2; }
  i64 counters() const {
    return prefixes.size ? prefixes.size * digit_values : copies() * (digit_values + 1);
  }

  void add(const T* x, const u8* in, i64 n, u32* own) const {
    if constexpr (narrow) {
      for (i64 i = 0; i < n; ++i)
        own[(i & 3) * (digit_values + 1) + i64(x[i]) - lowest] += !in || in[i];
    } else {
      constexpr i64 lanes = simd::lanes<T>;
      T at[lanes];
      for (i64 i = 0; i < n; i += lanes) {
        const int some = int(least(lanes, n - i));
        Vec<T> v = simd::load(x + i, some);
        auto number = simd::inside<typename Vec<T>::Mask>(in, i, some);
        if (floats) {
          const T rest = std::numeric_limits<T>::max();
          const T infinite = sizeof(T) == 8 ? T(0x7ff0000000000000ll) : T(0x7f800000);
          number &= (v & rest) <= infinite;
          v = v ^ ((v >> int(8 * sizeof(T) - 1)) & rest);
        }
        if (!prefixes.size) {
          const Vec<T> place = (v >> int(shift)) - T(lowest);
          simd::store(at, select(number, place, T(nowhere)));
          for (int k = 0; k < some; ++k) own[(k & 1) * (digit_values + 1) + at[k]] += 1;
          continue;
        }
        const Vec<T> upper = v >> int(shift + 8) >> 8;
        for (i64 s = 0; s < prefixes.size; ++s) {
          u64 hits = simd::bits((upper == T(prefixes[s])) & number);
          if (!hits) continue;
          simd::store(at, (v >> int(shift)) & T(0xffff));
          for (; hits; hits &= hits - 1) ++own[s * digit_values + at[bits::lowest(hits)]];
        }
      }
    }
  }
  // Adds the copies up and begins anew.
  void flush(u32* own, i64* to) const {
    const i64 step = prefixes.size ? counters() : digit_values + 1;
    const i64 n = prefixes.size ? counters() : digit_values;
    for (i64 c = 0; c < copies(); ++c)
      for (i64 k = 0; k < n; ++k) to[k] += own[c * step + k];
    std::fill_n(own, counters(), 0);
  }
};

}  // namespace

template <class T>
void digits(On on, View<const T> x, View<const u8> mask, List<const i64> prefixes, i64 shift,
            i64 lowest, i64 floats, List<i64> counts) {
  std::fill(counts.data, counts.data + counts.size, 0);
  const Row<T> row{prefixes, shift, lowest, floats};
  const Blocks blocks(x.size);
  std::mutex adding;
  const i64 grain = most((blocks.count() + 2 * on.threads - 1) / (2 * on.threads), i64(1));
  parallel_slabs(on, blocks.count(), grain, [&](i64 begin, i64 end) {
    std::vector<u32> own(row.counters());
    for (i64 i = begin; i < end; ++i) {
      const Block b = blocks[i];
      for (i64 line = b.begin; line < b.end; ++line) {
        const i64 z = line / x.size.y, y = line % x.size.y;
        row.add(x.row(z, y) + b.from, row_of(mask, z, y, b.from), b.to - b.from, own.data());
      }
      if ((i - begin) % 65536 == 65535 || i + 1 == end) {  // before 32 bits are too few
        std::lock_guard hold(adding);
        row.flush(own.data(), counts.data);
      }
    }
  });
}

template void digits(On, View<const u8>, View<const u8>, List<const i64>, i64, i64, i64, List<i64>);
template void digits(On, View<const i16>, View<const u8>, List<const i64>, i64, i64, i64,
                     List<i64>);
template void digits(On, View<const u16>, View<const u8>, List<const i64>, i64, i64, i64,
                     List<i64>);
template void digits(On, View<const i32>, View<const u8>, List<const i64>, i64, i64, i64,
                     List<i64>);
template void digits(On, View<const i64>, View<const u8>, List<const i64>, i64, i64, i64,
                     List<i64>);

}  // namespace voxkern::cpu
