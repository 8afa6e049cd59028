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

void extent(On, List<const i64> ends, i64 rows, Vec3 spacing, List<f64> out) {
  struct Point {
    f64 radius, z, y, x;  // how far it is from the middle of the box, and where
  };
  std::vector<Point> voxels;
  f64 low[3] = {HUGE_VAL, HUGE_VAL, HUGE_VAL}, high[3] = {-HUGE_VAL, -HUGE_VAL, -HUGE_VAL};
  for (i64 end = 0; end < ends.size; ++end) {
    if (ends[end] < 0) continue;
    const f64 at[3] = {f64(end / 2 / rows), f64(end / 2 % rows), f64(ends[end])};
    for (int axis = 0; axis < 3; ++axis) {
      low[axis] = std::min(low[axis], at[axis]);
      high[axis] = std::max(high[axis], at[axis]);
    }
    voxels.push_back({0, at[0], at[1], at[2]});
  }
  const f64 length[3] = {spacing.z, spacing.y, spacing.x};
  for (int axis = 0; axis < 3; ++axis) out[1 + axis] = length[axis] * (high[axis] - low[axis] + 1);

  const auto distance = [&](const Point& v, f64 z, f64 y, f64 x) {
    const f64 dz = (v.z - z) * spacing.z, dy = (v.y - y) * spacing.y, dx = (v.x - x) * spacing.x;
    return std::sqrt(dz * dz + dy * dy + dx * dx);
  };
  const f64 middle[3] = {(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2};
  Point outer{-1, 0, 0, 0};
  for (Point& v : voxels) {
    v.radius = distance(v, middle[0], middle[1], middle[2]);
    if (v.radius > outer.radius) outer = v;
  }
  f64 known = 0;  // that far apart some are
  for (const Point& v : voxels) known = std::max(known, distance(v, outer.z, outer.y, outer.x));
  // Two vertices are half a voxel each beside their voxels; of most voxels none can be that far.
  const f64 beside = std::max({spacing.z, spacing.y, spacing.x});
  std::vector<Point> far;
  for (const Point& v : voxels) {
    if (v.radius + outer.radius + beside < known * (1 - 1e-12)) continue;
    for (int vertex = 0; vertex < 6; ++vertex) {
      f64 at[3] = {v.z, v.y, v.x};
      at[vertex / 2] += 0.5 - vertex % 2;
      Point p{0, at[0], at[1], at[2]};
      p.radius = distance(p, middle[0], middle[1], middle[2]);
      far.push_back({p.radius, p.z * spacing.z, p.y * spacing.y, p.x * spacing.x});
    }
  }
  std::sort(far.begin(), far.end(),
            [](const Point& a, const Point& b) { return a.radius > b.radius; });
  // Two points are no further apart than their distances from the middle together, so the search
  // ends where those are too short; a little slack covers rounding.
  f64 best = 0;
  for (size_t i = 0; i < far.size(); ++i) {
    const Point a = far[i];
    const f64 reach = std::sqrt(best) * (1 - 1e-12) - a.radius;
    if (far[0].radius < reach) break;
    for (size_t j = 0; j < i; ++j) {
      const Point& b = far[j];
      if (b.radius < reach) break;
      const f64 dz = a.z - b.z, dy = a.y - b.y, dx = a.x - b.x;
      best = std::max(best, dz * dz + dy * dy + dx * dx);
    }
  }
  out[0] = best;
}

}  // namespace voxkern::cpu
