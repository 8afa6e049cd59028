// Ranks in boxes by counting, a tile of outputs at a time: how many voxels of each box lie below a
// limit, for as many limits at once as a register has lanes. The sums run along z, y and x, so that
// the time hardly grows with the box. Few limits split the tile's numbers evenly; where between
// them a row has answers, every number is a limit. (After Perreault and Hebert 2007, "Median
// filtering in constant time", https://doi.org/10.1109/TIP.2007.902329, carried to 3-D, with
// counts below the bins instead of in them.)
//
// Longer numbers than bytes are sorted, tile by tile, and cut into at most 256 classes. The class
// of an answer is found as above, and its place there by walking along the sorted class.
#include <voxkern/simd.hpp>

#include <cpu/filters/rank.hpp>
#include <cpu/memory.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace voxkern::cpu {
namespace {

constexpr int limits = simd::lanes<i16>;  // counted at once
constexpr int blocks = 256 / limits;      // of neighbouring numbers as limits

// Two columns of a row of counts: in every sixteen bytes eight limits of one, then of the other.
using Pair = Vec<i8>;
using Sixteen = Vec<i8, 16>;
constexpr std::make_integer_sequence<int, 2 * limits> all_bytes{};

template <int pair, int... lane>
Pair spread(Sixteen row, std::integer_sequence<int, lane...>) {
  return simd::shuffle<(2 * pair + lane % 16 / 8)...>(row, row);
}
template <int column, int... lane>
Vec<i16> widened(Pair pair, std::integer_sequence<int, lane...>) {
  return simd::bits_as<i16>(
      simd::shuffle<(lane / 16 * 16 + 8 * column + lane % 16 / 2 + lane % 2 * 2 * limits)...>(
          pair, Pair(i8(0))));
}

// The counts of a box, in lanes of 16 bits or of 32.
template <class C>
struct Counts {
  static constexpr int parts = sizeof(C) / 2, lanes = limits / parts;
  // So that 16 bits without a sign order as with one.
  static constexpr C none = sizeof(C) == 2 ? C(-32768) : C(0);
  Vec<C> part[parts];

  Counts() { std::fill_n(part, parts, Vec<C>(none)); }
  static Vec<C> load(const u16* from, int i) {
    if constexpr (parts == 1)
      return simd::bits_as<C>(simd::load(from));
    else
      return simd::convert<C>(simd::load<u16, lanes>(from + i * lanes));
  }
  void add(const u16* from) {
    for (int i = 0; i < parts; ++i) part[i] += load(from, i);
  }
  void take(const u16* from) {
    for (int i = 0; i < parts; ++i) part[i] -= load(from, i);
  }
  // How many lanes count less.
  int less(Vec<C> than) const {
    int found = 0;
    for (int i = 0; i < parts; ++i)
      found += __builtin_popcountll(simd::bits(simd::bits_as<i8>(part[i] < than)));
    return found / int(sizeof(C));
  }
};

// The ranks of bytes in the boxes of a tile.
template <class C>
class Tile {
 public:
  Tile(Size size, Size box, i64 rank, bool tells_below)
      : size(size),
        box(box),
        rank_(rank),
        rows_(size.y + box.y - 1),
        pitch_((size.x + box.x - 1 + 15) / 16 * 16),
        bytes_((size.z + box.z - 1) * rows_ * pitch_),
        deep_(rows_ * pitch_ * limits),
        columns_(pitch_ * limits),
        answers_(size.count()),
        below_(tells_below ? size.count() : 0),
        spans_(size.z * size.y) {
    std::fill(bytes_.begin(), bytes_.end(), i8(0));
  }

  const Size size, box;

  // The bytes of a row around the tile, each less 128.
  i8* bytes(i64 z, i64 y) const { return bytes_.data() + (z * rows_ + y) * pitch_; }
  u8* answers(i64 z, i64 y) const { return answers_.data() + (z * size.y + y) * size.x; }
  // How many voxels of the boxes are less than their answers.
  i32* below(i64 z, i64 y) const { return below_.data() + (z * size.y + y) * size.x; }

