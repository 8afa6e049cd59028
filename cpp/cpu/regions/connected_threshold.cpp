#include <voxkern/regions/connected_threshold.hpp>

#include <cpu/regions/runs.hpp>

namespace voxkern::cpu {
namespace {

template <class T>
void threshold_row(View<const T> x, i64 row, T lower, T upper, u64* inside, i64 words) {
  const T* from = x.row(row / x.size.y, row % x.size.y);
  for (i64 w = 0; w < words; ++w)
    inside[w] = bits::between(from + w * bits::width, bits::voxels_in(w, x.size.x), lower, upper);
}

// Adds to the bits of `seeds` all that `mask` joins to them along the row.
inline void fill_row(u64* seeds, const u64* mask, i64 words) {
  bool carry = false;
  for (i64 w = 0; w < words; ++w) seeds[w] = bits::fill_upwards(seeds[w], mask[w], carry);
  carry = false;
  for (i64 w = words - 1; w >= 0; --w) {
    seeds[w] = bits::fill_downwards(seeds[w], mask[w], carry);
  }
}

// A flood over rows of bits, which looks at no more of the image than the rows it comes to.
// Rows that have something to do are visited in sweeps, forwards and backwards.
template <class T>
class Flood {
 public:
  Flood(View<const T> x, T lower, T upper, Near near)
      : x_(x),
        lower_(lower),
        upper_(upper),
        near_(near),
        words_(bits::words(x.size.x)),
        rows_(x.size.z * x.size.y),
        inside_(rows_ * words_),
        reached_(rows_ * words_),
        pending_(rows_ * words_),
        seen_(rows_),
        queued_(bits::words(rows_)),
        new_(words_ + 2) {
    std::fill(seen_.begin(), seen_.end(), 0);
    std::fill(queued_.begin(), queued_.end(), 0);
    new_[0] = new_[words_ + 1] = 0;
  }

  void seed(i64 z, i64 y, i64 x) {
    const i64 row = z * x_.size.y + y;
    see(row);
    pending_[row * words_ + x / bits::width] |= u64(1) << (x % bits::width);
    queue(row);
  }

  // Whether all was reached before more than `most` rows had been looked at.
  bool grow(i64 most) {
    for (bool upwards = true; low_ <= high_; upwards = !upwards) {
      const i64 from = low_ / bits::width, to = high_ / bits::width;
      low_ = rows_;
      high_ = -1;
      most -= (to - from) / 64;
      for (i64 n = 0; n <= to - from; ++n) {
        const i64 w = upwards ? from + n : to - n;
        while (queued_[w]) {
          if (--most < 0) return false;
          const int bit = upwards ? bits::lowest(queued_[w]) : bits::highest(queued_[w]);
          queued_[w] &= ~(u64(1) << bit);
          visit(w * bits::width + bit);
        }
      }
    }
    return true;
  }

  // The thresholded row where it has been looked at, else null.
  const u64* seen(i64 row) const { return seen_[row] ? &inside_[row * words_] : nullptr; }

  void write(On on, View<u8> y) const {
    parallel_slabs(on, rows_, std::max<i64>(1, 65536 / x_.size.x), [&](i64 begin, i64 end) {
      for (i64 row = begin; row < end; ++row) {
        u8* out = y.row(row / y.size.y, row % y.size.y);
        if (!seen_[row])
          std::memset(out, 0, y.size.x);
        else
          for (i64 w = 0; w < words_; ++w)
            bits::spread(out + w * bits::width, reached_[row * words_ + w],
                         bits::voxels_in(w, y.size.x));
      }
    });
  }

 private:
  View<const T> x_;
  T lower_, upper_;
  Near near_;
  i64 words_, rows_;
  Scratch<u64> inside_, reached_, pending_;
  Scratch<u8> seen_;
  Scratch<u64> queued_, new_;
  i64 low_ = rows_, high_ = -1;  // no row outside these is queued, but for those of this sweep

