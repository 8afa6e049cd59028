// Samples lie on the image's grid, so a B-spline's products part into axes: a fit adds rows along
// y, then along x, then planes along z, and a field is the same in reverse order. Four
// multiplications a voxel, not 64.
#include <voxkern/filters/n4.hpp>
#include <voxkern/simd.hpp>

#include <cpu/filters/exp.hpp>
#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <vector>

namespace voxkern::cpu {
namespace {

constexpr i64 lanes = simd::lanes<f32>;

// Some rows of a plane: as many to a task as the shape says.
class Bands {
 public:
  explicit Bands(Size n) : n_(n), rows_(most(i64(65536) / most(n.x, i64(1)), i64(1))) {
    down_ = (n.y + rows_ - 1) / rows_;
  }
  i64 count() const { return n_.z * down_; }
  i64 plane(i64 i) const { return i / down_; }
  i64 begin(i64 i) const { return i % down_ * rows_; }
  i64 end(i64 i) const { return least(begin(i) + rows_, n_.y); }

 private:
  Size n_;
  i64 rows_, down_;
};

// The weights of an axis, and where they begin to be read.
struct Axis {
  const i64* places;
  const f64* table;
  i64 n;
  f64 weight(int k, i64 i) const { return table[k * n + i]; }
};

struct Axes {
  Axis z, y, x;
  Axes(Size n, List<const i64> places, List<const f64> tables)
      : z{places.data, tables.data, n.z},
        y{places.data + n.z, tables.data + 4 * n.z, n.y},
        x{places.data + n.z + n.y, tables.data + 4 * (n.z + n.y), n.x} {}
};

// A lattice read row by row: along x once, along z for a plane, along y for a row.
template <class R>
class Field {
  static constexpr i64 wide = simd::lanes<R>;

 public:
  Field(List<const f64> lattice, List<const i64> places, List<const f64> tables, Size grid, Size n)
      : axes_(n, places, tables),
        grid_(grid),
        width_((n.x + wide - 1) / wide * wide),
        along_(grid.z * grid.y * width_) {
    for (i64 row = 0; row < grid.z * grid.y; ++row) {
      R* to = &along_[row * width_];
      std::fill_n(to, width_, R(0));
      for (i64 x = 0; x < n.x; ++x) {
        const f64* from = lattice.data + row * grid.x + axes_.x.places[x];
        f64 sum = 0;
        for (int k = 0; k < 4; ++k) sum += axes_.x.weight(k, x) * from[k];
        to[x] = R(sum);
      }
    }
  }

  // How long a row is, with room for whole vectors.
  i64 width() const { return width_; }
  i64 plane_size() const { return grid_.y * width_; }

  void plane(i64 z, R* out) const {
    const i64 n = plane_size();
    std::fill_n(out, n, R(0));
    for (int k = 0; k < 4; ++k) {
      const R* from = &along_[(axes_.z.places[z] + k) * n];
      const R by = R(axes_.z.weight(k, z));
      if (by != 0)
        for (i64 i = 0; i < n; ++i) out[i] += by * from[i];
    }
  }

  void row(const R* plane, i64 y, R* out) const {
    const R* from = plane + axes_.y.places[y] * width_;
    Vec<R> by[4];
    for (int k = 0; k < 4; ++k) by[k] = R(axes_.y.weight(k, y));
    for (i64 x = 0; x < width_; x += wide) {
      Vec<R> sum = by[0] * simd::load(from + x);
      for (int k = 1; k < 4; ++k) sum = fma(by[k], simd::load(from + k * width_ + x), sum);
      simd::store(out + x, sum);
    }
  }

