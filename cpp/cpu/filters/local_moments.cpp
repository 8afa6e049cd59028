// Tile by tile, plane by plane: sums along x, then along y, then along z, all in the cache. A level
// near a tile's voxels is taken away first, so that squares of a large offset do not swallow what
// is left. Nothing that went into a sum is ever subtracted: NaN reaches as far as the box does.
#include <voxkern/filters/local_moments.hpp>
#include <voxkern/simd.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

namespace voxkern::cpu {
namespace {

using V = Vec<f64>;
constexpr i64 lanes = V::lanes;

i64 whole(i64 count) { return (count + lanes - 1) / lanes * lanes; }

// Sums over the last `window` of the rows that are pushed, each of `count` numbers: the end of one
// block of rows and the start of the next.
class Sliding {
 public:
  Sliding(i64 window, i64 count)
      : window_(window), count_(count), ends_(window * count), starts_(count) {
    std::fill(ends_.begin(), ends_.end(), 0.0);
  }

  // `out` is right from the window's last row on.
  void push(const f64* in, f64* out) {
    f64 *slot = ends_.data() + at_ * count_, *starts = starts_.data();
    const f64* rest = at_ + 1 < window_ ? slot + count_ : nullptr;
    for (i64 x = 0; x < count_; x += lanes) {
      const V row = simd::load(in + x), sum = at_ ? simd::load(starts + x) + row : row;
      simd::store(starts + x, sum);
      simd::store(slot + x, row);
      simd::store(out + x, rest ? simd::load(rest + x) + sum : sum);
    }
    if (++at_ < window_) return;
    at_ = 0;
    for (i64 k = window_ - 2; k > 0; --k) {  // the whole block is never asked for again
      f64* row = ends_.data() + k * count_;
      for (i64 x = 0; x < count_; x += lanes)
        simd::store(row + x, simd::load(row + x) + simd::load(row + count_ + x));
    }
  }

  void restart() { at_ = 0; }

 private:
  i64 window_, count_, at_ = 0;
  Scratch<f64> ends_, starts_;
};

// out[x] = the sum of line[x .. x + window) for x below count, by doubling; `line` is used up.
void sum_line(f64* line, f64* out, i64 count, i64 window) {
  i64 joined = 0, length = count + window;
  for (i64 size = 1;; size *= 2) {
    if (window & size) {
      for (i64 x = 0; x < count; x += lanes) {
        const V part = simd::load(line + joined + x);
        simd::store(out + x, joined ? simd::load(out + x) + part : part);
      }
      joined += size;
    }
    if (joined == window) return;
    length -= size;
    for (i64 x = 0; x < length; x += lanes)
      simd::store(line + x, simd::load(line + x) + simd::load(line + x + size));
  }
}

struct Window {
  i64 size, before;
  Edge edge;
};

// `fields` is 2 where squares are summed too.
template <class T, class U, int fields>
class Tile {
 public:
  Tile(View<const T> in, View<U> out, const Window (&w)[3], f64 fill, i64 rows, i64 columns)
      : in_(in),
        out_(out),
        w_(w),
        fill_(fill),
        rows_(rows),
        pitch_(whole(columns)),
        line_room_(whole(columns + 2 * w[2].size) + 4 * lanes),
        along_z_(w[0].size, rows * fields * pitch_),
        along_y_(w[1].size, fields * pitch_),
        plane_(rows * fields * pitch_),
        line_(fields * line_room_),
        row_(fields * pitch_) {
    std::fill(line_.begin(), line_.end(), 0.0);
    std::fill(plane_.begin(), plane_.end(), 0.0);
    std::fill(row_.begin(), row_.end(), 0.0);
  }

  // Rows [y, y_end), columns [x, x_end).
  void run(i64 y, i64 y_end, i64 x, i64 x_end) {
    y_ = y, y_end_ = y_end, x_ = x, x_end_ = x_end;
    level_ = f64(in_(in_.size.z / 2, y, x));
    if (!std::isfinite(level_)) level_ = 0;
    along_z_.restart();
    const i64 n = in_.size.z, last = w_[0].size - 1;
    for (i64 k = 0; k < n + last; ++k) {
      sums_of_plane(inside(k - w_[0].before, n, w_[0].edge));
      along_z_.push(plane_.data(), plane_.data());
      if (k >= last) finish(k - last);
    }
  }

 private:
  const View<const T> in_;
  const View<U> out_;
  const Window (&w_)[3];
  const f64 fill_;
  const i64 rows_, pitch_, line_room_;
  Sliding along_z_, along_y_;
  Scratch<f64> plane_, line_, row_;
  i64 y_, y_end_, x_, x_end_;
  f64 level_;

