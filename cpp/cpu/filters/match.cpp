// Both images are sorted by the bits of their values. A walk along both lists then finds what each
// value becomes, and writes it where the voxel lies.
#include <voxkern/filters/match.hpp>

#include <cpu/filters/keys.hpp>
#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>
#include <voxkern/sums.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace voxkern::cpu {
namespace {

template <class K>
struct Plain {
  K key;
};
// A value and where it belongs, counted from the first voxel of the answer.
template <class K, class Place>
struct Placed {
  K key;
  Place place;
};

// Sorts by the keys, a digit at a time from the lowest on. Equal digits keep their order, so the
// answer does not depend on the pieces that the list is read in.
template <class Item>
void sort(On on, Scratch<Item>& items) {
  using K = decltype(Item::key);
  constexpr int digit = 11;
  constexpr i64 values = 1 << digit;
  const i64 n = items.size(), pieces = least(i64(on.threads), n / 65536 + 1);
  Scratch<Item> other(n);
  std::vector<i64> places(pieces * values);
  for (int shift = 0; shift < int(8 * sizeof(K)); shift += digit) {
    const auto each = [&](auto use) {
      parallel_for(on, pieces, [&](i64 p) {
        i64* own = places.data() + p * values;
        for (i64 i = p * n / pieces; i < (p + 1) * n / pieces; ++i)
          use(items[i], own[items[i].key >> shift & (values - 1)]);
      });
    };
    std::fill(places.begin(), places.end(), 0);
    each([](const Item&, i64& count) { ++count; });
    i64 at = 0, largest = 0;
    for (i64 v = 0; v < values; ++v) {
      const i64 from = at;
      for (i64 p = 0; p < pieces; ++p) at += std::exchange(places[p * values + v], at);
      largest = most(largest, at - from);
    }
    if (largest == n) continue;
    each([&](const Item& item, i64& place) { other[place++] = item; });
    std::swap(items, other);
  }
}

// Behind the last key of a sorted list that equals that at i: runs are short as a rule.
template <class Item>
i64 run_end(const Scratch<Item>& list, i64 i) {
  i64 step = 1, low = i;
  while (low + step < list.size() && list[low + step].key == list[i].key) {
    low += step;
    step *= 2;
  }
  return std::partition_point(list.data() + low, list.data() + least(low + step, list.size()),
                              [&](const Item& item) { return item.key == list[i].key; }) -
         list.data();
}

// Walks along the runs of equal values of a sorted list, by shares that rise.
template <class T>
class Walk {
 public:
  using List = Scratch<Plain<Digits<T>>>;
  explicit Walk(const List& list, f64 share) : list_(list), n_(f64(list.size())) {
    const Digits<T> middle = list[least(i64(share * n_), list.size() - 1)].key;
    below_ = std::partition_point(list.begin(), list.end(),
                                  [&](const auto& item) { return item.key < middle; }) -
             list.begin();
    above_ = run_end(list_, below_);
  }
  T at(f64 share) {
    while (below_ < list_.size() && f64(above_) / n_ <= share) {
      below_ = above_;
      if (below_ < list_.size()) above_ = run_end(list_, below_);
    }
    if (below_ == 0) return value(0);
    if (below_ == list_.size()) return value(below_ - 1);
    const f64 a = f64(value(below_ - 1)), b = f64(value(below_));
    const f64 from = f64(below_) / n_;
    return T((b - a) / (f64(above_) / n_ - from) * (share - from) + a);
  }

 private:
  T value(i64 i) const { return value_of<T>(list_[i].key); }

  const List& list_;
  f64 n_;
  i64 below_, above_;
};

// Runs make(i, z, y) for each row, i the number of voxels before it.
template <class Make>
void each_row(On on, Size size, Make make) {
  parallel_slabs(on, size.z * size.y, 16, [&](i64 begin, i64 end) {
    for (i64 row = begin; row < end; ++row) make(row * size.x, row / size.y, row % size.y);
  });
}

template <class Place, class T>
void match_placed(On on, View<const T> x, View<T> y, View<const T> reference) {
  const i64 n = x.size.count();
  Scratch<Placed<Digits<T>, Place>> source(n);
  each_row(on, x.size, [&](i64 at, i64 z, i64 j) {
    const T* row = x.row(z, j);
    const i64 place = y.row(z, j) - y.data;
    for (i64 i = 0; i < x.size.x; ++i) source[at + i] = {digits_of(row[i]), Place(place + i)};
  });
  sort(on, source);
  Scratch<Plain<Digits<T>>> target(reference.size.count());
  each_row(on, reference.size, [&](i64 at, i64 z, i64 j) {
    const T* row = reference.row(z, j);
    for (i64 i = 0; i < reference.size.x; ++i) target[at + i] = {digits_of(row[i])};
  });
  sort(on, target);

  constexpr i64 piece = 1 << 16;
  parallel_for(on, (n + piece - 1) / piece, [&](i64 p) {
    const i64 end = least((p + 1) * piece, n);
    i64 i = p * piece;
    Walk<T> walk(target, f64(i + 1) / f64(n));
    while (i < end) {
      const i64 next = run_end(source, i);
      const T v = walk.at(f64(next) / f64(n));
      for (; i < least(next, end); ++i) y.data[source[i].place] = v;
    }
  });
}

}  // namespace

template <class T>
void match(On on, View<const T> x, View<T> y, View<const T> reference) {
  if (!x.size.count()) return;
  const Size joint = joined(y);
  if (joint.x == y.size.count() && joint.x < i64(1) << 32)
    match_placed<u32>(on, x, y, reference);
  else
    match_placed<i64>(on, x, y, reference);
}

template void match(On, View<const f32>, View<f32>, View<const f32>);
template void match(On, View<const f64>, View<f64>, View<const f64>);

}  // namespace voxkern::cpu