 private:
  Axes axes_;
  Size grid_;
  i64 width_;
  Scratch<R> along_;
};

// v less its sharpened value, lane by lane.
Vec<f32> sharper_by(Vec<f32> v, List<const f32> map, f32 low, f32 scale) {
  const Vec<f32> at = min(max((v - low) * scale, 0.0f), f32(map.size - 1));
  const auto bin = min(simd::convert<i32>(at), i32(map.size - 2));
  const Vec<f32> here = simd::gather(map.data, bin), next = simd::gather(map.data + 1, bin);
  return v - (here + (next - here) * (at - simd::convert<f32>(bin)));
}

// out = weight * (v less its sharpened value), or the weights alone; zero behind the row's end.
void residuals(const f32* v, const f32* weight, i64 n, List<const f32> map, f32 low, f32 scale,
               f32* out) {
  for (i64 x = 0; x < n; x += lanes) {
    const int some = int(least(lanes, n - x));
    const Vec<f32> w = simd::load(weight + x, some);
    Vec<f32> r = w;
    if (map.size)
      r = select(w > 0.0f, sharper_by(simd::load(v + x, some), map, low, scale) * w, 0.0f);
    simd::store(out + x, r);
  }
}

// rows[k] += by[k] * row for four rows.
void add_rows(const f32* row, const f32 (&by)[4], f32* rows, i64 width) {
  for (i64 x = 0; x < width; x += lanes) {
    const Vec<f32> r = simd::load(row + x);
    for (int k = 0; k < 4; ++k) {
      f32* to = rows + k * width + x;
      simd::store(to, fma(r, Vec<f32>(by[k]), simd::load(to)));
    }
  }
}

struct Change {
  Sums<3> sums;
  f64 low = std::numeric_limits<f64>::infinity(), high = -std::numeric_limits<f64>::infinity();
  Change& operator+=(const Change& other) {
    sums += other.sums;
    low = least(low, other.low);
    high = most(high, other.high);
    return *this;
  }
};

// One row of u, and what is counted of its change.
void change_row(const f32* logs, const f32* weight, const f32* field, f32* u, i64 n, Change& all) {
  const f32 far = std::numeric_limits<f32>::infinity();
  LaneSum count, sum, squares;
  Vec<f32> low = far, high = -far;
  for (i64 x = 0; x < n; x += lanes) {
    const int some = int(least(lanes, n - x));
    const Vec<f32> now = simd::load(logs + x, some) - simd::load(field + x);
    const auto in = simd::load(weight + x, some) > 0.0f;
    const Vec<f32> e = exponential(now - simd::load(u + x, some)) - 1.0f;
    const Vec<f32> kept = select(in, e, 0.0f);
    count.add(select(in, Vec<f32>(1.0f), 0.0f));
    sum.add(kept);
    squares.add(kept * kept);
    low = min(select(in, now, far), low);
    high = max(select(in, now, -far), high);
    simd::store(u + x, now, some);
  }
  all.sums[0] += count.total();
  all.sums[1] += sum.total();
  all.sums[2] += squares.total();
  all.low = least(all.low, f64(reduce_min(low)));
  all.high = most(all.high, f64(reduce_max(high)));
}

// Counts and fractions of one thread: both in one word, a count in the upper 24 bits, fractions
// in the lower 40.
class Parzen {
 public:
  explicit Parzen(i64 bins) : bins_(bins), words_(2 * (bins + 1)), counts_(bins + 1) {}

  void add(const i32* bin, const i32* part, i64 n) {
    if (used_ + n > (1 << 19)) flush();
    used_ += n;
    for (i64 x = 0; x < n; ++x) words_[(x & 1) * (bins_ + 1) + bin[x]] += one + u64(part[x]);
  }
  void into(List<i64> counts) {
    flush();
    for (i64 k = 0; k < bins_; ++k) counts[k] += counts_[k];
  }

 private:
  static constexpr u64 one = u64(1) << 40;