  void run() {
    std::fill(below_.begin(), below_.end(), 0);
    int least = 255, most = 0;
    for (i64 z = 0; z < size.z + box.z - 1; ++z)
      for (i64 y = 0; y < rows_; ++y) {
        const i8* const row = bytes(z, y);
        i8 low = 127, high = -128;
        for (i64 x = 0; x < size.x + box.x - 1; ++x) {
          low = std::min(low, row[x]);
          high = std::max(high, row[x]);
        }
        least = std::min(least, low + 128);
        most = std::max(most, high + 128);
      }
    if (least == most) return std::fill(answers_.begin(), answers_.end(), u8(least)), void();

    std::fill(answers_.begin(), answers_.end(), u8(-1));
    std::fill(spans_.begin(), spans_.end(), Span{0, 0});
    count(0, blocks);
    for (i64 i = 0; i < spans_.size(); ++i) {
      u8* const row = answers_.data() + i * size.x;
      u8 least = 255, most = 0;
      for (i64 x = 0; x < size.x; ++x) {
        least = std::min(least, row[x]);
        most = std::max(most, row[x]);
      }
      spans_[i] = {least * blocks / limits, ((most + 1) * blocks - 1) / limits};
      std::fill_n(row, size.x, u8(spans_[i].first * limits - 1));
    }
    for (int block = 0; block < blocks; ++block) count(block, 1);
  }

 private:
  // The blocks that a row's answers may lie in.
  struct Span {
    int first, last;
    bool has(int block) const { return first <= block && block <= last; }
  };

  const i64 rank_, rows_, pitch_;
  Scratch<i8> bytes_, deep_;  // counts along z
  Scratch<u16> columns_;      // along y, too
  Scratch<u8> answers_;
  Scratch<i32> below_;
  Scratch<Span> spans_;

  i8* deep(i64 y) const { return deep_.data() + y * pitch_ * limits; }

  // Adds to the answers how many of a block's limits, `step` apart, they reach.
  void count(int block, int step) {
    i64 z0 = size.z, z1 = 0, y0 = size.y, y1 = 0;
    for (i64 i = 0; i < spans_.size(); ++i)
      if (spans_[i].has(block)) {
        z0 = std::min(z0, i / size.y);
        z1 = i / size.y + 1;
        y0 = std::min(y0, i % size.y);
        y1 = std::max(y1, i % size.y + 1);
      }
    Pair limit;
    for (int i = 0; i < 2 * limits; ++i)
      limit.v[i] = i8(block * limits + (i / 16 * 8 + i % 8) * step - 128);
    for (i64 z = z0; z < z1; ++z) {
      for (i64 y = y0; y < y1 + box.y - 1; ++y) {
        if (z == z0) {
          std::fill_n(deep(y), pitch_ * limits, i8(0));
          for (i64 k = 0; k < box.z; ++k) count_row<false>(bytes(z + k, y), nullptr, limit, y);
        } else {
          count_row<true>(bytes(z + box.z - 1, y), bytes(z - 1, y), limit, y);
        }
      }
      for (i64 y = y0; y < y1; ++y) {
        sum_rows(y, y == y0);
        if (!spans_[z * size.y + y].has(block)) continue;
        if (below_.size())
          find<true>(z, y);
        else
          find<false>(z, y);
      }
    }
  }

  template <bool moves>
  void count_row(const i8* in, const i8* out, Pair limit, i64 y) const {
    i8* const counts = deep(y);
    for (i64 x = 0; x < pitch_; x += 16) {
      const Sixteen came = simd::load<i8, 16>(in + x);
      const Sixteen went = moves ? simd::load<i8, 16>(out + x) : came;
      count_pairs<moves>(came, went, limit, counts + x * limits,
                         std::make_integer_sequence<int, 8>{});
    }
  }
  template <bool moves, int... pair>
  static void count_pairs(Sixteen in, Sixteen out, Pair limit, i8* to,
                          std::integer_sequence<int, pair...>) {
    const auto one = [&](i8* at, Pair came, Pair went) {
      Pair counts = simd::load(at) - (limit > came);
      if (moves) counts += limit > went;
      simd::store(at, counts);
    };
    (one(to + pair * 2 * limits, spread<pair>(in, all_bytes), spread<pair>(out, all_bytes)), ...);
  }

  // The sums of the counts along y, from those of the row before or anew.
  void sum_rows(i64 y, bool anew) const {
    u16* const sums = columns_.data();
    const i64 end = pitch_ * limits, high = box.y;
    const i8 *const first = deep(y), *const in = deep(y + high - 1);
    for (i64 i = 0; i < end; i += 2 * limits) {
      Vec<i16> even, odd;
      if (anew) {
        even = odd = i16(0);
        for (i64 k = 0; k < high; ++k) {
          const Pair counts = simd::load(first + k * end + i);
          even += widened<0>(counts, all_bytes);
          odd += widened<1>(counts, all_bytes);
        }
      } else {
        const Pair came = simd::load(in + i), went = simd::load(first - end + i);
        even = simd::bits_as<i16>(simd::load(sums + i)) + widened<0>(came, all_bytes) -
               widened<0>(went, all_bytes);
        odd = simd::bits_as<i16>(simd::load(sums + i + limits)) + widened<1>(came, all_bytes) -
              widened<1>(went, all_bytes);
      }
      simd::store(sums + i, simd::bits_as<u16>(even));
      simd::store(sums + i + limits, simd::bits_as<u16>(odd));
    }
  }

