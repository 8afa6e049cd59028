// A mask as bits, 64 voxels to a word. The structure falls into layers, what it has of one plane,
// and these into chords: runs of offsets along x. Of each plane that enters a tile the erosions by
// the different chords are made, from these those by the different layers; the answer is the AND of
// layers of the planes around. A dilation is the erosion of the complement.
//
// Between the rows of a tile lie words of what is outside, so that a shift along x is one of all
// rows together, and every step runs over them as over one long row.
//
// What is repeated until nothing changes is not repeated: it grows, row by row, from what is new.
#include <voxkern/bits.hpp>
#include <voxkern/morphology/binary_erosion.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <tuple>
#include <vector>

namespace voxkern::cpu {
namespace {

using V = Vec<u64>;
constexpr i64 L = V::lanes;
constexpr i64 stretch = 8 * L;  // words made at once; every line has room for as many behind it

// Offsets from x + first to x + first + count - 1.
struct Chord {
  i64 first, count;
  bool operator<(const Chord& other) const {
    return std::tie(count, first) < std::tie(other.count, other.first);
  }
  bool holds(i64 x) const { return first <= x && x < first + count; }
  // Whether another lies within it, and lacks few of its offsets.
  bool little_more_than(const Chord& other) const {
    return first <= other.first && other.first + other.count <= first + count &&
           count - other.count <= 4;
  }
};

// One part of the structure, so many rows or planes away.
struct Part {
  i64 away;
  int number;
  bool operator<(const Part& other) const {
    return std::tie(away, number) < std::tie(other.away, other.number);
  }
};
using Parts = std::vector<Part>;

// How far parts reach.
struct Reach {
  i64 first = 0, last = 0;
  void cover(i64 away) {
    first = std::min(first, away);
    last = std::max(last, away);
  }
  i64 more() const { return last - first; }
};

struct Structure {
  std::vector<Chord> chords;  // the shortest first
  std::vector<Parts> layers;  // each of chords
  Parts planes;               // of layers
  Reach z, y;
  i64 x = 0;
  bool centred;

  Structure(List<const i64> offsets, i64 sign) {
    std::vector<std::tuple<i64, i64, i64>> all;
    for (i64 i = 0; i + 2 < offsets.size; i += 3)
      all.emplace_back(sign * offsets[i], sign * offsets[i + 1], sign * offsets[i + 2]);
    std::sort(all.begin(), all.end());
    centred = std::binary_search(all.begin(), all.end(), std::make_tuple(i64(0), i64(0), i64(0)));
    std::map<Chord, int> known;
    std::map<i64, std::vector<std::pair<i64, Chord>>> rows;
    for (std::size_t i = 0, n; i < all.size(); i = n) {
      const auto [dz, dy, dx] = all[i];
      for (n = i + 1; n < all.size() && all[n] == std::make_tuple(dz, dy, dx + i64(n - i));) ++n;
      const Chord chord{dx, i64(n - i)};
      known[chord] = 0;
      rows[dz].emplace_back(dy, chord);
      z.cover(dz);
      y.cover(dy);
      x = std::max({x, std::abs(dx), std::abs(dx + chord.count)});
    }
    for (auto& [chord, number] : known) {
      number = int(chords.size());
      chords.push_back(chord);
    }
    std::map<Parts, int> different;
    for (const auto& [dz, runs] : rows) {
      Parts layer;
      for (const auto& [dy, chord] : runs) layer.push_back({dy, known[chord]});
      const auto [at, added] = different.emplace(layer, int(layers.size()));
      if (added) layers.push_back(layer);
      planes.push_back({dz, at->second});
    }
  }
};

// A line's words moved by so many voxels.
struct Shift {
  const u64* from;
  int part;
  Shift(const u64* line, i64 by) : from(line + (by >> 6)), part(int(by & 63)) {}
  V operator()(i64 w) const {
    return simd::load(from + w) >> part | (simd::load(from + w + 1) << 1) << (63 - part);
  }
};

// out = the AND of `count` lines.
void all_of(const u64* const* lines, i64 count, u64* out, i64 words) {
  constexpr int N = stretch / L;
  for (i64 w = 0; w < words; w += stretch) {
    V all[N];
    for (int v = 0; v < N; ++v) all[v] = ~u64(0);
    for (i64 i = 0; i < count; ++i)
      for (int v = 0; v < N; ++v) all[v] &= simd::load(lines[i] + w + v * L);
    for (int v = 0; v < N; ++v) simd::store(out + w + v * L, all[v]);
  }
}

// A mask in memory: no words between its rows, and nothing set behind their ends.
struct Bits {
  Size size;
  i64 words;  // of a row
  Scratch<u64> room;