  void flush() {
    for (i64 i = 0; i < 2 * (bins_ + 1); ++i) {
      const i64 k = i % (bins_ + 1);
      if (k == bins_) continue;  // voxels that do not count
      const i64 parts = i64(words_[i] & (one - 1)), whole = i64(words_[i] >> 40) * i64(n4_unit);
      counts_[k] += whole - parts;
      counts_[k + 1] += parts;
    }
    std::fill(words_.begin(), words_.end(), 0);
    used_ = 0;
  }

  i64 bins_, used_ = 0;
  std::vector<u64> words_;
  std::vector<i64> counts_;
};

}  // namespace

template <class T>
void n4_pick(On on, View<const T> x, View<const u8> mask, View<const f32> weights, Size from,
             Size step, View<f32> logs, View<f32> weight) {
  parallel_for(on, logs.size.z * logs.size.y, [&](i64 line) {
    const i64 z = line / logs.size.y, y = line % logs.size.y;
    const i64 at_z = from.z + z * step.z, at_y = from.y + y * step.y;
    const T* row = x.row(at_z, at_y);
    const u8* inside = row_of(mask, at_z, at_y);
    const f32* trust = row_of(weights, at_z, at_y);
    for (i64 i = 0; i < logs.size.x; ++i) {
      const i64 at = from.x + i * step.x;
      const f64 v = f64(row[at]);
      const f32 w = trust ? trust[at] : 1.0f;
      const bool counts = n4_counts(v) && (!inside || inside[at]) && w > 0;
      logs(z, y, i) = counts ? f32(std::log(v)) : 0.0f;
      weight(z, y, i) = counts ? w : 0.0f;
    }
  });
}

void n4_histogram(On on, View<const f32> u, View<const f32> weight, f32 low, f32 scale,
                  List<i64> counts) {
  constexpr i64 piece = 2048;
  std::fill(counts.data, counts.data + counts.size, 0);
  std::mutex adding;
  const Size n = u.size;
  parallel_slabs(on, n.z * n.y, 64, [&](i64 begin, i64 end) {
    Parzen own(counts.size);
    i32 bin[piece], part[piece];
    for (i64 line = begin; line < end; ++line) {
      const f32 *v = u.row(line / n.y, line % n.y), *w = weight.row(line / n.y, line % n.y);
      for (i64 from = 0; from < n.x; from += piece) {
        const i64 count = least(piece, n.x - from);
        for (i64 x = 0; x < count; x += lanes) {
          const int some = int(least(lanes, count - x));
          const auto in = simd::load(w + from + x, some) > 0.0f;
          const Vec<f32> at = select(in, (simd::load(v + from + x, some) - low) * scale, 0.0f);
          const auto whole = simd::convert<i32>(at);
          const Vec<f32> rest = (at - simd::convert<f32>(whole)) * n4_unit;
          simd::store(bin + x, select(in, min(whole, i32(counts.size - 1)), i32(counts.size)));
          simd::store(part + x, simd::convert<i32>(rest));
        }
        own.add(bin, part, count);
      }
    }
    std::lock_guard hold(adding);
    own.into(counts);
  });
}

void n4_fit(On on, View<const f32> u, View<const f32> weight, List<const f32> map, f32 low,
            f32 scale, List<const i64> places, List<const f64> tables, Size grid, List<f64> sums) {
  const Size n = u.size;
  const Axes axes(n, places, tables);
  const Bands bands(n);
  const i64 area = grid.y * grid.x, width = (n.x + lanes - 1) / lanes * lanes;
  Scratch<f64> parts(bands.count() * area);
  parallel_for(on, bands.count(), [&](i64 i) {
    Scratch<f32> row(width), rows(grid.y * width);
    std::fill(rows.begin(), rows.end(), 0.0f);
    const i64 z = bands.plane(i);
    for (i64 y = bands.begin(i); y < bands.end(i); ++y) {
      residuals(u.row(z, y), weight.row(z, y), n.x, map, low, scale, row.data());
      f32 by[4];
      for (int k = 0; k < 4; ++k) by[k] = f32(axes.y.weight(k, y));
      add_rows(row.data(), by, rows.data() + axes.y.places[y] * width, width);
    }
    f64* own = parts.data() + i * area;
    std::fill_n(own, area, 0.0);
    for (i64 j = 0; j < grid.y; ++j)
      for (i64 x = 0; x < n.x; ++x)
        for (int k = 0; k < 4; ++k)
          own[j * grid.x + axes.x.places[x] + k] += axes.x.weight(k, x) * rows[j * width + x];
  });
  std::fill(sums.data, sums.data + sums.size, 0.0);
  for (i64 i = 0; i < bands.count(); ++i)
    for (int k = 0; k < 4; ++k) {
      const i64 z = bands.plane(i);
      const f64 by = axes.z.weight(k, z);
      f64* to = sums.data + (axes.z.places[z] + k) * area;
      for (i64 a = 0; a < area; ++a) to[a] += by * parts[i * area + a];
    }
}

void n4_update(On on, View<const f32> logs, View<const f32> weight, View<f32> u,
               List<const f64> lattice, List<const i64> places, List<const f64> tables, Size grid,
               List<f64> stats) {
  const Field<f32> field(lattice, places, tables, grid, u.size);
  const Bands bands(u.size);
  std::vector<Change> parts(static_cast<size_t>(bands.count()));
  parallel_for(on, bands.count(), [&](i64 i) {
    const i64 z = bands.plane(i);
    Scratch<f32> plane(field.plane_size()), row(field.width());
    field.plane(z, plane.data());
    Change own;
    for (i64 y = bands.begin(i); y < bands.end(i); ++y) {
      field.row(plane.data(), y, row.data());
      change_row(logs.row(z, y), weight.row(z, y), row.data(), u.row(z, y), u.size.x, own);
    }
    parts[static_cast<size_t>(i)] = own;
  });
  const Change all = added_up(std::move(parts));
  for (int k = 0; k < 3; ++k) stats[k] = all.sums[k];
  stats[3] = all.low;
  stats[4] = all.high;
}

template <class T, class R>
void n4_divide(On on, View<const T> x, View<R> y, View<R> field, List<const f64> lattice,
               List<const i64> places, List<const f64> tables, Size grid) {
  const Size n = x.size;
  const Field<R> bias(lattice, places, tables, grid, n);
  const Bands bands(n);
  parallel_for(on, bands.count(), [&](i64 i) {
    const i64 z = bands.plane(i);
    Scratch<R> plane(bias.plane_size()), row(bias.width());
    bias.plane(z, plane.data());
    for (i64 j = bands.begin(i); j < bands.end(i); ++j) {
      bias.row(plane.data(), j, row.data());
      if constexpr (std::is_same_v<R, f32>)
        for (i64 k = 0; k < bias.width(); k += lanes)
          simd::store(&row[k], exponential(simd::load(&row[k])));
      else
        for (i64 k = 0; k < n.x; ++k) row[k] = std::exp(row[k]);
      const T* from = x.row(z, j);
      R* to = y.row(z, j);
      for (i64 k = 0; k < n.x; ++k) to[k] = R(from[k]) / row[k];
      if (field.size.x) std::copy_n(row.data(), n.x, field.row(z, j));
    }
  });
}

#define VOXKERN_INSTANCES(T, R)                                                                    \
  template void n4_pick(On, View<const T>, View<const u8>, View<const f32>, Size, Size, View<f32>, \
                        View<f32>);                                                                \
  template void n4_divide(On, View<const T>, View<R>, View<R>, List<const f64>, List<const i64>,   \
                          List<const f64>, Size);
VOXKERN_INSTANCES(u8, f32)
VOXKERN_INSTANCES(i16, f32)
VOXKERN_INSTANCES(u16, f32)
VOXKERN_INSTANCES(i32, f64)
VOXKERN_INSTANCES(f32, f32)
VOXKERN_INSTANCES(f64, f64)

}  // namespace voxkern::cpu