  // The sums along x, and what they say of a row's answers.
  template <bool tells_below>
  void find(i64 z, i64 y) const {
    const u16* const sums = columns_.data();
    u8* const row = answers(z, y);
    const i64 width = size.x, wide = box.x;
    const Vec<C> enough = C(rank_ + 1 + Counts<C>::none);
    Counts<C> counts;
    for (i64 x = 0; x < wide - 1; ++x) counts.add(sums + x * limits);
    for (i64 x = 0; x < width; ++x) {
      counts.add(sums + (x + wide - 1) * limits);
      const int reached = counts.less(enough);
      row[x] = u8(row[x] + reached);
      if constexpr (tells_below) {
        C each[limits];
        for (int i = 0; i < Counts<C>::parts; ++i)
          simd::store(each + i * Counts<C>::lanes, counts.part[i]);
        if (reached > 0) below(z, y)[x] = each[reached - 1] - Counts<C>::none;
      }
      counts.take(sums + x * limits);
    }
  }
};

// Bytes: they are their own classes.
template <class C>
void rank_tile(const KeyImage<u8>& image, Size box, Size first, i64 rank, Size from, Size size) {
  Tile<C> tile(size, box, rank, false);
  for (i64 z = 0; z < size.z + box.z - 1; ++z)
    for (i64 y = 0; y < size.y + box.y - 1; ++y) {
      const i64 count = size.x + box.x - 1;
      i8* const row = tile.bytes(z, y);
      image.read(from.z + first.z + z, from.y + first.y + y, from.x + first.x, count,
                 reinterpret_cast<u8*>(row));
      for (i64 x = 0; x < count; ++x) row[x] ^= -128;
    }
  tile.run();
  for (i64 z = 0; z < size.z; ++z)
    for (i64 y = 0; y < size.y; ++y)
      image.write(from.z + z, from.y + y, from.x, size.x, tile.answers(z, y));
}

template <class K>
struct Entry {
  std::make_unsigned_t<K> key;
  u8 z, y, x;
};

// By key, eleven bits at a time from the lowest on.
template <class K>
void sort(Scratch<Entry<K>>& entries, std::make_unsigned_t<K> most) {
  constexpr int bits = 11;
  Scratch<Entry<K>> other(entries.size());
  for (int shift = 0; shift < 8 * int(sizeof(K)) && most >> shift; shift += bits) {
    i64 starts[1 << bits] = {}, sum = 0;
    const auto digit = [=](const Entry<K>& e) { return e.key >> shift & ((1 << bits) - 1); };
    for (const Entry<K>& e : entries) ++starts[digit(e)];
    for (i64& start : starts) sum += std::exchange(start, sum);
    for (const Entry<K>& e : entries) other[starts[digit(e)]++] = e;
    std::swap(entries, other);
  }
}

// Longer keys. The box and the tile together reach over at most 256 voxels along each axis.
template <class C, class K>
void rank_tile(const KeyImage<K>& image, Size box, Size first, i64 rank, Size from, Size size) {
  using U = std::make_unsigned_t<K>;
  const Size n{size.z + box.z - 1, size.y + box.y - 1, size.x + box.x - 1};
  Scratch<Entry<K>> entries(n.count());
  Scratch<K> row(n.x);
  K least = std::numeric_limits<K>::max(), most = std::numeric_limits<K>::min();
  Entry<K>* entry = entries.data();
  for (i64 z = 0; z < n.z; ++z)
    for (i64 y = 0; y < n.y; ++y) {
      image.read(from.z + first.z + z, from.y + first.y + y, from.x + first.x, n.x, row.data());
      for (i64 x = 0; x < n.x; ++x) {
        least = std::min(least, row[x]);
        most = std::max(most, row[x]);
        *entry++ = {U(row[x]), u8(z), u8(y), u8(x)};
      }
    }
  for (Entry<K>& e : entries) e.key -= U(least);
  sort<K>(entries, U(most) - U(least));

  // Classes begin where numbers change, so that a number is in one class; one that is frequent is a
  // class of its own.
  std::vector<i64> begins;
  for (i64 fill = 1; begins.empty(); fill = std::max(2 * fill, n.count() / 256)) {
    for (i64 i = 0, next; i < n.count() && begins.size() <= 256; i = next) {
      for (next = i + 1; next < n.count() && entries[next].key == entries[i].key;) ++next;
      if (begins.empty() || next - i >= fill || i - begins.back() >= fill) begins.push_back(i);
    }
    if (begins.size() > 256) begins.clear();
  }
  begins.push_back(n.count());

  Tile<C> tile(size, box, rank, true);
  constexpr int L = Vec<u8>::lanes;
  Scratch<u8> zs(n.count() + L), ys(n.count() + L), xs(n.count() + L);
  for (i64 c = 0; c + 1 < i64(begins.size()); ++c)
    for (i64 i = begins[c]; i < begins[c + 1]; ++i) {
      const Entry<K> e = entries[i];
      tile.bytes(e.z, e.y)[e.x] = i8(c - 128);
      zs[i] = e.z;
      ys[i] = e.y;
      xs[i] = e.x;
    }
  tile.run();

  // The entry that so many of its class and box come before.
  const auto walk = [&](i64 i, i64 before, i64 z, i64 y, i64 x) {
    const auto near = [i](const u8* at, i64 low, i64 count, i64 k) {
      const Vec<u8> d = simd::load(at + i + k) - Vec<u8>(u8(low)), far = u8(count - 1);
      return min(d, far) == d;
    };
    for (i64 k = 0;; k += L) {
      u64 found = simd::bits(near(zs.data(), z, box.z, k) & near(ys.data(), y, box.y, k) &
                             near(xs.data(), x, box.x, k));
      const int count = __builtin_popcountll(found);
      if (before < count) {
        for (; before > 0; --before) found &= found - 1;
        return i + k + __builtin_ctzll(found);
      }
      before -= count;
    }
  };
  for (i64 z = 0; z < size.z; ++z)
    for (i64 y = 0; y < size.y; ++y) {
      const u8* const classes = tile.answers(z, y);
      const i32* const below = tile.below(z, y);
      for (i64 x = 0; x < size.x; ++x) {
        i64 i = begins[classes[x]];
        if (entries[i].key != entries[begins[classes[x] + 1] - 1].key)
          i = walk(i, rank - below[x], z, y, x);
        row[x] = K(entries[i].key + U(least));
      }
      image.write(from.z + z, from.y + y, from.x, size.x, row.data());
    }
}

// The same image with the other axis first.
template <class K>
KeyImage<K> turned(const KeyImage<K>& image) {
  return {{image.size.y, image.size.z, image.size.x},
          [&image](i64 z, i64 y, i64 x, i64 n, K* keys) { image.read(y, z, x, n, keys); },
          [&image](i64 z, i64 y, i64 x, i64 n, const K* keys) { image.write(y, z, x, n, keys); }};
}

}  // namespace

