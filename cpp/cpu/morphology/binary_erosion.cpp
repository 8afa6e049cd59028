// A mask as bits, 64 voxels to a word. The structure falls into chords: runs of offsets along x. An
// erosion by each different chord is made once, from that by a chord within it where there is one;
// the answer is the AND of these at other rows. A dilation is the erosion of the complement.
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

// Offsets from x + first to x + first + count - 1.
struct Chord {
  i64 first, count;
  bool operator<(const Chord& other) const {
    return std::tie(count, first) < std::tie(other.count, other.first);
  }
  // Whether another lies within it, and lacks few of its offsets.
  bool little_more_than(const Chord& other) const {
    return first <= other.first && other.first + other.count <= first + count &&
           count - other.count <= 4;
  }
};

// The chord's erosion, taken from dz planes and dy rows away.
struct Term {
  i64 dz, dy;
  int chord;
};

struct Structure {
  std::vector<Chord> chords;
  std::vector<Term> terms;

  explicit Structure(List<const i64> offsets) {
    std::vector<std::tuple<i64, i64, i64>> all;
    for (i64 i = 0; i + 2 < offsets.size; i += 3)
      all.emplace_back(offsets[i], offsets[i + 1], offsets[i + 2]);
    std::sort(all.begin(), all.end());
    std::map<Chord, int> known;
    std::vector<Chord> at;
    for (std::size_t i = 0; i < all.size();) {
      const auto [dz, dy, dx] = all[i];
      std::size_t n = i + 1;
      while (n < all.size() && all[n] == std::make_tuple(dz, dy, dx + i64(n - i))) ++n;
      const Chord chord{dx, i64(n - i)};
      known[chord] = 0;
      at.push_back(chord);
      terms.push_back({dz, dy, 0});
      i = n;
    }
    for (auto& [chord, number] : known) {
      number = int(chords.size());
      chords.push_back(chord);
    }
    for (std::size_t i = 0; i < terms.size(); ++i) terms[i].chord = known[at[i]];
  }
};

// One row with room on both sides, all of it `border`.
class Row {
  using V = Vec<u64>;
  static constexpr i64 L = V::lanes;

 public:
  Row(i64 words, i64 reach, u64 border)
      : words_(words),
        pad_(reach / bits::width + 2),
        room_(words + 4 * pad_ + 2 * L, border),
        work_(room_) {}

  void set(const u64* row) { std::copy_n(row, words_, room_.begin() + pad_); }

  // The AND of the row shifted by each offset of the chord: those that the smaller one lacks, ...
  void erode(Chord chord, Chord smaller, const u64* eroded, u64* out) const {
    const u64* const row = room_.data() + pad_;
    for (i64 w = 0; w < words_; w += L) {
      const int n = int(std::min(L, words_ - w));
      V word = simd::load(eroded + w, n);
      for (i64 x = chord.first; x < smaller.first; ++x) word &= shifted(row + w, x);
      for (i64 x = smaller.first + smaller.count; x < chord.first + chord.count; ++x)
        word &= shifted(row + w, x);
      simd::store(out + w, word, n);
    }
  }

  // ... or all, by doubling.
  void erode(Chord chord, u64* out) {
    const i64 used = words_ + pad_;
    u64* const work = work_.data();
    for (i64 w = 0; w < used; w += L)
      simd::store(work + w, shifted(room_.data() + pad_ + w, chord.first));
    for (i64 done = 1; done < chord.count;) {
      const i64 by = std::min(done, chord.count - done);
      for (i64 w = 0; w < used; w += L)
        simd::store(work + w, simd::load(work + w) & shifted(work + w, by));
      done += by;
    }
    std::copy_n(work, words_, out);
  }

 private:
  i64 words_, pad_;
  std::vector<u64> room_, work_;

  static V shifted(const u64* row, i64 by) {
    row += by >> 6;
    const int part = int(by & 63);
    const V low = simd::load(row) >> part;
    return part ? low | simd::load(row + 1) << (bits::width - part) : low;
  }
};

