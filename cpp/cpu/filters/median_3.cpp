#include <cpu/filters/box_median.hpp>

#include <algorithm>

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
      : image_(image), width_(width), pitch_((width + L - 1) / L * L + 2 * L), room_(6 * pitch_) {
    std::fill(room_.begin(), room_.end(), K(0));
  }

  void run(i64 z, i64 y0, i64 y1, i64 x0) {
    const auto read = [&](i64 y) { image_.read(z, y, x0 - 1, width_ + 2, line(y)); };
    read(y0 - 1);
    read(y0);
    for (i64 y = y0; y < y1; y += 2) {
      read(y + 1);
      read(y + 2);
      two_rows(line(y - 1), line(y), line(y + 1), line(y + 2));
      for (i64 i = 0; i < 2 && y + i < y1; ++i) image_.write(z, y + i, x0, width_, out(i));
    }
  }

 private:
  const KeyImage<K>& image_;
  const i64 width_, pitch_;
  Scratch<K> room_;

  K* line(i64 y) const { return room_.data() + (y & 3) * pitch_; }
  K* out(i64 i) const { return room_.data() + (4 + i) * pitch_; }

  struct Column {
    V least, mid, most;
  };
  // A third number sorted into two.
  static Column sorted(V other, V low, V high) {
    const V rest = max(other, low);
    return {min(other, low), min(rest, high), max(rest, high)};
  }
  static V middle(V a, V b, V c) { return max(min(a, b), min(max(a, b), c)); }
  static V middle(const Column (&c)[3]) {
    return middle(max(max(c[0].least, c[1].least), c[2].least),
                  middle(c[0].mid, c[1].mid, c[2].mid), min(min(c[0].most, c[1].most), c[2].most));
  }

  void two_rows(const K* a, const K* b, const K* c, const K* d) const {
    K *const first = out(0), *const second = out(1);
    const i64 width = width_;
    for (i64 x = 0; x < width; x += L) {
      Column upper[3], lower[3];
      for (i64 i = 0; i < 3; ++i) {
        const V p = simd::load(b + x + i), q = simd::load(c + x + i);
        const V low = min(p, q), high = max(p, q);
        upper[i] = sorted(simd::load(a + x + i), low, high);
        lower[i] = sorted(simd::load(d + x + i), low, high);
      }
      simd::store(first + x, middle(upper));
      simd::store(second + x, middle(lower));
    }
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