  explicit Bits(Size of, bool used = true)
      : size(of), words(bits::words(of.x)), room(used ? of.z * of.y * words : 0) {}
  u64* row(i64 z, i64 y) const { return room.data() + (z * size.y + y) * words; }
  u64 inside(i64 w) const { return bits::first(bits::voxels_in(w, size.x)); }

  void read(On on, View<const u8> x) const {
    parallel_slabs(on, size.z * size.y, 65536 / size.x + 1, [&](i64 begin, i64 end) {
      for (i64 i = begin; i < end; ++i) {
        const u8* from = x.row(i / size.y, i % size.y);
        for (i64 w = 0; w < words; ++w)
          room[i * words + w] =
              bits::differs(from + w * bits::width, bits::voxels_in(w, size.x), u8(0));
      }
    });
  }
  static void write_row(const u64* row, u8* to, i64 count) {
    for (i64 w = 0; w * bits::width < count; ++w)
      bits::spread(to + w * bits::width, row[w], bits::voxels_in(w, count));
  }
  void write(On on, View<u8> y) const {
    parallel_slabs(on, size.z * size.y, 65536 / size.x + 1, [&](i64 begin, i64 end) {
      for (i64 i = begin; i < end; ++i)
        write_row(&room[i * words], y.row(i / size.y, i % size.y), size.x);
    });
  }
};

// What one erosion reads, and where it writes: bits, or bytes.
struct Step {
  const Structure& structure;
  u64 border, flip;  // of the bits that are read; flip turns an erosion into a dilation
  const Bits &now, &next, &allowed;
  const View<u8>* bytes;
  bool watch;
};

// Some rows of some planes, from plane to plane.
class Tile {
 public:
  Tile(const Step& step, i64 first, i64 last)
      : step_(step),
        s_(step.structure),
        first_(first),
        last_(last),
        pad_(s_.x / bits::width + 1),
        pitch_(step.now.words + pad_),
        rows_(last - first + s_.y.more()),
        line_(rows_ * pitch_ + 5 * pad_ + stretch + L),
        slots_(s_.z.more() + 1),
        source_(line_),
        work_(line_),
        chords_(i64(s_.chords.size()) * line_),
        ring_(slots_ * i64(s_.layers.size()) * layer_words()),
        answer_(layer_words()) {
    std::fill(source_.begin(), source_.end(), step.border);
    for (const Scratch<u64>* room : {&work_, &chords_, &ring_})
      std::fill(room->begin(), room->end(), u64(0));
    std::size_t most = s_.planes.size();
    for (const Parts& layer : s_.layers) most = std::max(most, layer.size());
    from_.resize(most);
  }

  // Whether any voxel changed, if that is watched.
  bool run(i64 begin, i64 end) {
    u64 differs = 0;
    for (i64 z = begin + s_.z.first; z < begin + s_.z.last; ++z) enter(z);
    for (i64 z = begin; z < end; ++z) {
      enter(z + s_.z.last);
      for (std::size_t i = 0; i < s_.planes.size(); ++i)
        from_[i] = layer(z + s_.planes[i].away, s_.planes[i].number);
      all_of(from_.data(), i64(s_.planes.size()), answer_.data(), words());
      for (i64 y = first_; y < last_; ++y) differs |= finish(z, y);
    }
    return differs != 0;
  }

 private:
  const Step& step_;
  const Structure& s_;
  const i64 first_, last_, pad_, pitch_, rows_, line_, slots_;
  Scratch<u64> source_, work_, chords_, ring_, answer_;
  std::vector<const u64*> from_;

  i64 words() const { return (last_ - first_) * pitch_; }
  i64 layer_words() const { return words() + stretch; }
  u64* chord(int number) const { return chords_.data() + number * line_; }
  u64* layer(i64 z, int number) const {
    const i64 slot = ((z % slots_ + slots_) % slots_) * i64(s_.layers.size()) + number;
    return ring_.data() + slot * layer_words();
  }

