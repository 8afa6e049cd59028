#include <voxkern/features/glcm.hpp>

#include <cpu/parallel.hpp>

#include <algorithm>
#include <mutex>
#include <vector>

namespace voxkern::cpu {

namespace {

// Where the voxels of a row are that are not zero.
struct Span {
  i64 from, to;
};

std::vector<Span> spans_of(On on, View<const u16> x) {
  std::vector<Span> spans(static_cast<size_t>(x.size.z * x.size.y));
  parallel_slabs(on, x.size.z * x.size.y, 64, [&](i64 begin, i64 end) {
    for (i64 row = begin; row < end; ++row) {
      const u16* v = x.row(row / x.size.y, row % x.size.y);
      i64 from = 0, to = x.size.x;
      while (from < to && !v[from]) ++from;
      while (to > from && !v[to - 1]) --to;
      spans[static_cast<size_t>(row)] = {from, to};
    }
  });
  return spans;
}

// Tables of one thread, one for each direction; a few copies of each, taken in turn, so that equal
// pairs in a row do not wait for each other. Level 0 has a row and a column, dropped at the end: a
// test for it would cost more than its count.
class Tables {
 public:
  Tables(i64 directions, i64 n, i64 voxels)
      : side_(n + 1),
        copies_(n <= 64 && voxels > n * n ? 4 : 1),
        of_(directions * copies_ * side_ * side_) {}

  void add(i64 direction, const u16* a, const u16* b, i64 count) {
    u32* table = of_.data() + direction * copies_ * side_ * side_;
    if (copies_ == 1) {
      for (i64 i = 0; i < count; ++i) ++table[a[i] * side_ + b[i]];
      return;
    }
    u16 at[piece];  // fits, with at most 65 * 65 places
    const u16 side = u16(side_);
    for (i64 from = 0; from < count; from += piece) {
      const i64 some = std::min(piece, count - from);
      for (i64 i = 0; i < some; ++i) at[i] = u16(a[from + i] * side + b[from + i]);
      add4(table, at, some);
    }
  }

  void into(List<i64> counts, i64 n) const {
    const i64 directions = counts.size / (n * n), step = side_ * side_;
    for (i64 d = 0; d < directions; ++d)
      for (i64 a = 0; a < n; ++a) {
        const u32* from = of_.data() + d * copies_ * step + (a + 1) * side_ + 1;
        i64* to = counts.data + (d * n + a) * n;
        if (copies_ == 1)
          for (i64 b = 0; b < n; ++b) to[b] += from[b];
        else
          for (i64 b = 0; b < n; ++b)
            to[b] += from[b] + from[step + b] + from[2 * step + b] + from[3 * step + b];
      }
  }

 private:
  static constexpr i64 piece = 512;

  void add4(u32* table, const u16* at, i64 count) {
    const i64 step = side_ * side_;
    u32 *t1 = table + step, *t2 = t1 + step, *t3 = t2 + step;
    i64 i = 0;
    for (; i + 4 <= count; i += 4) {
      ++table[at[i]];
      ++t1[at[i + 1]];
      ++t2[at[i + 2]];
      ++t3[at[i + 3]];
    }
    for (; i < count; ++i) ++table[at[i]];
  }

  i64 side_, copies_;
  std::vector<u32> of_;
};

void add_transposed(List<i64> counts, i64 n) {
  for (i64 at = 0; at < counts.size; at += n * n)
    for (i64 a = 0; a < n; ++a)
      for (i64 b = 0; b <= a; ++b) {
        i64 &one = counts[at + a * n + b], &other = counts[at + b * n + a];
        one = other = one + other;
      }
}

}  // namespace

void glcm(On on, View<const u16> x, List<const i64> offsets, i64 n, bool symmetric,
          List<i64> counts) {
  const Size size = x.size;
  const std::vector<Span> spans = spans_of(on, x);
  // So many rows that a direction after the other finds them in the cache, and no count overflows.
  const i64 rows = std::max<i64>(1, (i64(1) << 14) / std::max<i64>(size.x, 1));
  const i64 blocks = (size.z * size.y + rows - 1) / rows;
  const i64 most =
      (i64(1) << 31) / std::max<i64>(rows * size.x, 1);  // blocks until a count is full
  std::fill(counts.data, counts.data + counts.size, 0);
  std::mutex adding;
  parallel_slabs(on, blocks, 4, [&](i64 begin, i64 end) {
    for (i64 part = begin; part < end; part += std::max<i64>(most, 1)) {
      Tables own(offsets.size / 3, n, size.count());
      const i64 stop = std::min(end, part + std::max<i64>(most, 1));
      for (i64 block = part; block < stop; ++block)
        for (i64 d = 0; d < offsets.size / 3; ++d) {
          const i64 dz = offsets[3 * d], dy = offsets[3 * d + 1], dx = offsets[3 * d + 2];
          for (i64 row = block * rows; row < std::min((block + 1) * rows, size.z * size.y); ++row) {
            const i64 z = row / size.y, y = row % size.y;
            if (z + dz < 0 || z + dz >= size.z || y + dy < 0 || y + dy >= size.y) continue;
            const Span a = spans[static_cast<size_t>(row)],
                       b = spans[static_cast<size_t>(row + dz * size.y + dy)];
            const i64 from = std::max(a.from, b.from - dx), to = std::min(a.to, b.to - dx);
            if (from < to)
              own.add(d, x.row(z, y) + from, x.row(z + dz, y + dy) + from + dx, to - from);
          }
        }
      std::lock_guard hold(adding);
      own.into(counts, n);
    }
  });
  if (symmetric) add_transposed(counts, n);
}

}  // namespace voxkern::cpu
