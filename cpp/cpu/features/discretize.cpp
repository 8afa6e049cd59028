#include <voxkern/features/discretize.hpp>

#include <cpu/parallel.hpp>
#include <voxkern/simd.hpp>

#include <algorithm>
#include <cstring>
#include <mutex>

namespace voxkern::cpu {

namespace {

// The part of a row of a mask that is not zero.
void trim(const u8* mask, i64& from, i64& to) {
  u64 eight;
  while (from + 8 <= to && (std::memcpy(&eight, mask + from, 8), eight == 0)) from += 8;
  while (from < to && !mask[from]) ++from;
  while (to - 8 >= from && (std::memcpy(&eight, mask + to - 8, 8), eight == 0)) to -= 8;
  while (to > from && !mask[to - 1]) --to;
}

struct Found {
  f64 low = HUGE_VAL, high = -HUGE_VAL;
  i64 odd = 0, count = 0;
  Size first, end = {0, 0, 0};

  explicit Found(Size size) : first(size) {}

  template <class T>
  void take(const T* v, const u8* mask, i64 z, i64 y, i64 from, i64 to) {
    using V = Vec<T>;
    using Whole = typename V::Mask::Lane;
    constexpr i64 lanes = V::lanes;
    const V first = v[from];  // which counts: `from` is the first that does
    V least = first, most = first;
    typename V::Mask strange(Whole(0));
    const auto look = [&](i64 i, int n) {
      V value = simd::load(v + i, n);
      if (mask)
        value = select(simd::load_as<Whole, V::lanes>(mask + i, n) != Whole(0), value, first);
      least = min(value, least);
      most = max(value, most);
      if constexpr (std::is_floating_point_v<T>) strange |= ~(value - value == V(T(0)));
    };
    i64 i = from;
    for (; i + lanes <= to; i += lanes) look(i, V::lanes);
    if (i < to && to - from >= lanes) look(to - lanes, V::lanes);  // some of them again
    low = std::min(low, f64(simd::reduce_min(least)));
    high = std::max(high, f64(simd::reduce_max(most)));
    for (; i < to && to - from < lanes; ++i) look_at(v[mask && !mask[i] ? from : i]);
    odd |= simd::any(strange);
    count +=
        mask ? std::count_if(mask + from, mask + to, [](u8 in) { return in != 0; }) : to - from;
    box({z, y, from}, {z + 1, y + 1, to});
  }

  template <class T>
  void look_at(T value) {
    low = std::min(low, f64(value));
    high = std::max(high, f64(value));
    if constexpr (std::is_floating_point_v<T>) odd |= !(value - value == 0);
  }

  void box(Size a, Size b) {
    first = {std::min(first.z, a.z), std::min(first.y, a.y), std::min(first.x, a.x)};
    end = {std::max(end.z, b.z), std::max(end.y, b.y), std::max(end.x, b.x)};
  }

  void add(const Found& other) {
    low = std::min(low, other.low);
    high = std::max(high, other.high);
    odd |= other.odd;
    count += other.count;
    if (other.count) box(other.first, other.end);
  }
};

}  // namespace

template <class T>
void region(On on, View<const T> x, View<const u8> mask, List<f64> out) {
  const Size size = x.size;
  Found all(size);
  std::mutex adding;
  parallel_slabs(on, size.z * size.y, 64, [&](i64 begin, i64 end) {
    Found own(size);
    for (i64 row = begin; row < end; ++row) {
      const i64 z = row / size.y, y = row % size.y;
      const u8* inside = row_of(mask, z, y);
      i64 from = 0, to = size.x;
      if (inside) trim(inside, from, to);
      if (from < to) own.take(x.row(z, y), inside, z, y, from, to);
    }
    std::lock_guard hold(adding);
    all.add(own);
  });
  const bool none = all.count == 0;
  out[0] = all.odd ? 0 : all.low;
  out[1] = all.odd ? 0 : all.high;
  out[2] = f64(all.odd);
  out[3] = f64(all.count);
  out[4] = none ? 0 : f64(all.first.z);
  out[5] = none ? 0 : f64(all.first.y);
  out[6] = none ? 0 : f64(all.first.x);
  out[7] = f64(all.end.z);
  out[8] = f64(all.end.y);
  out[9] = f64(all.end.x);
}

// The levels of a row, zero where the mask is: `level_of` of some voxels at once.
template <class T>
void levels_of(const T* from, const u8* inside, u16* to, i64 n, f64 low, f64 times, f64 over,
               f64 most) {
  constexpr int lanes = simd::lanes<f64>;
  const auto write = [&](i64 i, int some) {
    const auto v = simd::load_as<f64>(from + i, some);
    const auto at = min((v - low) * times / over, most - 1.0);
    auto level = simd::convert<i32>(select(v >= Vec<f64>(low), at, -1.0)) + i32(1);
    if (inside) level &= simd::load_as<i32, lanes>(inside + i, some) != i32(0);
    simd::store_as(to + i, level, some);
  };
  i64 i = 0;
  for (; i + lanes <= n; i += lanes) write(i, lanes);
  if (i < n) write(i, int(n - i));
}

template <class T>
void discretize(On on, View<const T> x, View<const u8> mask, View<u16> levels, f64 low, f64 times,
                f64 over, f64 most) {
  const Size size = x.size;
  parallel_slabs(on, size.z * size.y, 16, [&](i64 begin, i64 end) {
    for (i64 row = begin; row < end; ++row) {
      const i64 z = row / size.y, y = row % size.y;
      u16* to = levels.row(z, y);
      const u8* inside = row_of(mask, z, y);
      i64 first = 0, end = size.x;
      if (inside) trim(inside, first, end);
      std::fill(to, to + first, u16(0));
      std::fill(to + end, to + size.x, u16(0));
      levels_of(x.row(z, y) + first, inside ? inside + first : nullptr, to + first, end - first,
                low, times, over, most);
    }
  });
}

#define VOXKERN_INSTANCE(T)                                           \
  template void region(On, View<const T>, View<const u8>, List<f64>); \
  template void discretize(On, View<const T>, View<const u8>, View<u16>, f64, f64, f64, f64);
VOXKERN_INSTANCE(u8)
VOXKERN_INSTANCE(i16)
VOXKERN_INSTANCE(u16)
VOXKERN_INSTANCE(i32)
VOXKERN_INSTANCE(f32)
VOXKERN_INSTANCE(f64)

}  // namespace voxkern::cpu
