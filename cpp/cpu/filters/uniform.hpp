// Means over boxes of any size in about the same time.
//
// Two sweeps: along z into a spare volume, then along y and x. Across rows a line is cut into
// blocks as long as the window. A window is the end of one block and the start of the next, so sums
// from each place to its block's end, and from a block's start on, give every window by one more
// addition. Nothing is ever taken away, so nothing drifts, and NaN stays where it is. Along x
// sums over 8, 16, 32, ... places are doubled and joined. A few rows of bytes are just added.
#pragma once
#include <voxkern/filters/uniform.hpp>
#include <voxkern/simd.hpp>

#include <cpu/filters/shorts.hpp>
#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <type_traits>
#include <vector>

namespace voxkern::cpu {
namespace box {

constexpr i64 streamed_bytes = 8 << 20;  // from here on the output goes around the cache
constexpr i64 cached_bytes = 192 << 10;  // of sums that are kept for a block
constexpr i64 narrowest = 256;           // columns of a tile

// The mean of a sum. Sums of whole numbers are whole, so half a unit more, away from zero, puts
// each quotient in the middle of those that are cut to the same number: no division is needed.
template <class T, class C>
struct Mean {
  Vec<C> share;
  explicit Mean(i64 size) : share(C(1.0 / f64(size))) {}
  Vec<C> operator()(Vec<C> sum) const {
    if constexpr (std::is_integral_v<T>) {
      if constexpr (std::is_signed_v<T>)
        sum += simd::select(sum < C(0), Vec<C>(C(-0.5)), Vec<C>(C(0.5)));
      else
        sum += C(0.5);
      return simd::convert<C>(simd::convert<i32>(sum * share));
    } else {
      return sum * share;
    }
  }
};

// The same for sums of bytes, and windows of at most longest_in_u16 of them: a share rounded up to
// 16 bits makes a quotient too large by less than what parts it from the next.
constexpr i64 longest_in_u16 = 128;
template <>
struct Mean<u8, u16> {
  int shift = 0;
  Vec<u16> share;
  explicit Mean(i64 size) {
    while (i64(2) << shift < size) ++shift;
    share = Vec<u16>(u16(((i64(1) << (16 + shift)) + size - 1) / size));
  }
  Vec<u16> operator()(Vec<u16> sum) const { return high_product(sum, share) >> shift; }
};

template <class C, class T>
Vec<C> read(const T* p, int n) {
  if constexpr (std::is_same_v<C, u16>)
    return n < simd::lanes<u16> ? load_shorts(p, n) : load_shorts(p);
  else
    return simd::load_as<C>(p, n);
}

template <class T, class C>
void put(T* p, Vec<C> mean, int n, bool past) {
  constexpr bool whole = std::is_integral_v<T>;
  if constexpr (std::is_same_v<C, u16>) {
    simd::store(p, as_bytes(mean), n);
  } else if constexpr (whole && sizeof(T) <= 2) {
    simd::store(p, simd::narrow<T>(simd::convert<i32>(mean)), n);
  } else if (n < simd::lanes<C>) {
    simd::store(p, simd::convert<T>(mean), n);
  } else if constexpr (std::is_same_v<T, C>) {
    past ? simd::stream(p, mean) : simd::store(p, mean);
  } else {
    simd::store(p, simd::convert<T>(mean));
  }
}

// Calls f with a short window as a constant, or with 0.
constexpr i64 short_window = 5;
template <class F>
void with_window(i64 window, F f) {
  if (window == 3)
    f(std::integral_constant<i64, 3>{});
  else
    f(std::integral_constant<i64, 0>{});
}

// Gives emit(i, x, sum, n) the sums of n columns, from x on, over rows[i .. i + window), and calls
// done(i) when those of a row are all there. Short windows are added row by row.
template <class C, class T, class F, class G>
void add_rows(const T* const* rows, i64 count, i64 window, i64 width, F emit, G done) {
  with_window(window, [&](auto constant) {
    const i64 size = constant ? i64(constant) : window;
    for (i64 i = 0; i < count; ++i) {
      const T* row[short_window];
      std::copy_n(rows + i, size, row);
      simd::each_vector<C>(width, [&](i64 x, auto n) {
        Vec<C> sum = read<C>(row[0] + x, n);
        for (i64 k = 1; k < size; ++k) sum += read<C>(row[k] + x, n);
        emit(i, x, sum, n);
      });
      done(i);
    }
  });
}

// Of others each row is read once: behind the sums that are used up, `ends` takes the voxels of
// the next block.
template <class C, class T, class F, class G>
void sum_rows(const T* const* rows, i64 count, i64 window, i64 width, C* ends, i64 pitch, F emit,
              G done) {
  if constexpr (std::is_integral_v<C>)
    if (window <= short_window) return add_rows<C>(rows, count, window, width, emit, done);
  C* starts = ends + window * pitch;
  for (i64 k = 0; k + 1 < window; ++k)
    simd::each_vector<C>(
        width, [&](i64 x, auto n) { simd::store(ends + k * pitch + x, read<C>(rows[k] + x, n)); });
  for (i64 block = 0; block < count; block += window) {
    const T* const* row = rows + block;
    const i64 here = std::min(window, count - block);
    C* last = ends + (window - 1) * pitch;
    simd::each_vector<C>(width, [&](i64 x, auto n) {
      simd::store(last + x, read<C>(row[window - 1] + x, n));
      simd::store(starts + x, Vec<C>(C(0)));
    });
    for (C* at = last - pitch; at >= ends; at -= pitch)
      simd::each_vector<C>(width, [&](i64 x, auto) {
        simd::store(at + x, simd::load(at + x) + simd::load(at + pitch + x));
      });
    simd::each_vector<C>(width, [&](i64 x, auto n) { emit(block, x, simd::load(ends + x), n); });
    done(block);
    for (i64 k = 1; k < here; ++k) {
      C* at = ends + k * pitch;
      const T* voxels = row[window + k - 1];
      simd::each_vector<C>(width, [&](i64 x, auto n) {
        const auto voxel = read<C>(voxels + x, n);
        const auto sum = simd::load(starts + x) + voxel;
        simd::store(starts + x, sum);
        simd::store(at - pitch + x, voxel);
        emit(block + k, x, sum + simd::load(at + x), n);
      });
      done(block + k);
    }
  }
}

// Gives emit(x, sum, n) the n sums of line[x .. x + window) for x below count. `line` is used up;
// it and `sums` have room for three vectors more than they need.
template <class C, class F>
void sum_line(C* line, C* sums, i64 count, i64 window, F emit) {
  using V = Vec<C>;
  const auto direct = [=](i64 x, auto n) {
    V sum = simd::load(line + x);
    for (i64 k = 1; k < n; ++k) sum += simd::load(line + x + k);
    return sum;
  };
  if (window < 16)
    return with_window(window, [=](auto constant) {
      const i64 size = constant ? i64(constant) : window;
      simd::each_vector<C>(count, [=](i64 x, auto n) { emit(x, direct(x, size), n); });
    });
  i64 joined = window % 8, length = count + window - 8;
  simd::each_vector<C>(
      count, [=](i64 x, auto) { simd::store(sums + x, joined ? direct(x, joined) : V(C(0))); });
  simd::each_vector<C>(length, [=](i64 x, auto) {
    simd::store(line + x, direct(x, std::integral_constant<i64, 8>{}));
  });
  for (i64 size = 8;; size *= 2) {
    if (joined + size == window) break;
    if (window & size) {
      simd::each_vector<C>(count, [=](i64 x, auto) {
        simd::store(sums + x, simd::load(sums + x) + simd::load(line + x + joined));
      });
      joined += size;
    }
    length -= size;
    simd::each_vector<C>(length, [=](i64 x, auto) {
      simd::store(line + x, simd::load(line + x) + simd::load(line + x + size));
    });
  }
  simd::each_vector<C>(count, [=](i64 x, auto n) {
    emit(x, simd::load(sums + x) + simd::load(line + x + joined), n);
  });
}

struct Window {
  i64 size, before;
  Edge edge;
};

template <class T, class C>
class Sweeps {
 public:
  Sweeps(On on, View<const T> in, View<T> out, Window z, Window y, Window x, f64 fill)
      : on_(on), in_(in), out_(out), z_(z), y_(y), x_(x), fill_(fill) {
    past_ = in.size.count() * i64(sizeof(T)) >= streamed_bytes;
  }

