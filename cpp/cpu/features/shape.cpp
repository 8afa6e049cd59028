#include <voxkern/features/shape.hpp>

#include <cpu/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>
#include <vector>

namespace voxkern::cpu {

namespace {

struct Sums {
  i64 codes[256][4] = {};
  i64 moments[10] = {};
};

// The patterns of the cells between rows y and y + 1 of planes z and z + 1.
class Cells {
 public:
  explicit Cells(View<const u8> mask)
      : mask_(mask),
        zero_(size(mask.size.x)),
        four_(size(mask.size.x + 2)),
        code_(size((mask.size.x + 1 + 7) / 8 * 8)) {}

  void count(i64 z, i64 y, Sums& sums) {
    const i64 n = mask_.size.x;
    const u8 *a = row(z, y), *b = row(z, y + 1), *c = row(z + 1, y), *d = row(z + 1, y + 1);
    u8 *four = four_.data() + 1, *code = code_.data();
    for (i64 x = 0; x < n; ++x)
      four[x] = u8((a[x] != 0) | (b[x] != 0) << 1 | (c[x] != 0) << 2 | (d[x] != 0) << 3);
    for (i64 x = 0; x <= n; ++x) code[x] = u8(four[x - 1] | four[x] << 4);
    for (i64 from = 0; from <= n; from += 8) {
      u64 eight;
      std::memcpy(&eight, code + from, 8);
      if (eight == 0 || eight == ~u64(0)) continue;
      for (i64 x = from; x < std::min(from + 8, n + 1); ++x) {
        i64* s = sums.codes[code[x]];
        s[0] += 1;
        s[1] += z;
        s[2] += y;
        s[3] += x - 1;
      }
    }
  }

 private:
  static size_t size(i64 n) { return static_cast<size_t>(n); }
  const u8* row(i64 z, i64 y) const {
    const bool there = 0 <= z && z < mask_.size.z && 0 <= y && y < mask_.size.y;
    return there ? mask_.row(z, y) : zero_.data();
  }

  View<const u8> mask_;
  std::vector<u8> zero_, four_, code_;
};

void count_row(const u8* row, i64 n, i64 z, i64 y, Sums& sums, i64* ends) {
  i64 from = 0, to = n;
  while (from < to && !row[from]) ++from;
  while (to > from && !row[to - 1]) --to;
  ends[0] = from < to ? from : -1;
  ends[1] = from < to ? to - 1 : -1;
  i64 count = 0, first = 0, second = 0;
  for (i64 start = from; start < to; start += 256) {  // sums of a piece fit into 32 bits
    const i32 some = i32(std::min<i64>(256, to - start));
    i32 c = 0, f = 0, s = 0;
    for (i32 x = 0; x < some; ++x) {
      const i32 in = row[start + x] != 0;
      c += in;
      f += in * x;
      s += in * x * x;
    }
    count += c;
    first += f + c * start;
    second += s + 2 * f * start + c * start * start;
  }
  i64* m = sums.moments;
  m[0] += count;
  m[1] += count * z;
  m[2] += count * y;
  m[3] += first;
  m[4] += count * z * z;
  m[5] += count * y * y;
  m[6] += second;
  m[7] += count * z * y;
  m[8] += first * z;
  m[9] += first * y;
}

}  // namespace

void shape(On on, View<const u8> mask, List<i64> codes, List<i64> moments, List<i64> ends) {
  const Size size = mask.size;
  std::fill(codes.data, codes.data + codes.size, 0);
  std::fill(moments.data, moments.data + moments.size, 0);
  std::mutex adding;
  parallel_slabs(on, size.z + 1, 1, [&](i64 begin, i64 end) {
    Sums own;
    Cells cells(mask);
    for (i64 z = begin - 1; z < end - 1; ++z) {
      for (i64 y = -1; y < size.y; ++y) cells.count(z, y, own);
      for (i64 y = 0; z >= 0 && y < size.y; ++y)
        count_row(mask.row(z, y), size.x, z, y, own, ends.data + 2 * (z * size.y + y));
    }
    std::lock_guard hold(adding);
    for (i64 code = 1; code < 255; ++code)
      for (i64 k = 0; k < 4; ++k) codes[4 * code + k] += own.codes[code][k];
    for (i64 k = 0; k < 10; ++k) moments[k] += own.moments[k];
  });
}

void diameter(On, List<const f64> points, List<f64> out) {
  const i64 n = points.size / 3;
  struct Far {
    f64 radius, z, y, x;
  };
  f64 low[3], high[3];
  for (int axis = 0; axis < 3; ++axis) low[axis] = HUGE_VAL, high[axis] = -HUGE_VAL;
  for (i64 i = 0; i < points.size; ++i) {
    low[i % 3] = std::min(low[i % 3], points[i]);
    high[i % 3] = std::max(high[i % 3], points[i]);
  }
  std::vector<Far> far(static_cast<size_t>(n));
  for (i64 i = 0; i < n; ++i) {
    const f64 *p = points.data + 3 * i, dz = p[0] - (low[0] + high[0]) / 2,
              dy = p[1] - (low[1] + high[1]) / 2, dx = p[2] - (low[2] + high[2]) / 2;
    far[static_cast<size_t>(i)] = {std::sqrt(dz * dz + dy * dy + dx * dx), p[0], p[1], p[2]};
  }
  std::sort(far.begin(), far.end(), [](const Far& a, const Far& b) { return a.radius > b.radius; });
  // Two points are no further apart than their distances from the middle together, so the search
  // ends where those are too short; a little slack covers rounding.
  f64 best = 0;
  for (i64 i = 0; i < n; ++i) {
    const Far a = far[static_cast<size_t>(i)];
    const f64 reach = std::sqrt(best) * (1 - 1e-12) - a.radius;
    if (far[0].radius < reach) break;
    for (i64 j = 0; j < i; ++j) {
      const Far& b = far[static_cast<size_t>(j)];
      if (b.radius < reach) break;
      const f64 dz = a.z - b.z, dy = a.y - b.y, dx = a.x - b.x;
      best = std::max(best, dz * dz + dy * dy + dx * dx);
    }
  }
  out[0] = best;
}

}  // namespace voxkern::cpu
