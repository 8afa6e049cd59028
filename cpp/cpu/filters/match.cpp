// Sorted values are matched once each, walking along both lists; a voxel then looks for its own
// value from a table of even cells on.
#include <voxkern/filters/match.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>
#include <voxkern/bits.hpp>
#include <voxkern/sums.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace voxkern::cpu {
namespace {

// Walks along the runs of equal values of a sorted list, by shares that rise.
template <class T>
class Walk {
 public:
  explicit Walk(List<const T> list, f64 share)
      : list_(list), end_(list.data + list.size), n_(f64(list.size)) {
    const i64 middle = least(i64(share * n_), list.size - 1);
    below_ = std::lower_bound(list_.data, end_, list_[middle]) - list_.data;
    above_ = next(below_);
  }
  T at(f64 share) {
    while (below_ < list_.size && f64(above_) / n_ <= share) {
      below_ = above_;
      if (below_ < list_.size) above_ = next(below_);
    }
    if (below_ == 0) return list_[0];
    if (below_ == list_.size) return list_[list_.size - 1];
    const f64 a = f64(list_[below_ - 1]), b = f64(list_[below_]);
    const f64 from = f64(below_) / n_;
    return T((b - a) / (f64(above_) / n_ - from) * (share - from) + a);
  }

 private:
  // Behind the last value that equals that at i: runs are short as a rule.
  i64 next(i64 i) const {
    i64 step = 1, low = i;
    while (low + step < list_.size && list_[low + step] == list_[i]) {
      low += step;
      step *= 2;
    }
    const i64 high = least(low + step, list_.size);
    return std::upper_bound(list_.data + low, list_.data + high, list_[i]) - list_.data;
  }

  List<const T> list_;
  const T* end_;
  f64 n_;
  i64 below_, above_;
};

// y = what the last value of the sorted list that is not above x is matched with. A table of even
// cells says between which places it is; within a cell places rise about evenly, so that a few
// around the likeliest are compared at once, and all of the cell only where these do not hold it.
template <class Place, class T>
void look_up(On on, View<const T> x, View<T> y, List<const T> list, const T* matched) {
  const i64 n = list.size;
  const i64 cells = least(most(n / 4, i64(1)), i64(1) << 22);
  const f64 low = f64(list[0]), width = f64(list[n - 1]) - low;
  const f64 scale = width > 0 && std::isfinite(f64(cells) / width) ? f64(cells) / width : 0.0;
  const auto part_of = [&](T v) { return (f64(v) - low) * scale; };
  const auto cell_of = [&](T v) { return least(i64(part_of(v)), cells - 1); };
  Scratch<Place> starts(cells + 1);
  parallel_slabs(on, n, 1 << 16, [&](i64 begin, i64 end) {
    i64 before = begin ? cell_of(list[begin - 1]) : -1;
    for (i64 i = begin; i < end; ++i) {
      const i64 here = cell_of(list[i]);
      for (i64 c = before + 1; c <= here; ++c) starts[c] = Place(i);
      before = here;
    }
  });
  for (i64 c = cell_of(list[n - 1]) + 1; c <= cells; ++c) starts[c] = Place(n);

  constexpr i64 window = 16, lanes = simd::lanes<T>;
  // How many of the values from a place on are not above v.
  const auto count = [&](i64 place, T v) {
    i64 found = 0;
    for (i64 k = 0; k < window; k += lanes)
      found += bits::count(simd::bits(simd::load(list.data + place + k) <= Vec<T>(v)));
    return found;
  };
  const Blocks blocks(x.size);
  parallel_for(on, blocks.count(), [&](i64 i) {
    const Block b = blocks[i];
    for (i64 line = b.begin; line < b.end; ++line) {
      const T* from = x.row(line / x.size.y, line % x.size.y);
      T* to = y.row(line / x.size.y, line % x.size.y);
      // In stages over some voxels, so that their waits for memory fall together.
      constexpr i64 some = 32;
      for (i64 k = b.from; k < b.to; k += some) {
        i64 at[some];
        const i64 m = least(some, b.to - k);
        for (i64 j = 0; j < m; ++j) __builtin_prefetch(&starts[cell_of(from[k + j])]);
        for (i64 j = 0; j < m; ++j) {
          const f64 part = part_of(from[k + j]);
          const i64 cell = least(i64(part), cells - 1);
          const i64 first = i64(starts[cell]), inside = i64(starts[cell + 1]) - first;
          const i64 likely = first + i64((part - f64(cell)) * f64(inside));
          at[j] = most(least(likely - window / 2, n - window), i64(0));
          __builtin_prefetch(list.data + at[j]);
          __builtin_prefetch(list.data + at[j] + window - 1);
        }
        for (i64 j = 0; j < m; ++j) {
          const T v = from[k + j];
          const i64 found = n < window ? 0 : count(at[j], v);
          if (found == 0 || found == window) {
            const i64 cell = cell_of(v);
            at[j] = std::upper_bound(list.data + i64(starts[cell]),
                                     list.data + i64(starts[cell + 1]), v) -
                    list.data;
          } else {
            at[j] += found;
          }
          at[j] = most(at[j] - 1, i64(0));
          __builtin_prefetch(matched + at[j]);
        }
        for (i64 j = 0; j < m; ++j) to[k + j] = matched[at[j]];
      }
    }
  });
}

}  // namespace

template <class T>
void match_sorted(On on, View<const T> x, View<T> y, List<const T> source, List<const T> target) {
  const i64 n = source.size;
  if (!n) return;
  Scratch<T> matched(n);
  constexpr i64 piece = 1 << 16;
  parallel_for(on, (n + piece - 1) / piece, [&](i64 p) {
    const i64 begin = p * piece, end = least(begin + piece, n);
    Walk<T> walk(target, f64(begin + 1) / f64(n));
    for (i64 i = begin; i < end; ++i)
      if (i + 1 == n || source[i + 1] != source[i]) matched[i] = walk.at(f64(i + 1) / f64(n));
  });

  if (n < i64(1) << 32)
    look_up<u32>(on, x, y, source, matched.data());
  else
    look_up<i64>(on, x, y, source, matched.data());
}

template void match_sorted(On, View<const f32>, View<f32>, List<const f32>, List<const f32>);
template void match_sorted(On, View<const f64>, View<f64>, List<const f64>, List<const f64>);

}  // namespace voxkern::cpu