  // Makes the layers of a plane.
  void enter(i64 z) {
    if (z < 0 || z >= step_.now.size.z) {
      std::fill_n(layer(z, 0), i64(s_.layers.size()) * layer_words(), step_.border);
      return;
    }
    read(z);
    const u64* const line = source_.data() + pad_;
    for (std::size_t c = 0; c < s_.chords.size(); ++c) erode(line, int(c));
    for (std::size_t n = 0; n < s_.layers.size(); ++n) {
      const Parts& parts = s_.layers[n];
      for (std::size_t i = 0; i < parts.size(); ++i)
        from_[i] = chord(parts[i].number) + (parts[i].away - s_.y.first) * pitch_;
      all_of(from_.data(), i64(parts.size()), layer(z, int(n)), words());
    }
  }

  void read(i64 z) {
    const Bits& now = step_.now;
    const u64 rest = now.inside(now.words - 1), behind = step_.border & ~rest;
    for (i64 i = 0; i < rows_; ++i) {
      const i64 y = first_ + s_.y.first + i;
      u64* const to = source_.data() + pad_ + i * pitch_;
      if (y < 0 || y >= now.size.y) {
        std::fill_n(to, now.words, step_.border);
        continue;
      }
      const u64* const from = now.row(z, y);
      for (i64 w = 0; w < now.words; ++w) to[w] = from[w] ^ step_.flip;
      to[now.words - 1] = (to[now.words - 1] & rest) | behind;
    }
  }

  // The erosion of all rows by a chord: the AND of the line shifted by each of its offsets, ...
  void erode(const u64* line, int number) {
    const Chord c = s_.chords[number];
    const Chord less = number ? s_.chords[number - 1] : Chord{0, 1};
    u64* const out = chord(number);
    if (!c.little_more_than(less)) return erode_anew(line, c, out);
    // ... of those that the chord before lacks, two at a time, ...
    i64 lacking[4], count = 0;
    for (i64 x = c.first; x < less.first; ++x) lacking[count++] = x;
    for (i64 x = less.first + less.count; x < c.first + c.count; ++x) lacking[count++] = x;
    const u64* from = number ? chord(number - 1) : line;
    if (count == 0) std::copy_n(from, rows_ * pitch_, out);
    for (i64 i = 0; i < count; i += 2) {
      const Shift a(line, lacking[i]), b(line, lacking[std::min(i + 1, count - 1)]);
      for (i64 w = 0; w < rows_ * pitch_; w += L)
        simd::store(out + w, simd::load(from + w) & a(w) & b(w));
      from = out;
    }
  }

  // ... or of all, by doubling.
  void erode_anew(const u64* line, Chord c, u64* out) {
    const i64 used = rows_ * pitch_ + 2 * pad_;
    u64* const work = work_.data();
    const Shift start(line, c.first);
    for (i64 w = 0; w < used; w += L) simd::store(work + w, start(w));
    for (i64 done = 1; done < c.count;) {
      const i64 by = std::min(done, c.count - done);
      const Shift other(work, by);
      for (i64 w = 0; w < used; w += L) simd::store(work + w, simd::load(work + w) & other(w));
      done += by;
    }
    std::copy_n(work, rows_ * pitch_, out);
  }

  u64 finish(i64 z, i64 y) {
    const Bits& now = step_.now;
    u64* const row = answer_.data() + (y - first_) * pitch_;
    for (i64 w = 0; w < now.words; ++w) row[w] ^= step_.flip;
    row[now.words - 1] &= now.inside(now.words - 1);
    u64 differs = 0;
    if (step_.watch || step_.allowed.room.size()) {
      const u64* const before = now.row(z, y);
      if (step_.allowed.room.size()) {
        const u64* const allowed = step_.allowed.row(z, y);
        for (i64 w = 0; w < now.words; ++w)
          row[w] = (row[w] & allowed[w]) | (before[w] & ~allowed[w]);
      }
      for (i64 w = 0; w < now.words; ++w) differs |= row[w] ^ before[w];
    }
    if (step_.bytes)
      Bits::write_row(row, step_.bytes->row(z, y), now.size.x);
    else
      std::copy_n(row, now.words, step_.next.row(z, y));
    return differs;
  }
};

// A dilation until nothing changes. What a row has got since it was last visited spreads along the
// row and to the rows that the structure reaches; rows that were given something are visited in
// sweeps, forwards and backwards. The answer is the one fixed point, whatever comes first.
class Growth {
 public:
  // Grows `seeds` within `inside`, which holds them.
  Growth(const Structure& structure, const Bits& seeds, const Bits& inside, const Bits& reached)
      : s_(structure),
        size_(inside.size),
        words_(inside.words),
        rows_(size_.z * size_.y),
        pad_(s_.x / bits::width + 1),
        used_((words_ + 2 * pad_ + L - 1) / L * L),
        pending_(seeds),
        inside_(inside),
        reached_(reached),
        queued_(bits::words(rows_)),
        line_(pad_ + used_ + 2 * pad_ + L),
        chords_(i64(s_.chords.size()) * (used_ + pad_ + L)) {
    for (const Scratch<u64>* room : {&queued_, &line_, &chords_})
      std::fill(room->begin(), room->end(), u64(0));
    std::fill(reached.room.begin(), reached.room.end(), u64(0));
    for (i64 row = 0; row < rows_; ++row)
      if (std::any_of(at(pending_, row), at(pending_, row) + words_, [](u64 w) { return w; }))
        queue(row);
    for (const Part& plane : s_.planes)
      for (const Part& part : s_.layers[std::size_t(plane.number)]) {
        const Chord c = s_.chords[std::size_t(part.number)];
        if (plane.away || part.away) continue;
        upwards_ |= c.holds(-1);
        downwards_ |= c.holds(1);
        leaps_ |= c.first < -1 || c.first + c.count > 2;
      }
  }

