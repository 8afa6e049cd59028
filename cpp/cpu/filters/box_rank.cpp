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

#include <cpu/filters/keys.hpp>
#include <cpu/filters/rank.hpp>
#include <cpu/memory.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace voxkern::cpu {
namespace {

constexpr int limits = simd::lanes<i16>;  // counted at once

// Two columns of a row of counts: all limits of one, then all of the other.
using Pair = Vec<i8>;
constexpr std::make_integer_sequence<int, 2 * limits> all_bytes{};

// Sixteen bytes of a row, again and again, from which those of a pair are picked at once.
inline Pair sixteen(const i8* from) {
#if defined(__AVX512BW__)
  return Pair::Raw(_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i*)from)));
#elif defined(__AVX2__)
  return Pair::Raw(_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)from)));
#else
  return simd::load(from);
#endif
}
template <int pair, int... lane>
Pair spread(Pair row, std::integer_sequence<int, lane...>) {
  using Raw [[maybe_unused]] = Pair::Raw;
#if defined(__AVX512BW__)
  return Raw(_mm512_shuffle_epi8((__m512i)row.v, (__m512i)Raw{(2 * pair + lane / limits)...}));
#elif defined(__AVX2__)
  return Raw(_mm256_shuffle_epi8((__m256i)row.v, (__m256i)Raw{(2 * pair + lane / limits)...}));
#else
  return simd::shuffle<(2 * pair + lane / limits)...>(row, row);
#endif
}

// One more where the limit is above what came, and one less where it is above what went.
template <bool moves>
Pair counted(Pair counts, Pair limit, Pair came, Pair went) {
#if defined(__AVX512BW__)
  const __m512i one = (__m512i)Pair(i8(1)).v, l = (__m512i)limit.v;
  __m512i c = (__m512i)counts.v;
  c = _mm512_mask_add_epi8(c, _mm512_cmpgt_epi8_mask(l, (__m512i)came.v), c, one);
  if (moves) c = _mm512_mask_sub_epi8(c, _mm512_cmpgt_epi8_mask(l, (__m512i)went.v), c, one);
  return Pair::Raw(c);
#else
  counts -= limit > came;
  if (moves) counts += limit > went;
  return counts;
#endif
}

// How many lanes of a are less than those of b.
template <class C>
int less(Vec<C> a, Vec<C> b) {
#if defined(__AVX512BW__)
  const auto mask = [](__m512i p, __m512i q) -> u32 {
    if constexpr (sizeof(C) == 2) return _mm512_cmplt_epi16_mask(p, q);
    return _mm512_cmplt_epi32_mask(p, q);
  };
  return __builtin_popcount(mask((__m512i)a.v, (__m512i)b.v));
#else
  return __builtin_popcountll(simd::bits(simd::bits_as<i8>(a < b))) / int(sizeof(C));
#endif
}

// The counts of a column in lanes of 16 bits.
inline Vec<i16> widened(const u16* from) { return simd::bits_as<i16>(simd::load(from)); }
inline Vec<i16> widened(const u8* from) {
#if defined(__AVX512BW__)
  return Vec<i16>::Raw(_mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i*)from)));
#elif defined(__AVX2__)
  return Vec<i16>::Raw(_mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i*)from)));
#else
  return simd::convert<i16>(simd::load<u8, limits>(from));
#endif
}

// The counts of a box, in lanes of 16 bits or of 32.
template <class C>
struct Counts {
  static constexpr int parts = sizeof(C) / 2, lanes = limits / parts;
  // So that 16 bits without a sign order as with one.
  static constexpr C none = sizeof(C) == 2 ? C(-32768) : C(0);
  Vec<C> part[parts];

  Counts() { std::fill_n(part, parts, Vec<C>(none)); }
  template <class S>
  static Vec<C> load(const S* from, int i) {
    if constexpr (parts == 1)
      return widened(from);
    else
      return simd::convert<C>(simd::load<S, lanes>(from + i * lanes));
  }
  template <class S>
  void add(const S* from) {
    for (int i = 0; i < parts; ++i) part[i] += load(from, i);
  }
  template <class S>
  void take(const S* from) {
    for (int i = 0; i < parts; ++i) part[i] -= load(from, i);
  }
  // How many lanes count less.
  int less(Vec<C> than) const {
    int found = 0;
    for (int i = 0; i < parts; ++i) found += voxkern::cpu::less(part[i], than);
    return found;
  }
};