class Eroder {
 public:
  Eroder(On on, Size size, View<const u8> mask, const Structure& structure, u64 border)
      : on_(on),
        size_(size),
        words_(bits::words(size.x)),
        rows_(size.z * size.y),
        border_(border),
        structure_(structure),
        now_(rows_ * words_),
        next_(rows_ * words_),
        allowed_(mask.data ? rows_ * words_ : 0) {
    if (mask.data) pack(mask, 0, 0, allowed_);
    for (const Chord& chord : structure.chords) {
      reach_ = std::max({reach_, std::abs(chord.first), std::abs(chord.first + chord.count)});
      eroded_.emplace_back(plain(chord) ? 0 : rows_ * words_);
    }
  }

  void read(View<const u8> x, u64 flip) { pack(x, flip, border_, now_); }

  // One erosion; says whether anything changed, if it is to watch.
  bool step(bool watch) {
    erode_chords();
    std::atomic<bool> changed{false};
    const i64 strip = std::max<i64>(1, 512 / words_);  // rows that stay in the nearest cache
    const i64 strips = (size_.y + strip - 1) / strip;
    parallel_slabs(on_, size_.z * strips, std::max<i64>(1, 128 / strip), [&](i64 begin, i64 end) {
      u64 differs = 0;
      for (i64 s = begin; s < end; ++s) {
        const i64 first = s % strips * strip;
        differs |= combine(s / strips, first, std::min(first + strip, size_.y), watch);
      }
      if (differs) changed.store(true, std::memory_order_relaxed);
    });
    std::swap(now_, next_);
    return changed.load(std::memory_order_relaxed);
  }

  void write(View<u8> y, u64 flip) const {
    parallel_slabs(on_, rows_, 65536 / size_.x + 1, [&](i64 begin, i64 end) {
      for (i64 row = begin; row < end; ++row)
        for (i64 w = 0; w < words_; ++w)
          bits::spread(y.row(row / size_.y, row % size_.y) + w * bits::width,
                       now_[row * words_ + w] ^ flip, bits::voxels_in(w, size_.x));
    });
  }

 private:
  On on_;
  Size size_;
  i64 words_, rows_, reach_ = 0;
  u64 border_;
  const Structure& structure_;
  Scratch<u64> now_, next_, allowed_;
  std::vector<Scratch<u64>> eroded_;

  static bool plain(Chord chord) { return chord.first == 0 && chord.count == 1; }

  // The bits behind the end of a row are those of what lies outside.
  u64 behind(i64 w) const { return ~bits::first(bits::voxels_in(w, size_.x)); }

  void pack(View<const u8> x, u64 flip, u64 outside, Scratch<u64>& into) const {
    parallel_slabs(on_, rows_, 65536 / size_.x + 1, [&](i64 begin, i64 end) {
      for (i64 row = begin; row < end; ++row) {
        const u8* from = x.row(row / size_.y, row % size_.y);
        for (i64 w = 0; w < words_; ++w) {
          const u64 set = bits::differs(from + w * bits::width, bits::voxels_in(w, size_.x), u8(0));
          into[row * words_ + w] = ((set ^ flip) & ~behind(w)) | (outside & behind(w));
        }
      }
    });
  }

  void erode_chords() {
    parallel_slabs(on_, rows_, 65536 / size_.x + 1, [&](i64 begin, i64 end) {
      Row row(words_, reach_, border_);
      for (i64 r = begin; r < end; ++r) {
        row.set(&now_[r * words_]);
        for (std::size_t c = 0; c < structure_.chords.size(); ++c) {
          const Chord& chord = structure_.chords[c];
          if (plain(chord)) continue;
          u64* out = &eroded_[c][r * words_];
          const Chord smaller = c ? structure_.chords[c - 1] : Chord{0, 1};
          if (chord.little_more_than(smaller))
            row.erode(chord, smaller, plain(smaller) ? &now_[r * words_] : out_of(c - 1, r), out);
          else
            row.erode(chord, out);
        }
      }
    });
  }

  const u64* out_of(std::size_t chord, i64 row) const { return &eroded_[chord][row * words_]; }

