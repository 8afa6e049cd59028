#include <cpu/filters/box_median.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

namespace voxkern::cpu {
namespace {

// In a plane no list is needed: of three sorted columns, the greatest of the least, the middle of
// the middles and the least of the greatest hold the median between them. Two rows share the
// comparison of the two that both cover.
template <class K>
class PlaneMedian {
  using V = Vec<K>;
  static constexpr i64 L = V::lanes;

 public:
  // Columns at once: long rows, so that the memory runs ahead.
  static constexpr i64 most = 16384 / i64(sizeof(K));

  PlaneMedian(const KeyImage<K>& image, i64 width)
      : image_(image), width_(width), pitch_((width + L - 1) / L * L + 2 * L), room_(14 * pitch_) {
    std::fill(room_.begin(), room_.end(), K(0));
  }

  void run(i64 z, i64 y0, i64 y1, i64 x0) {
    if (image_.in.data && width_ >= L + 2) {
      if constexpr (sizeof(K) >= 4)
        if (image_.floats) return run_in_place<Float>(z, y0, y1, x0);
      return run_in_place<K>(z, y0, y1, x0);
    }
    const auto read = [&](i64 y) { image_.read(z, y, x0 - 1, width_ + 2, line(y)); };
    read(y0 - 1);
    read(y0);
    for (i64 y = y0; y < y1; y += 2) {
      read(y + 1);
      read(y + 2);
      two_lines(z, y, y1, x0);
    }
  }

 private:
  using Float = std::conditional_t<sizeof(K) == 8, f64, f32>;

  const KeyImage<K>& image_;
  const i64 width_, pitch_;
  Scratch<K> room_;

  K* line(i64 y) const { return room_.data() + (y & 3) * pitch_; }
  K* out(i64 i) const { return room_.data() + (4 + i) * pitch_; }
  // The columns around the first of the image, or the last.
  template <class N>
  N* end(i64 y, bool last) const {
    return reinterpret_cast<N*>(room_.data() + (6 + 4 * last + (y & 3)) * pitch_);
  }

  // The medians of two rows from the lines around them.
  void two_lines(i64 z, i64 y, i64 y1, i64 x0) const {
    const K* const rows[4] = {line(y - 1), line(y), line(y + 1), line(y + 2)};
    for (i64 x = 0; x < width_; x += L) two_rows(rows, x, out(0) + x, out(1) + x);
    for (i64 i = 0; i < 2 && y + i < y1; ++i) image_.write(z, y + i, x0, width_, out(i));
  }

  template <class N>
  static bool number_orders(N number) {
    return number == number && (number != 0 || !std::signbit(number));
  }

  // Whether the floats of a row order as their keys do: there is no NaN and no -0. Sends for the
  // row after the next on the way.
  template <class N>
  bool ordered(i64 z, i64 y, i64 x0, i64 n) const {
    const N* const row = reinterpret_cast<const N*>(image_.in.row(z, y)) + x0;
    const i64 step = 2 * image_.in.step.y;
    typename Vec<N>::Mask found(0);
    for (i64 x = 0; x < n; x += L) {
      const Vec<N> v = simd::load(row + std::min(x, n - L));
      __builtin_prefetch(row + x + step, 0, 2);
      found |= (v != v) | (simd::bits_as<K>(v) == Vec<K>(std::numeric_limits<K>::min()));
    }
    return !simd::any(found);
  }

