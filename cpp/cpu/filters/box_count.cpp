// Ranks in large boxes of short integers, by halving the range of a whole tile's answers: how many
// voxels of each box lie below a number is a sum of boxes of ones, sixteen boxes a vector and
// hardly dearer for larger boxes. Neighbouring boxes have neighbouring answers, so that a tile asks
// for few numbers, and for each only where it is in question.
#include <voxkern/simd.hpp>

#include <cpu/filters/rank.hpp>
#include <cpu/memory.hpp>

#include <algorithm>
#include <vector>

namespace voxkern::cpu {
namespace {

class Tile {
  using V = Vec<i16>;
  static constexpr i64 L = V::lanes;

 public:
  static constexpr Size most{32, 32, 64};
  static constexpr i64 most_in_plane = 128;  // rows of a tile of few planes

  Tile(const KeyImage<i16>& image, Size box, Size first, i64 rank, Size from, Size size)
      : image_(image),
        box_(box),
        rank_(rank),
        from_(from),
        size_(size),
        rows_(size.y + box.y - 1),
        width_((size.x + 2 * L - 1) / (2 * L) * 2 * L),
        pitch_((width_ + box.x - 1 + L - 1) / L * L),
        keys_((size.z + box.z - 1) * rows_ * pitch_),
        columns_(rows_ * pitch_),
        lines_(size.y * pitch_ + L),
        eights_(pitch_ + L),
        found_(size.z * size.y * width_) {
    std::fill(keys_.begin(), keys_.end(), i16(0));
    low_ = 32767;
    high_ = -32768;
    for (i64 z = 0; z < size.z + box.z - 1; ++z)
      for (i64 y = 0; y < rows_; ++y) {
        i16* const row = keys(z, y);
        const i64 count = size.x + box.x - 1;
        image.read(from.z + first.z + z, from.y + first.y + y, from.x + first.x, count, row);
        const auto [least, greatest] = std::minmax_element(row, row + count);
        low_ = std::min(low_, int(*least));
        high_ = std::max(high_, int(*greatest));
      }
  }

  // Whether the answers were found in the time of so many sums over the tile.
  bool find(i64 patience) {
    // Behind the end of a row nothing is asked.
    for (i64 row = 0; row < size_.z * size_.y; ++row) {
      i16* const found = found_.data() + row * width_;
      std::fill(found, found + size_.x, i16(low_));
      std::fill(found + size_.x, found + width_, i16(high_ < 32767 ? high_ + 1 : low_ - 1));
    }
    const i64 whole = size_.z * size_.y;
    i64 work = 0;
    std::vector<Part> parts{{low_, high_, {0, size_.z, 0, size_.y}}};
    while (!parts.empty()) {
      const Part part = parts.back();
      parts.pop_back();
      if (part.low == part.high || part.rows.z0 == part.rows.z1) continue;
      work += (part.rows.z1 - part.rows.z0) * (part.rows.y1 - part.rows.y0);
      if (work > patience * whole) return false;
      const int tried = part.high - (part.high - part.low) / 2;
      Rows below{size_.z, 0, size_.y, 0}, from = below;
      split(part.rows, part.low, tried, below, from);
      if (below.z1) parts.push_back({part.low, tried - 1, below});
      if (from.z1) parts.push_back({tried, part.high, from});
    }
    return true;
  }

  void write() const {
    for (i64 z = 0; z < size_.z; ++z)
      for (i64 y = 0; y < size_.y; ++y)
        image_.write(from_.z + z, from_.y + y, from_.x, size_.x, found(z, y));
  }

 private:
  struct Rows {
    i64 z0, z1, y0, y1;
    void add(i64 z, i64 y) {
      z0 = std::min(z0, z);
      z1 = std::max(z1, z + 1);
      y0 = std::min(y0, y);
      y1 = std::max(y1, y + 1);
    }
  };
  // Rows that hold every voxel whose answer is known to lie from `low` to `high`.
  struct Part {
    int low, high;
    Rows rows;
  };

  const KeyImage<i16>& image_;
  const Size box_;
  const i64 rank_;
  const Size from_, size_;
  const i64 rows_, width_, pitch_;
  Scratch<i16> keys_, columns_, lines_, eights_, found_;
  int low_, high_;

  i16* keys(i64 z, i64 y) const { return keys_.data() + (z * rows_ + y) * pitch_; }
  i16* found(i64 z, i64 y) const { return found_.data() + (z * size_.y + y) * width_; }