  void run() {
    const Size n = in_.size;
    if (z_.size == 1) return along_y_and_x(in_);
    if (y_.size == 1 && x_.size == 1) return along_z(out_);
    Scratch<T> room(n.count());
    along_z({room.data(), n, {n.y * n.x, n.x, 1}});
    along_y_and_x({room.data(), n, {n.y * n.x, n.x, 1}});
  }

 private:
  static constexpr i64 lanes = simd::lanes<C>;
  const On on_;
  const View<const T> in_;
  const View<T> out_;
  const Window z_, y_, x_;
  const f64 fill_;
  bool past_;

  // As many columns as keep a block's sums in cache; a whole number of cache lines.
  static i64 tile_of(i64 window, i64 columns, i64 least) {
    const i64 fit = cached_bytes / (window * i64(sizeof(C)));
    return std::min(columns, std::max({fit, narrowest, least}) / 64 * 64 + 64);
  }

  // An odd number of cache lines, so that rows spread over all sets of the cache.
  static i64 pitch_of(i64 width) {
    constexpr i64 line = 64 / sizeof(C);
    return ((width + line - 1) / line | 1) * line;
  }

  void along_z(View<T> to) const {
    const Size n = in_.size;
    const i64 tile = tile_of(z_.size, n.x, 0), tiles = (n.x + tile - 1) / tile;
    const bool past = past_;
    parallel_for(on_, n.y * tiles, [&](i64 i) {
      const i64 y = i / tiles, from = i % tiles * tile, width = std::min(tile, n.x - from);
      const i64 pitch = pitch_of(width);
      Scratch<C> ends((z_.size + 1) * pitch);
      std::vector<T> outside(static_cast<size_t>(width), T(fill_));
      std::vector<const T*> rows(
          static_cast<size_t>((n.z + z_.size - 1) / z_.size * z_.size + z_.size));
      for (i64 k = 0; k < i64(rows.size()); ++k) {
        const i64 z = inside(k - z_.before, n.z, z_.edge);
        rows[static_cast<size_t>(k)] = z < 0 ? outside.data() : in_.row(z, y) + from;
      }
      const Mean<T, C> mean(z_.size);
      const bool fit = past && reinterpret_cast<u64>(to.row(0, y) + from) % simd::bytes == 0 &&
                       to.step.z * i64(sizeof(T)) % simd::bytes == 0;
      T* target = to.row(0, y) + from;
      const i64 step = to.step.z;
      sum_rows<C>(
          rows.data(), n.z, z_.size, width, ends.data(), pitch,
          [=](i64 z, i64 x, Vec<C> sum, auto count) {
            put<T, C>(target + z * step + x, mean(sum), count, fit);
          },
          [](i64) {});
      if (past) simd::stream_fence();
    });
  }