template <class K>
bool box_rank(On on, const KeyImage<K>& image, Size box, Size first, i64 rank) {
  // Counts along the first axis are bytes, and cost most: a plane's rows are best its planes.
  if (box.z > 255 || (image.size.z == 1 && image.size.y > 1 && box.y <= 255)) {
    if (box.y > 255) return false;
    return box_rank(on, turned(image), {box.y, box.z, box.x}, {first.y, first.z, first.x}, rank);
  }
  const Size n = image.size, most{32, 32, 32};
  const i64 reach = std::max({box.z, box.y, box.x});
  if (sizeof(K) > 1 && reach > 128) return false;
  if (box.z * box.y > 65535 || box.count() >= i64(1) << 31) return false;
  const Size step{std::min(n.z, n.y == 1 ? 128 : most.z), std::min(n.y, most.y),
                  std::min(n.x, most.x)};
  const Size tiles{(n.z + step.z - 1) / step.z, (n.y + step.y - 1) / step.y,
                   (n.x + step.x - 1) / step.x};
  parallel_for(on, tiles.count(), [&](i64 i) {
    const Size from{i / (tiles.y * tiles.x) * step.z, i / tiles.x % tiles.y * step.y,
                    i % tiles.x * step.x};
    const Size size{std::min(step.z, n.z - from.z), std::min(step.y, n.y - from.y),
                    std::min(step.x, n.x - from.x)};
    if (box.count() < 65536)
      rank_tile<i16>(image, box, first, rank, from, size);
    else
      rank_tile<i32>(image, box, first, rank, from, size);
    simd::stream_fence();
  });
  return true;
}

template bool box_rank(On, const KeyImage<u8>&, Size, Size, i64);
template bool box_rank(On, const KeyImage<i16>&, Size, Size, i64);
template bool box_rank(On, const KeyImage<i32>&, Size, Size, i64);
template bool box_rank(On, const KeyImage<i64>&, Size, Size, i64);

}  // namespace voxkern::cpu