  void see(i64 row) {
    if (seen_[row]) return;
    seen_[row] = 1;
    threshold_row(x_, row, lower_, upper_, &inside_[row * words_], words_);
    std::fill_n(&reached_[row * words_], words_, 0);
    std::fill_n(&pending_[row * words_], words_, 0);
  }
  void queue(i64 row) {
    queued_[row / bits::width] |= u64(1) << (row % bits::width);
    low_ = std::min(low_, row);
    high_ = std::max(high_, row);
  }
  void visit(i64 row) {
    u64 *inside = &inside_[row * words_], *reached = &reached_[row * words_];
    u64 *pending = &pending_[row * words_], *found = new_.data() + 1;
    u64 any = 0;
    for (i64 w = 0; w < words_; ++w) {
      any |= found[w] = pending[w] & inside[w] & ~reached[w];
      pending[w] = 0;
    }
    if (!any) return;
    fill_row(found, inside, words_);
    for (i64 w = 0; w < words_; ++w) {
      found[w] &= ~reached[w];
      reached[w] |= found[w];
    }
    const i64 z = row / x_.size.y, y = row % x_.size.y;
    for (int dz = -1; dz <= 1; ++dz)
      for (int dy = -1; dy <= 1; ++dy) {
        const int left = near_.connectivity - dz * dz - dy * dy;
        if (left < 0 || (dz == 0 && dy == 0) || z + dz < 0 || z + dz >= x_.size.z || y + dy < 0 ||
            y + dy >= x_.size.y)
          continue;
        offer(row + dz * x_.size.y + dy, found, left > 0);
      }
  }
  void offer(i64 row, const u64* found, bool slanted) {
    see(row);
    const u64 *inside = &inside_[row * words_], *reached = &reached_[row * words_];
    u64 *pending = &pending_[row * words_], any = 0;
    for (i64 w = 0; w < words_; ++w) {
      u64 from = found[w];
      if (slanted) from |= from << 1 | from >> 1 | found[w - 1] >> 63 | found[w + 1] << 63;
      const u64 add = from & inside[w] & ~reached[w];
      pending[w] |= add;
      any |= add;
    }
    if (any) queue(row);
  }
};

}  // namespace

template <class T>
void connected_threshold(On on, View<const T> x, View<u8> y, List<const i64> seeds, T lower,
                         T upper, i64 connectivity) {
  const Near near{int(connectivity)};
  Flood<T> flood(x, lower, upper, near);
  for (i64 i = 0; i + 2 < seeds.size; i += 3) flood.seed(seeds[i], seeds[i + 1], seeds[i + 2]);
  // A region of more rows is found sooner as one of all regions, on all threads.
  if (flood.grow(x.size.z * x.size.y / 4 + 256)) return flood.write(on, y);
  Runs runs(on, x.size, near);
  runs.scan(on, [&](i64, i64 row, u64* inside, u64* starts) {
    if (const u64* known = flood.seen(row))
      std::copy_n(known, runs.words, inside);
    else
      threshold_row(x, row, lower, upper, inside, runs.words);
    find_starts(inside, starts, runs.words);
  });
  with_run_type(runs, [&](auto run) {
    const auto parent = join_mask<decltype(run)>(on, runs, near);
    Scratch<u8> kept(runs.count());
    std::fill(kept.begin(), kept.end(), 0);
    for (i64 i = 0; i + 2 < seeds.size; i += 3) {
      const i64 row = seeds[i] * x.size.y + seeds[i + 1], word = seeds[i + 2] / bits::width;
      const u64* starts = &runs.starts[row * runs.words];
      const int bit = int(seeds[i + 2] % bits::width);
      if (!(runs.inside[row * runs.words + word] >> bit & 1)) continue;
      i64 at = runs.base[row] - 1;
      for (i64 w = 0; w < word; ++w) at += bits::count(starts[w]);
      at += bits::count(starts[word] & bits::first(bit + 1));
      kept[find_root(parent.data(), decltype(run)(at))] = 1;
    }
    write_kept(on, runs, parent.data(), kept.data(), false, y);
  });
}

template void connected_threshold(On, View<const u8>, View<u8>, List<const i64>, u8, u8, i64);
template void connected_threshold(On, View<const i16>, View<u8>, List<const i64>, i16, i16, i64);
template void connected_threshold(On, View<const u16>, View<u8>, List<const i64>, u16, u16, i64);
template void connected_threshold(On, View<const i32>, View<u8>, List<const i64>, i32, i32, i64);
template void connected_threshold(On, View<const f32>, View<u8>, List<const i64>, f32, f32, i64);
template void connected_threshold(On, View<const f64>, View<u8>, List<const i64>, f64, f64, i64);

}  // namespace voxkern::cpu