  void along_y_and_x(View<const T> from) const {
    const Size n = in_.size;
    const i64 tile = tile_of(y_.size, n.x, 4 * x_.size), tiles = (n.x + tile - 1) / tile;
    const i64 strip = std::max<i64>(64, 8 * y_.size), strips = (n.y + strip - 1) / strip;
    parallel_for(on_, n.z * strips * tiles, [&](i64 i) {
      const i64 x = i % tiles * tile, y = i / tiles % strips * strip, z = i / tiles / strips;
      Tile(*this, from, z, y, std::min(n.y, y + strip), x, std::min(n.x, x + tile)).run();
    });
  }

  // Rows [y, y_end) and columns [x, x_end) of a plane.
  class Tile {
   public:
    Tile(const Sweeps& all, View<const T> from, i64 z, i64 y, i64 y_end, i64 x, i64 x_end)
        : s(all), from_(from), z_(z), y_(y), y_end_(y_end), x_(x), x_end_(x_end) {
      const i64 n = s.in_.size.x;
      low_ = x - s.x_.before;
      high_ = x_end + s.x_.size - 1 - s.x_.before;
      // The columns that are read: those of the windows, and what stands in for those outside.
      first_ = std::clamp<i64>(low_, 0, n - 1);
      last_ = std::clamp<i64>(high_, first_ + 1, n);
      for (i64 at = low_; at < high_; ++at) {
        const i64 other = inside(at, n, s.x_.edge);
        if (other >= 0) first_ = std::min(first_, other), last_ = std::max(last_, other + 1);
        if (at >= 0 && at < n) at = std::min(high_, n) - 1;
      }
      pitch_ = pitch_of(last_ - first_);
      const i64 left = std::min(low_, first_), right = std::max(high_, last_);
      const i64 line = (right - left + 5 * lanes) / lanes * lanes;
      room_ = Scratch<C>((s.y_.size + 1) * pitch_ + 2 * line);
      std::fill(room_.begin(), room_.end(), C(0));
      C* column = room_.data() + (s.y_.size + 1) * pitch_ - left;
      row_ = column + first_;
      line_ = column + low_;
      sums_ = room_.end() - line;
    }