// The ranks of bytes in the boxes of a tile.
class Tile {
 public:
  Tile(Size size, Size box, i64 rank, bool tells_below)
      : size(size),
        box(box),
        rank_(rank),
        rows_(size.y + box.y - 1),
        pitch_(whole(size.x + box.x - 1)),
        bytes_((size.z + box.z - 1) * rows_ * pitch_),
        deep_(rows_ * pitch_ * limits),
        columns_(pitch_ * limits),
        answers_(size.count()),
        interval_(size.count()),
        below_(tells_below ? size.count() : 0),
        in_row_(size.z * size.y),
        in_column_(size.x) {
    std::fill(bytes_.begin(), bytes_.end(), i8(0));
  }

  const Size size, box;

  // The bytes of a row around the tile, each less 128.
  i8* bytes(i64 z, i64 y) const { return bytes_.data() + (z * rows_ + y) * pitch_; }
  u8* answers(i64 z, i64 y) const { return answers_.data() + at(z, y); }
  // How many voxels of the boxes are less than their answers.
  i32* below(i64 z, i64 y) const { return below_.data() + at(z, y); }

  [[gnu::noinline]] void run() {
    int least = 255, most = 0;
    for (i64 z = 0; z < size.z + box.z - 1; ++z)
      for (i64 y = 0; y < rows_; ++y) {
        const i8* const row = bytes(z, y);
        const i64 columns = size.x + box.x - 1;
        i8 low = 127, high = -128;
        for (i64 x = 0; x < columns; ++x) {
          low = std::min(low, row[x]);
          high = std::max(high, row[x]);
        }
        least = std::min(least, low + 128);
        most = std::max(most, high + 128);
      }
    if (least == most) {
      std::fill(answers_.begin(), answers_.end(), u8(least));
      std::fill(below_.begin(), below_.end(), 0);
      return;
    }
    for (i8& byte : bytes_) byte = i8(byte - least);

    // The numbers fall into as many intervals as there are limits, the intervals into blocks.
    const int length = (most - least) / limits + 1;
    const int together = std::max(1, limits / length), block = together * length;
    std::fill(interval_.begin(), interval_.end(), u8(0));
    std::fill(below_.begin(), below_.end(), 0);
    if (length > 1) {
      std::fill(in_row_.begin(), in_row_.end(), u32(1));
      std::fill(in_column_.begin(), in_column_.end(), u32(1));
      std::fill(answers_.begin(), answers_.end(), u8(-1));
      count({0, length, 0, 1});
      std::swap(interval_, answers_);
    }
    u32 bits[limits];
    u8 starts[limits];
    for (int i = 0; i < limits; ++i) {
      bits[i] = u32(1) << i / together;
      starts[i] = u8(i / together * block - 1);
    }
    std::fill(in_column_.begin(), in_column_.end(), u32(0));
    u32* const columns = in_column_.data();
    const i64 width = size.x;
    for (i64 i = 0; i < in_row_.size(); ++i) {
      const u8* const in = &interval_[i * width];
      u8* const row = &answers_[i * width];
      u32 all = 0;
      for (i64 x = 0; x < width; ++x) {
        row[x] = starts[in[x]];
        columns[x] |= bits[in[x]];
        all |= bits[in[x]];
      }
      in_row_[i] = all;
    }
    for (int first = 0; first < limits; first += together)
      for (int more = 0; more < block; more += limits)
        count({first / together, 1, first * length + more, together});
    for (u8& answer : answers_) answer = u8(answer + least);
  }

 private:
  // One set of limits, for the voxels whose interval is in this block.
  struct Pass {
    int block, step, first, together;
    u32 bit() const { return u32(1) << block; }
  };

  const i64 rank_, rows_, pitch_;
  Scratch<i8> bytes_;
  Scratch<u8> deep_;      // counts along z
  Scratch<u16> columns_;  // along y, too; or bytes, where these suffice
  Scratch<u8> answers_, interval_;
  Scratch<i32> below_;
  Scratch<u32> in_row_, in_column_;  // the blocks of their voxels, a bit each

  static i64 whole(i64 columns) { return (columns + 15) / 16 * 16; }
  i64 at(i64 z, i64 y) const { return (z * size.y + y) * size.x; }
  u8* deep(i64 y) const { return deep_.data() + y * pitch_ * limits; }

  // The first and last of n numbers, `apart` from each other, that have a bit; {n, -1} if none has.
  static std::pair<i64, i64> ends(const u32* of, i64 n, u32 bit) {
    i64 first = n, last = -1;
    for (i64 i = 0; i < n; ++i)
      if (of[i] & bit) {
        first = std::min(first, i);
        last = i;
      }
    return {first, last};
  }