  // The AND of the terms for whole rows of a plane: where some rows of a term lie outside, ...
  void combine_some(i64 z, i64 first, i64 last) {
    u64* out = &next_[(z * size_.y + first) * words_];
    const i64 count = (last - first) * words_;
    std::fill_n(out, count, ~u64(0));
    for (const Term& term : structure_.terms) {
      const i64 from = std::clamp<i64>(-term.dy, first, last);
      const i64 to = std::clamp<i64>(size_.y - term.dy, from, last);
      const bool there = 0 <= z + term.dz && z + term.dz < size_.z;
      if (!border_) {
        std::fill_n(out, there ? (from - first) * words_ : count, 0);
        if (there) std::fill(out + (to - first) * words_, out + count, 0);
      }
      if (!there) continue;
      const Scratch<u64>& eroded =
          plain(structure_.chords[term.chord]) ? now_ : eroded_[term.chord];
      const u64* in = eroded.data() + ((z + term.dz) * size_.y + from + term.dy) * words_;
      u64* at = out + (from - first) * words_;
      for (i64 n = 0; n < (to - from) * words_; ++n) at[n] &= in[n];
    }
  }

  // ... and where all are there: words stay in registers while the terms go by.
  void combine_inner(i64 z, i64 first, i64 last) {
    std::vector<const u64*> terms;
    for (const Term& term : structure_.terms) {
      const Chord chord = structure_.chords[term.chord];
      const u64* in = plain(chord) ? now_.data() : eroded_[term.chord].data();
      terms.push_back(in + ((z + term.dz) * size_.y + first + term.dy) * words_);
    }
    constexpr int N = 8;
    using V = Vec<u64>;
    u64* out = &next_[(z * size_.y + first) * words_];
    const i64 count = (last - first) * words_, many = i64(terms.size());
    const u64* const* from = terms.data();
    i64 n = 0;
    for (; n + N * V::lanes <= count; n += N * V::lanes) {
      V all[N];
      for (int v = 0; v < N; ++v) all[v] = ~u64(0);
      for (i64 t = 0; t < many; ++t)
        for (int v = 0; v < N; ++v) all[v] &= simd::load(from[t] + n + v * V::lanes);
      for (int v = 0; v < N; ++v) simd::store(out + n + v * V::lanes, all[v]);
    }
    for (; n < count; ++n) {
      u64 all = ~u64(0);
      for (i64 t = 0; t < many; ++t) all &= from[t][n];
      out[n] = all;
    }
  }

  u64 combine(i64 z, i64 first, i64 last, bool watch) {
    i64 from = first, to = last;
    bool there = true;
    for (const Term& term : structure_.terms) {
      from = std::max(from, -term.dy);
      to = std::min(to, size_.y - term.dy);
      there = there && 0 <= z + term.dz && z + term.dz < size_.z;
    }
    if (there && from < to) {
      if (first < from) combine_some(z, first, from);
      combine_inner(z, from, to);
      if (to < last) combine_some(z, to, last);
    } else {
      combine_some(z, first, last);
    }
    const i64 begin = (z * size_.y + first) * words_, end = (z * size_.y + last) * words_;
    u64* const out = next_.data();
    const u64* const before = now_.data();
    if (allowed_.size()) {
      const u64* const allowed = allowed_.data();
      for (i64 i = begin; i < end; ++i) out[i] = (out[i] & allowed[i]) | (before[i] & ~allowed[i]);
    }
    const u64 rest = behind(words_ - 1);
    for (i64 i = begin + words_ - 1; rest && i < end; i += words_)
      out[i] = (out[i] & ~rest) | (border_ & rest);
    u64 differs = 0;
    for (i64 i = begin; watch && i < end; ++i) differs |= out[i] ^ before[i];
    return differs;
  }
};

}  // namespace

void binary_erosion(On on, View<const u8> x, View<u8> y, View<const u8> mask,
                    List<const i64> offsets, i64 iterations, i64 border, i64 any) {
  const Structure structure(offsets);
  const u64 flip = any ? ~u64(0) : 0;
  Eroder eroder(on, x.size, mask, structure, (border ? ~u64(0) : 0) ^ flip);
  eroder.read(x, flip);
  for (i64 n = 0; iterations < 1 || n < iterations; ++n)
    if (!eroder.step(n + 1 != iterations)) break;  // what does not change once never does
  eroder.write(y, flip);
}

}  // namespace voxkern::cpu