  void run() {
    for (bool upwards = true; low_ <= high_; upwards = !upwards) {
      const i64 from = low_ / bits::width, to = high_ / bits::width;
      low_ = rows_;
      high_ = -1;
      for (i64 n = 0; n <= to - from; ++n) {
        const i64 w = upwards ? from + n : to - n;
        while (queued_[w]) {
          const int bit = upwards ? bits::lowest(queued_[w]) : bits::highest(queued_[w]);
          queued_[w] &= ~(u64(1) << bit);
          visit(w * bits::width + bit);
        }
      }
    }
  }

 private:
  const Structure& s_;
  const Size size_;
  const i64 words_, rows_, pad_, used_;
  const Bits &pending_, &inside_, &reached_;
  Scratch<u64> queued_, line_, chords_;
  i64 low_ = rows_, high_ = -1;  // no row outside these is queued, but for those of this sweep
  bool upwards_ = false, downwards_ = false, leaps_ = false;  // what a row gives itself

  u64* at(const Bits& of, i64 row) const { return &of.room[row * words_]; }
  u64* chord(int number) const { return &chords_[number * (used_ + pad_ + L)]; }
  void queue(i64 row) {
    queued_[row / bits::width] |= u64(1) << (row % bits::width);
    low_ = std::min(low_, row);
    high_ = std::max(high_, row);
  }

  void visit(i64 row) {
    u64 *pending = at(pending_, row), *reached = at(reached_, row), *found = line_.data() + pad_;
    const u64* inside = at(inside_, row);
    std::copy_n(pending, words_, found);
    std::fill_n(pending, words_, u64(0));
    bool carry = false;
    for (i64 w = 0; w < words_ && upwards_; ++w)
      found[w] = bits::fill_upwards(found[w], inside[w], carry);
    carry = false;
    for (i64 w = words_ - 1; w >= 0 && downwards_; --w)
      found[w] = bits::fill_downwards(found[w], inside[w], carry);
    u64 any = 0;
    for (i64 w = 0; w < words_; ++w) {
      any |= found[w] &= ~reached[w];
      reached[w] |= found[w];
    }
    if (!any) return;
    for (std::size_t c = 0; c < s_.chords.size(); ++c) spread(s_.chords[c], chord(int(c)));
    const i64 z = row / size_.y, y = row % size_.y;
    for (const Part& plane : s_.planes) {
      const i64 to = z - plane.away;
      if (to < 0 || to >= size_.z) continue;
      for (const Part& part : s_.layers[std::size_t(plane.number)]) {
        const i64 other = y - part.away;
        if (other < 0 || other >= size_.y) continue;
        if (plane.away || part.away || leaps_) offer(to * size_.y + other, chord(part.number));
      }
    }
  }

  // All that one of a chord's offsets leads to what was found: by doubling, as an erosion.
  void spread(Chord c, u64* out) const {
    const u64* const line = line_.data() + pad_;
    const Shift start(line, c.first);
    for (i64 w = 0; w < used_; w += L) simd::store(out + w, start(w));
    for (i64 done = 1; done < c.count;) {
      const i64 by = std::min(done, c.count - done);
      const Shift other(out, by);
      for (i64 w = 0; w < used_; w += L) simd::store(out + w, simd::load(out + w) | other(w));
      done += by;
    }
  }

