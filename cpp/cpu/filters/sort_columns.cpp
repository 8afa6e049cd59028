// A task owns some columns of a plane, a few lines of the cache wide. It copies them out, so that
// each is a list; a list is sorted by the bytes of its keys, the lowest first.
#include <voxkern/filters/sort_columns.hpp>

#include <cpu/filters/keys.hpp>
#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <utility>

namespace voxkern::cpu {

namespace {

constexpr i64 wide = 32;  // columns of a task

// A value, and the row it is from.
template <class T>
struct Item {
  Digits<T> key;
  i32 row;
};

// Runs task(plane, first column, columns) for all columns.
template <class F>
void for_columns(On on, Size size, F task) {
  const i64 blocks = (size.x + wide - 1) / wide;
  parallel_for(on, size.z * blocks, [&](i64 i) {
    const i64 from = i % blocks * wide;
    task(i / blocks, from, std::min(wide, size.x - from));
  });
}

}  // namespace

template <class T>
void sort_columns(On on, View<const T> x, View<T> y, View<i32> order) {
  const i64 n = x.size.y;
  if (n == 0) return;
  for_columns(on, x.size, [&](i64 z, i64 from, i64 columns) {
    const Scratch<Item<T>> items((columns + 1) * n);
    Item<T>* lists[wide + 1];  // and a spare one
    for (i64 i = 0; i <= columns; ++i) lists[i] = items.data() + i * n;
    for (i64 j = 0; j < n; ++j) {
      const T* row = x.row(z, j) + from;
      for (i64 i = 0; i < columns; ++i) lists[i][j] = {digits_of(row[i]), i32(j)};
    }
    for (i64 i = 0; i < columns; ++i)
      if (sorted<8>(lists[i], lists[columns], n) != lists[i]) std::swap(lists[i], lists[columns]);
    for (i64 j = 0; j < n; ++j) {
      T* values = y.row(z, j) + from;
      i32* rows = order.row(z, j) + from;
      for (i64 i = 0; i < columns; ++i) {
        values[i] = value_of<T>(lists[i][j].key);
        rows[i] = lists[i][j].row;
      }
    }
  });
}

template <class T>
void put_columns(On on, View<const T> x, View<const i32> order, View<T> y) {
  const i64 n = x.size.y;
  for_columns(on, x.size, [&](i64 z, i64 from, i64 columns) {
    const Scratch<T> lists(columns * n);
    for (i64 j = 0; j < n; ++j) {
      const T* values = x.row(z, j) + from;
      const i32* rows = order.row(z, j) + from;
      for (i64 i = 0; i < columns; ++i) lists[rows[i] * columns + i] = values[i];
    }
    for (i64 j = 0; j < n; ++j)
      std::copy_n(lists.data() + j * columns, columns, y.row(z, j) + from);
  });
}

template void sort_columns(On, View<const f32>, View<f32>, View<i32>);
template void sort_columns(On, View<const f64>, View<f64>, View<i32>);
template void put_columns(On, View<const f32>, View<const i32>, View<f32>);
template void put_columns(On, View<const f64>, View<const i32>, View<f64>);

}  // namespace voxkern::cpu