  // Adds to the answers of a block's voxels how many of its limits they reach.
  void count(const Pass& pass) {
    const auto [row0, row1] = ends(in_row_.data(), in_row_.size(), pass.bit());
    if (row1 < 0) return;
    const auto [x0, x1] = ends(in_column_.data(), size.x, pass.bit());
    i64 y0 = size.y, y1 = -1;
    for (i64 z = row0 / size.y; z <= row1 / size.y; ++z) {
      const auto [a, b] = ends(&in_row_[z * size.y], size.y, pass.bit());
      y0 = std::min(y0, a);
      y1 = std::max(y1, b);
    }
    Pair limit;
    for (int i = 0; i < 2 * limits; ++i) limit.v[i] = i8(pass.first + i % limits * pass.step - 128);
    const i64 from = x0 / 16 * 16, to = whole(x1 + box.x);
    const i64 z0 = row0 / size.y, z1 = row1 / size.y;
    for (i64 z = z0; z <= z1; ++z) {
      for (i64 y = y0; y < y1 + box.y; ++y) {
        if (z == z0) {
          std::fill(deep(y) + from * limits, deep(y) + to * limits, u8(0));
          for (i64 k = 0; k < box.z; ++k)
            count_row<false>(bytes(z + k, y), nullptr, limit, deep(y), from, to);
        } else {
          count_row<true>(bytes(z + box.z - 1, y), bytes(z - 1, y), limit, deep(y), from, to);
        }
      }
      if (box.count() >= 65536)
        find_rows<i32, u16>(pass, z, x0, x1 + 1);
      else if (box.z * box.y > 255)
        find_rows<i16, u16>(pass, z, x0, x1 + 1);
      else
        find_rows<i16, u8>(pass, z, x0, x1 + 1);
    }
  }

  template <bool moves>
  static void count_row(const i8* in, const i8* out, Pair limit, u8* counts, i64 from, i64 to) {
    for (i64 x = from; x < to; x += 16) {
      const Pair came = sixteen(in + x), went = moves ? sixteen(out + x) : came;
      count_pairs<moves>(came, went, limit, counts + x * limits,
                         std::make_integer_sequence<int, 8>{});
    }
  }
  template <bool moves, int... pair>
  static void count_pairs(Pair in, Pair out, Pair limit, u8* to,
                          std::integer_sequence<int, pair...>) {
    const auto one = [&](u8* at, Pair came, Pair went) {
      const Pair counts = simd::bits_as<i8>(simd::load(at));
      simd::store(at, simd::bits_as<u8>(counted<moves>(counts, limit, came, went)));
    };
    (one(to + pair * 2 * limits, spread<pair>(in, all_bytes), spread<pair>(out, all_bytes)), ...);
  }

  template <class C, class S>
  [[gnu::noinline]] void find_rows(const Pass& pass, i64 z, i64 x0, i64 x1) const {
    const u32* const blocks = &in_row_[z * size.y];
    const auto [y0, y1] = ends(blocks, size.y, pass.bit());
    S* const sums = reinterpret_cast<S*>(columns_.data());
    const i64 from = x0 / 16 * 16 * limits, to = whole(x1 - 1 + box.x) * limits;
    for (i64 y = y0; y <= y1; ++y) {
      sum_rows(sums, y, y == y0, from, to);
      if (blocks[y] & pass.bit()) find<C>(sums, pass, z, y, x0, x1);
    }
  }

  // The sums of the counts along y, from those of the row before or anew.
  template <class S>
  void sum_rows(S* sums, i64 y, bool anew, i64 from, i64 to) const {
    using V = Vec<S>;
    constexpr i64 L = V::lanes;
    const auto counts = [](const u8* at) {
      if constexpr (sizeof(S) == 1)
        return simd::load(at);
      else
        return simd::bits_as<u16>(widened(at));
    };
    const i64 end = pitch_ * limits, high = box.y;
    const u8 *const first = deep(y), *const in = deep(y + high - 1);
    for (i64 i = from; i < to; i += L) {
      V sum = S(0);
      if (anew)
        for (i64 k = 0; k < high; ++k) sum += counts(first + k * end + i);
      else
        sum = simd::load(sums + i) + counts(in + i) - counts(first - end + i);
      simd::store(sums + i, sum);
    }
  }