  // Tells those whose answer is known to be `low` or more, and not what comes after: whether it is
  // `tried` or more.
  void split(Rows rows, int low, int tried, Rows& below, Rows& from) {
    const V limit = i16(tried);
    const i64 high = rows.y1 + box_.y - 1;
    for (i64 z = rows.z0; z < rows.z1; ++z) {
      for (i64 y = rows.y0; y < high; ++y) count_plane(z, y, limit, z == rows.z0);
      // All rows before the first is read: a load across two stores would wait for both.
      for (i64 y = rows.y0; y < rows.y1; ++y) sum_rows(y, y == rows.y0);
      for (i64 y = rows.y0; y < rows.y1; ++y) mark(z, y, low, tried, below, from);
    }
  }

  // The sums of the columns' counts along y, from the row before or anew.
  void sum_rows(i64 y, bool anew) const {
    const i64 pitch = pitch_, high = box_.y;
    const i16* const first = columns_.data() + y * pitch;
    i16* const sums = lines_.data() + y * pitch;
    for (i64 x = 0; x < pitch; x += L) {
      V sum = i16(0);
      if (anew)
        for (i64 k = 0; k < high; ++k) sum += simd::load(first + k * pitch + x);
      else
        sum = simd::load(sums - pitch + x) + simd::load(first + (high - 1) * pitch + x) -
              simd::load(first - pitch + x);
      simd::store(sums + x, sum);
    }
  }

  // How many voxels of each column of the box lie below the limit, from the plane before or anew.
  void count_plane(i64 z, i64 y, V limit, bool anew) const {
    i16* const column = columns_.data() + y * pitch_;
    const i64 pitch = pitch_, plane = rows_ * pitch_, deep = box_.z;
    const i16* const first = keys(z, y);
    if (anew) {
      for (i64 x = 0; x < pitch; x += L) {
        V count = i16(0);
        for (i64 k = 0; k < deep; ++k) count -= simd::load(first + k * plane + x) < limit;
        simd::store(column + x, count);
      }
    } else {
      const i16 *const in = first + (deep - 1) * plane, *const out = first - plane;
      for (i64 x = 0; x < pitch; x += L)
        simd::store(column + x, simd::load(column + x) + (simd::load(out + x) < limit) -
                                    (simd::load(in + x) < limit));
    }
  }

  // The sums of the box's columns, from the sums of eight where there are many.
  void mark(i64 z, i64 y, int low, int tried, Rows& below, Rows& from) const {
    constexpr int group = 2;  // vectors at once: they share the counting of k
    const i16* const line = lines_.data() + y * pitch_;
    i16 *const eights = eights_.data(), *const answers = found(z, y);
    const i64 width = width_, wide = box_.x, many = wide > 11 ? wide / 8 : 0;
    if (many)
      for (i64 x = 0; x < width + wide - 8; x += L) eight(line + x, eights + x);
    const V enough = i16(rank_), was = i16(low), now = i16(tried);
    V::Mask fell(i16(0)), rose(i16(0));
    for (i64 x = 0; x < width; x += group * L) {
      V count[group];
      for (V& c : count) c = i16(0);
      for (i64 k = 0; k < many; ++k)
        for (int n = 0; n < group; ++n) count[n] += simd::load(eights + x + n * L + 8 * k);
      for (i64 k = 8 * many; k < wide; ++k)
        for (int n = 0; n < group; ++n) count[n] += simd::load(line + x + n * L + k);
      for (int n = 0; n < group; ++n) {
        const V answer = simd::load(answers + x + n * L);
        const auto asked = answer == was, less = count[n] > enough;
        const auto rises = asked & ~less;
        fell |= asked & less;
        rose |= rises;
        simd::store(answers + x + n * L, simd::select(rises, now, answer));
      }
    }
    if (simd::any(fell)) below.add(z, y);
    if (simd::any(rose)) from.add(z, y);
  }
  static void eight(const i16* line, i16* to) {
    V sum = simd::load(line);
    for (i64 k = 1; k < 8; ++k) sum += simd::load(line + k);
    simd::store(to, sum);
  }
};

}  // namespace

void box_count(On on, const KeyImage<i16>& image, Size box, Size first, i64 rank, i64 patience,
               const std::function<void(Size from, Size size)>& otherwise) {
  const Size n = image.size;
  const Size step{std::min(Tile::most.z, n.z), n.z < 8 ? Tile::most_in_plane : Tile::most.y,
                  Tile::most.x};
  const Size tiles{(n.z + step.z - 1) / step.z, (n.y + step.y - 1) / step.y,
                   (n.x + step.x - 1) / step.x};
  parallel_for(on, tiles.count(), [&](i64 i) {
    const Size from{i / (tiles.y * tiles.x) * step.z, i / tiles.x % tiles.y * step.y,
                    i % tiles.x * step.x};
    const Size size{std::min(step.z, n.z - from.z), std::min(step.y, n.y - from.y),
                    std::min(step.x, n.x - from.x)};
    Tile tile(image, box, first, rank, from, size);
    if (tile.find(patience))
      tile.write();
    else
      otherwise(from, size);
    simd::stream_fence();
  });
}

}  // namespace voxkern::cpu