  void offer(i64 row, const u64* from) {
    const u64 *inside = at(inside_, row), *reached = at(reached_, row);
    u64 *pending = at(pending_, row), any = 0;
    for (i64 w = 0; w < words_; ++w) {
      const u64 add = from[w] & inside[w] & ~reached[w];
      pending[w] |= add;
      any |= add;
    }
    if (any) queue(row);
  }
};

// One erosion; says whether anything changed, if that is watched.
bool erode(On on, const Step& step) {
  const Structure& s = step.structure;
  const Size n = step.now.size;
  const i64 tiles = 4 * on.threads;
  // So many rows that the rings stay in the cache, in strips not much shorter than what they share.
  constexpr i64 ring_bytes = 192 << 10;
  const i64 lines = 1 + i64(s.chords.size()) + i64(s.layers.size()) * (s.z.more() + 1);
  const i64 row_bytes = 8 * (step.now.words + s.x / bits::width + 1);
  const i64 least = std::max<i64>(16, 2 * s.y.more());
  const i64 most = n.z < tiles ? n.y * n.z / tiles : n.y;
  const i64 high = std::max(least, std::min(ring_bytes / (lines * row_bytes), most));
  const i64 strips = (n.y + high - 1) / high;
  const i64 deep = std::max({i64(1), 2 * s.z.more(), n.z * strips / tiles});
  const i64 blocks = (n.z + deep - 1) / deep;
  std::atomic<bool> changed{false};
  parallel_for(on, blocks * strips, [&](i64 i) {
    const i64 strip = i % strips, block = i / strips;
    Tile tile(step, strip * n.y / strips, (strip + 1) * n.y / strips);
    if (tile.run(block * n.z / blocks, (block + 1) * n.z / blocks))
      changed.store(true, std::memory_order_relaxed);
  });
  return changed.load(std::memory_order_relaxed);
}

// Erosions until nothing changes, by a structure that holds its centre: what spreads never goes.
void settle(On on, const Step& step, Bits& now, Bits& next) {
  if (!step.border) {  // what spreads from outside has done so after one
    erode(on, step);
    std::swap(now, next);
  }
  const Bits inside(now.size);
  const Size n = now.size;
  parallel_slabs(on, n.z * n.y, 65536 / n.x + 1, [&](i64 begin, i64 end) {
    for (i64 i = begin * now.words; i < end * now.words; ++i) {
      const u64 all = now.inside(i % now.words);
      next.room[i] = (now.room[i] ^ ~step.flip) & all;
      inside.room[i] = next.room[i] | (step.allowed.room.size() ? step.allowed.room[i] : all);
    }
  });
  Growth(step.structure, next, inside, now).run();
  if (step.flip) return;
  for (i64 i = 0; i < now.room.size(); ++i) now.room[i] = ~now.room[i] & now.inside(i % now.words);
}

}  // namespace

void binary_erosion(On on, View<const u8> x, View<u8> y, View<const u8> mask,
                    List<const i64> offsets, i64 iterations, i64 border, i64 any, i64 then) {
  Bits now(x.size), next(x.size, iterations != 1 || then >= 0);
  const Bits allowed(x.size, mask.data != nullptr);
  now.read(on, x);
  if (mask.data) allowed.read(on, mask);
  const auto all = [](bool set) { return set ? ~u64(0) : u64(0); };
  bool written = false;
  for (int turned = 0; turned < (then < 0 ? 1 : 2); ++turned) {
    const Structure structure(offsets, turned ? -1 : 1);
    const u64 flip = all((any != 0) != (turned != 0));
    const u64 outside = all((turned ? then : border) != 0) ^ flip;
    if (iterations < 1 && structure.centred) {
      settle(on, {structure, outside, flip, now, next, allowed, nullptr, false}, now, next);
      continue;
    }
    for (i64 n = 1; iterations < 1 || n <= iterations; ++n) {
      const bool last = n == iterations;
      written = last && (turned || then < 0);
      const bool changed =
          erode(on, {structure, outside, flip, now, next, allowed, written ? &y : nullptr, !last});
      if (!written) std::swap(now, next);
      if (!last && !changed) break;  // what does not change once never does
    }
  }
  if (!written) now.write(on, y);
}

}  // namespace voxkern::cpu