  void sums_of_plane(i64 z) {
    along_y_.restart();
    const i64 last = w_[1].size - 1, rows = y_end_ - y_;
    for (i64 k = 0; k < rows + last; ++k) {
      sums_of_row(z, inside(y_ + k - w_[1].before, in_.size.y, w_[1].edge));
      along_y_.push(row_.data(),
                    k < last ? row_.data() : plane_.data() + (k - last) * fields * pitch_);
    }
  }

  void sums_of_row(i64 z, i64 y) {
    const i64 n = in_.size.x, count = x_end_ - x_, low = x_ - w_[2].before,
              high = low + count + w_[2].size - 1;
    f64 *line = line_.data(), *squares = line + (fields - 1) * line_room_;
    const T* row = z < 0 || y < 0 ? nullptr : in_.row(z, y);
    const i64 from = std::clamp<i64>(0, low, high), to = std::clamp<i64>(n, from, high);
    const auto border = [&](i64 begin, i64 end) {
      for (i64 at = begin; at < end; ++at) {
        const i64 other = row ? inside(at, n, w_[2].edge) : -1;
        line[at - low] = (other < 0 ? fill_ : f64(row[other])) - level_;
      }
    };
    border(low, row ? from : high);
    if (row) {
      i64 x = from;
      for (; x + lanes <= to; x += lanes)
        simd::store(line + x - low, simd::load_as<f64>(row + x) - V(level_));
      border(x, high);
    }
    if constexpr (fields == 2)
      for (i64 x = 0; x < high - low; x += lanes) {
        const V v = simd::load(line + x);
        simd::store(squares + x, v * v);
      }
    for (int f = 0; f < fields; ++f)
      sum_line(line + f * line_room_, row_.data() + f * pitch_, count, w_[2].size);
  }

  void finish(i64 z) const {
    const f64 share = 1.0 / (f64(w_[0].size) * f64(w_[1].size) * f64(w_[2].size));
    for (i64 y = y_; y < y_end_; ++y) {
      const f64* sums = plane_.data() + (y - y_) * fields * pitch_;
      U* to = out_.row(z, y) + x_;
      for (i64 x = 0; x < x_end_ - x_; x += lanes) {
        const V mean = simd::load(sums + x) * V(share);
        V value = mean + V(level_);
        if constexpr (fields == 2) {
          const V spread = simd::load(sums + pitch_ + x) * V(share) - mean * mean;
          value = simd::sqrt(simd::max(V(0.0), spread));  // NaN stays
        }
        simd::store(to + x, simd::convert<U>(value), int(std::min(lanes, x_end_ - x_ - x)));
      }
    }
  }
};

template <class T, class U, int fields>
void all_tiles(On on, View<const T> in, View<U> out, const Window (&w)[3], f64 fill) {
  const Size n = in.size;
  // Tiles as large as keeps the sums along z in the cache, but larger than their halos.
  constexpr i64 cached = 384 << 10;
  const i64 columns = std::min(n.x, std::max<i64>(64, w[2].size / lanes * lanes * 2));
  const i64 fit = cached / (8 * fields * columns * (w[0].size + 2));
  const i64 rows = std::min(n.y, std::max({fit, w[1].size, i64(4)}));
  const i64 down = (n.y + rows - 1) / rows, across = (n.x + columns - 1) / columns;
  parallel_slabs(on, down * across, 1, [&](i64 begin, i64 end) {
    Tile<T, U, fields> tile(in, out, w, fill, rows, columns);
    for (i64 i = begin; i < end; ++i) {
      const i64 y = i / across * rows, x = i % across * columns;
      tile.run(y, std::min(n.y, y + rows), x, std::min(n.x, x + columns));
    }
  });
}

}  // namespace

template <class T, class U>
void local_moments(On on, View<const T> in, View<U> out, Size size, Size before, Edge ez, Edge ey,
                   Edge ex, f64 fill, i64 deviation) {
  if (in.size.count() == 0) return;
  const Window w[3] = {{size.z, before.z, ez}, {size.y, before.y, ey}, {size.x, before.x, ex}};
  deviation ? all_tiles<T, U, 2>(on, in, out, w, fill) : all_tiles<T, U, 1>(on, in, out, w, fill);
}

template void local_moments(On, View<const u8>, View<f32>, Size, Size, Edge, Edge, Edge, f64, i64);
template void local_moments(On, View<const i16>, View<f32>, Size, Size, Edge, Edge, Edge, f64, i64);
template void local_moments(On, View<const u16>, View<f32>, Size, Size, Edge, Edge, Edge, f64, i64);
template void local_moments(On, View<const i32>, View<f64>, Size, Size, Edge, Edge, Edge, f64, i64);
template void local_moments(On, View<const f32>, View<f32>, Size, Size, Edge, Edge, Edge, f64, i64);
template void local_moments(On, View<const f64>, View<f64>, Size, Size, Edge, Edge, Edge, f64, i64);

}  // namespace voxkern::cpu
