// An image read at a block of points: coordinates in, values out. Coordinates are f64 throughout,
// so that rounding never moves a point.
#pragma once
#include <voxkern/sample.hpp>
#include <voxkern/simd.hpp>

#include <algorithm>

namespace voxkern::cpu {

struct Span {
  f64 low, high;
  bool has(f64 c) const { return low <= c && c <= high; }
};

// A block of points: their coordinates along z, y and x. The lists go on with any of these points
// until they hold a whole number of groups.
constexpr i64 block = 256;
struct Points {
  const f64* list[3];
};

// The voxels that a point reads along one axis, -1 for the fill value, and their weights.
struct Taps {
  i64 at[6];
  f64 w[6];
  bool hole;  // some are the fill value
};
// False: the point itself is the fill value.
bool find_taps(f64 c, i64 n, int order, Outside outside, Taps& taps);

// Reads an image of T into values of V: T itself at order 0, else Real<T>.
template <class T, class V>
class Reader {
 public:
  Reader(View<const T> image, i64 order, Outside outside, f64 fill);

  // The coordinates beyond which the fill value stands, and those between which a point reads
  // voxels of the image only.
  Span known(int axis) const { return known_[axis]; }
  Span interior(int axis) const { return interior_[axis]; }

  // Reads n points of a block. `inside`: all are interior.
  void read(const Points& at, i64 n, bool inside, V* out) const;

 private:
  template <int order>
  void read_any(const Points& at, i64 n, bool inside, V* out) const;
  template <int order>
  void read_groups(const Points& at, i64 n, V* out) const;
  int outer_lanes(const Points& at, i64 i) const;
  int move_in(int lanes, f64 (&c)[3][block], i64 i) const;
  template <int order>
  V one(f64 z, f64 y, f64 x) const;
  template <int order>
  V one_row(const Taps& tz, const Taps& ty, const Taps& tx) const;

  View<const T> image_;
  int order_;
  Outside outside_;
  V fill_;
  bool clamped_;  // interior points may lie beyond the outermost voxels, and read those
  Span known_[3], interior_[3];
  bool folds_;   // points outside are images of interior ones
  f64 safe_[3];  // a point that is interior, where there is one
  // For groups: the largest first voxel of a pair, the last voxel and the step to the next.
  f64 last_[3], high_[3], step_[3];
  i64 dz_, dy_;  // 0 where there is no next voxel
};

// Values as an image of U keeps them: see keep().
template <class U, class V>
void keep_row(const V* from, U* to, i64 n) {
  constexpr int L = simd::lanes<V>;
  for (i64 i = 0; i < n; i += L) {
    const int some = int(std::min<i64>(L, n - i));
    Vec<V> v = simd::load(from + i, some);
    const Vec<V> size = simd::abs(v), whole = simd::floor(size);
    const Vec<V> rounded = whole + simd::select(size - whole >= V(0.5), Vec<V>(V(1)), V(0));
    simd::store_as(to + i, simd::select(v < V(0), -rounded, rounded), some);
  }
}

// Points of one block, read into an image of U.
template <class U, class T, class V>
void read_block(const Reader<T, V>& reader, const Points& at, i64 n, bool inside, U* out) {
  if constexpr (std::is_same_v<U, V>) {
    reader.read(at, n, inside, out);
  } else {
    V values[block];
    reader.read(at, n, inside, values);
    keep_row(values, out, n);
  }
}

extern template class Reader<u8, u8>;
extern template class Reader<i16, i16>;
extern template class Reader<u16, u16>;
extern template class Reader<i32, i32>;
extern template class Reader<u8, f32>;
extern template class Reader<i16, f32>;
extern template class Reader<u16, f32>;
extern template class Reader<i32, f64>;
extern template class Reader<f32, f32>;
extern template class Reader<f64, f64>;

}  // namespace voxkern::cpu