    void run() {
      const i64 count = y_end_ - y_, width = last_ - first_;
      std::vector<T> outside(static_cast<size_t>(width), T(s.fill_));
      std::vector<const T*> rows(
          static_cast<size_t>((count + s.y_.size - 1) / s.y_.size * s.y_.size) +
          static_cast<size_t>(s.y_.size));
      for (i64 k = 0; k < i64(rows.size()); ++k) {
        const i64 y = inside(y_ + k - s.y_.before, s.in_.size.y, s.y_.edge);
        rows[static_cast<size_t>(k)] = y < 0 ? outside.data() : from_.row(z_, y) + first_;
      }
      const Mean<T, C> mean(s.y_.size);
      C* row = row_;
      const bool single = s.y_.size == 1;
      sum_rows<C>(
          rows.data(), count, s.y_.size, width, room_.data(), pitch_,
          [=](i64, i64 x, Vec<C> sum, auto) { simd::store(row + x, single ? sum : mean(sum)); },
          [&](i64 i) { finish(y_ + i); });
      if (s.past_) simd::stream_fence();
    }

   private:
    const Sweeps& s;
    const View<const T> from_;
    const i64 z_, y_, y_end_, x_, x_end_;
    i64 low_, high_, first_, last_, pitch_;
    Scratch<C> room_;
    C *row_, *line_, *sums_;  // the row lies within the line, where its columns belong

    void finish(i64 y) {
      T* out = s.out_.row(z_, y) + x_;
      const bool past = s.past_ && reinterpret_cast<u64>(out) % simd::bytes == 0;
      const i64 count = x_end_ - x_, n = s.in_.size.x;
      if (s.x_.size == 1) {
        simd::each_vector<C>(count, [=, row = row_](i64 x, auto n) {
          put<T, C>(out + x, simd::load(row + x), n, past);
        });
        return;
      }
      const i64 from = std::clamp<i64>(0, low_, high_), to = std::clamp<i64>(n, from, high_);
      const auto border = [&](i64 begin, i64 end) {
        for (i64 at = begin; at < end; ++at) {
          const i64 other = inside(at, n, s.x_.edge);
          line_[at - low_] = other < 0 ? C(s.fill_) : row_[other - first_];
        }
      };
      border(low_, from);
      border(to, high_);
      const Mean<T, C> mean(s.x_.size);
      sum_line(line_, sums_, count, s.x_.size,
               [=](i64 x, Vec<C> sum, auto n) { put<T, C>(out + x, mean(sum), n, past); });
    }
  };
};

// Sums have to be exact in float32 for integers, and near enough for floats.
template <class T>
constexpr i64 longest_in_f32 = std::is_same_v<T, u8>    ? 1 << 14
                               : std::is_same_v<T, f32> ? 128
                                                        : 64;

}  // namespace box

template <class T>
void uniform(On on, View<const T> in, View<T> out, Size size, Size before, Edge ez, Edge ey,
             Edge ex, f64 fill) {
  if (in.size.count() == 0) return;
  const box::Window z{size.z, before.z, ez}, y{size.y, before.y, ey}, x{size.x, before.x, ex};
  const i64 longest = std::max({size.z, size.y, size.x});
  if constexpr (std::is_same_v<T, u8>)
    if (longest <= box::longest_in_u16)
      return box::Sweeps<T, u16>(on, in, out, z, y, x, fill).run();
  if constexpr (sizeof(T) <= 2 || std::is_same_v<T, f32>)
    if (longest <= box::longest_in_f32<T>)
      return box::Sweeps<T, f32>(on, in, out, z, y, x, fill).run();
  box::Sweeps<T, f64>(on, in, out, z, y, x, fill).run();
}

}  // namespace voxkern::cpu