  // The sums along x, and what they say of a row's answers.
  template <class C, class S>
  void find(const S* sums, const Pass& pass, i64 z, i64 y, i64 x0, i64 x1) const {
    u8* const row = answers(z, y);
    const u8* const intervals = interval_.data() + at(z, y);
    i32* const lower = below_.size() ? below(z, y) : nullptr;
    const u8 first = u8(pass.block * pass.together), together = u8(pass.together);
    const i64 wide = box.x;
    const Vec<C> enough = C(rank_ + 1 + Counts<C>::none);
    Counts<C> counts;
    for (i64 x = x0; x < x0 + wide - 1; ++x) counts.add(sums + x * limits);
    for (i64 x = x0; x < x1; ++x) {
      counts.add(sums + (x + wide - 1) * limits);
      // A product, not a branch: neighbours often lie in different blocks.
      const int reached = counts.less(enough) * (u8(intervals[x] - first) < together);
      row[x] = u8(row[x] + reached);
      if (lower) {
        C each[limits];
        for (int i = 0; i < Counts<C>::parts; ++i)
          simd::store(each + i * Counts<C>::lanes, counts.part[i]);
        const i32 found = each[std::max(reached, 1) - 1] - Counts<C>::none;
        lower[x] ^= (lower[x] ^ found) & -i32(reached > 0);
      }
      counts.take(sums + x * limits);
    }
  }
};

// Bytes: they are their own classes.
void rank_tile(const KeyImage<u8>& image, Size box, Size first, i64 rank, Size from, Size size) {
  Tile tile(size, box, rank, false);
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

// Longer keys. The box and the tile together reach over at most 256 voxels along each axis.
template <class K>
void rank_tile(const KeyImage<K>& image, Size box, Size first, i64 rank, Size from, Size size) {
  using U = std::make_unsigned_t<K>;
  const Size n{size.z + box.z - 1, size.y + box.y - 1, size.x + box.x - 1};
  Scratch<Entry<K>> room(2 * n.count());
  Scratch<K> row(n.x);
  K least = std::numeric_limits<K>::max();
  Entry<K>* entry = room.data();
  for (i64 z = 0; z < n.z; ++z)
    for (i64 y = 0; y < n.y; ++y) {
      image.read(from.z + first.z + z, from.y + first.y + y, from.x + first.x, n.x, row.data());
      for (i64 x = 0; x < n.x; ++x) {
        least = std::min(least, row[x]);
        *entry++ = {U(row[x]), u8(z), u8(y), u8(x)};
      }
    }
  while (entry != room.data()) (--entry)->key -= U(least);
  const Entry<K>* const entries = sorted<11>(entry, entry + n.count(), n.count());

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

  Tile tile(size, box, rank, true);
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
  const Size n = image.size;
  if (sizeof(K) > 1 && std::max({box.z, box.y, box.x}) > 128) return false;
  if (box.z * box.y > 65535 || box.count() >= i64(1) << 31) return false;
  // Tiles of bytes are long, and so wide that columns around them fill registers.
  constexpr bool bytes = sizeof(K) == 1;
  const i64 around = std::max({i64(128), std::min<i64>(3 * box.x, 160), box.x + 31});
  const i64 wide = bytes ? (around + 15) / 16 * 16 - box.x + 1 : 32;
  const i64 high = bytes && box.y > 15 ? 64 : 32, deep = n.y == 1 ? 128 : bytes ? 64 : 32;
  const i64 across = (n.x + wide - 1) / wide;
  const Size step{std::min(n.z, deep), std::min(n.y, high), (n.x + across - 1) / across};
  const Size tiles{(n.z + step.z - 1) / step.z, (n.y + step.y - 1) / step.y,
                   (n.x + step.x - 1) / step.x};
  parallel_for(on, tiles.count(), [&](i64 i) {
    const Size from{i / (tiles.y * tiles.x) * step.z, i / tiles.x % tiles.y * step.y,
                    i % tiles.x * step.x};
    const Size size{std::min(step.z, n.z - from.z), std::min(step.y, n.y - from.y),
                    std::min(step.x, n.x - from.x)};
    rank_tile(image, box, first, rank, from, size);
    simd::stream_fence();
  });
  return true;
}

template bool box_rank(On, const KeyImage<u8>&, Size, Size, i64);
template bool box_rank(On, const KeyImage<i16>&, Size, Size, i64);
template bool box_rank(On, const KeyImage<i32>&, Size, Size, i64);
template bool box_rank(On, const KeyImage<i64>&, Size, Size, i64);

}  // namespace voxkern::cpu