  // Reads and writes the rows where they are, as numbers N that are keys or order as they do, but
  // for columns at the ends of the image.
  template <class N>
  void run_in_place(i64 z, i64 y0, i64 y1, i64 x0) {
    constexpr bool floats = !std::is_same_v<N, K>;
    const Size n = image_.size;
    const bool first = x0 == 0, last = x0 + width_ == n.x;
    bool plain[4] = {};
    N outside;
    std::memcpy(&outside, &image_.fill, sizeof outside);
    const i64 back = inside(-1, n.x, image_.edge), ahead = inside(n.x, n.x, image_.edge);
    const auto look = [&](i64 y) {
      if (y < 0 || y >= n.y) {
        plain[y & 3] = false;
        if (floats) return;
        if (first) image_.read(z, y, -1, 3, reinterpret_cast<K*>(end<N>(y, false)));
        if (last) image_.read(z, y, n.x - 2, 3, reinterpret_cast<K*>(end<N>(y, true)));
        return;
      }
      const N* const from = reinterpret_cast<const N*>(image_.in.row(z, y));
      const N before = back < 0 ? outside : from[back], after = ahead < 0 ? outside : from[ahead];
      if constexpr (floats)
        plain[y & 3] = ordered<N>(z, y, x0 - !first, width_ + !first + !last) &&
                       number_orders(before) && number_orders(after);
      N *const a = end<N>(y, false), *const b = end<N>(y, true);
      a[0] = before;
      std::copy_n(from, 2, a + 1);
      std::copy_n(from + n.x - 2, 2, b);
      b[2] = after;
    };
    const auto row = [&](i64 y) -> const N* {
      if (floats || (0 <= y && y < n.y))
        return reinterpret_cast<const N*>(image_.in.row(z, y)) + x0 - 1;
      image_.read(z, y, x0 - 1, width_ + 2, line(y));
      return reinterpret_cast<const N*>(line(y));
    };
    look(y0 - 1);
    look(y0);
    for (i64 y = y0; y < y1; y += 2) {
      look(y + 1);
      look(y + 2);
      if (floats && !(plain[0] && plain[1] && plain[2] && plain[3])) {
        for (i64 i = y - 1; i <= y + 2; ++i) image_.read(z, i, x0 - 1, width_ + 2, line(i));
        two_lines(z, y, y1, x0);
        continue;
      }
      const N* const rows[4] = {row(y - 1), row(y), row(y + 1), row(y + 2)};
      const auto to = [&](i64 i) {
        return reinterpret_cast<N*>(y + i < y1 ? image_.out.row(z, y + i) + x0 : out(i));
      };
      N *const upper = to(0), *const lower = to(1);
      const i64 most = width_ - last - L;  // the last register may cover some of the one before
      for (i64 x = first; x < most; x += L) two_rows(rows, x, upper + x, lower + x);
      two_rows(rows, most, upper + most, lower + most);
      for (const bool right : {false, true})
        if (right ? last : first) {
          const N* const ends[4] = {end<N>(y - 1, right), end<N>(y, right), end<N>(y + 1, right),
                                    end<N>(y + 2, right)};
          N found[2][L];
          two_rows(ends, 0, found[0], found[1]);
          const i64 x = right ? width_ - 1 : 0;
          upper[x] = found[0][0];
          lower[x] = found[1][0];
        }
    }
  }

  template <class V>
  struct Column {
    V least, mid, most;
  };
  // A third number sorted into two.
  template <class V>
  static Column<V> sorted(V other, V low, V high) {
    const V rest = max(other, low);
    return {min(other, low), min(rest, high), max(rest, high)};
  }
  template <class V>
  static V middle(V a, V b, V c) {
    return max(min(a, b), min(max(a, b), c));
  }
  template <class V>
  static V middle(const Column<V> (&c)[3]) {
    return middle(max(max(c[0].least, c[1].least), c[2].least),
                  middle(c[0].mid, c[1].mid, c[2].mid), min(min(c[0].most, c[1].most), c[2].most));
  }

  // A register of two rows of medians, from x on; a row begins one column before the first median.
  template <class N>
  static void two_rows(const N* const (&rows)[4], i64 x, N* first, N* second) {
    using V = Vec<N>;
    Column<V> upper[3], lower[3];
    for (i64 i = 0; i < 3; ++i) {
      const V p = simd::load(rows[1] + x + i), q = simd::load(rows[2] + x + i);
      const V low = min(p, q), high = max(p, q);
      upper[i] = sorted(simd::load(rows[0] + x + i), low, high);
      lower[i] = sorted(simd::load(rows[3] + x + i), low, high);
    }
    simd::store(first, middle(upper));
    simd::store(second, middle(lower));
  }
};

template <class K>
void plane_median(On on, const KeyImage<K>& image) {
  const Size n = image.size;
  const i64 across = (n.x + PlaneMedian<K>::most - 1) / PlaneMedian<K>::most;
  const i64 strip = std::clamp<i64>(n.y * n.z / (4 * std::max(1, on.threads)), 16, 256);
  const i64 down = (n.y + strip - 1) / strip;
  parallel_for(on, n.z * down * across, [&](i64 i) {
    const i64 tile = i % across, y = i / across % down * strip;
    const i64 x0 = tile * n.x / across, x1 = (tile + 1) * n.x / across;
    PlaneMedian<K>(image, x1 - x0).run(i / across / down, y, std::min(n.y, y + strip), x0);
    simd::stream_fence();
  });
}

}  // namespace

template <class K>
void median_3(On on, const KeyImage<K>& image, i64 depth) {
  if (depth == 1)
    plane_median(on, image);
  else
    box_median<K, 3, 3>(on, image);
}

template void median_3(On, const KeyImage<u8>&, i64);
template void median_3(On, const KeyImage<i16>&, i64);
template void median_3(On, const KeyImage<i32>&, i64);
template void median_3(On, const KeyImage<i64>&, i64);

}  // namespace voxkern::cpu
