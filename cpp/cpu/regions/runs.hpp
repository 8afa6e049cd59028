// Connected regions by runs of voxels, on bits and threads.
//
// The runs of a volume are numbered in raster order. A forest over these numbers joins the runs
// that touch; every tree's root is its smallest number (Rem's union-find with splicing). A region's
// root is therefore the run of its first voxel, whatever the threads did, and counting roots
// upwards numbers the regions as scikit-image and SciPy do.
#pragma once
#include <voxkern/bits.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <vector>

namespace voxkern::cpu {

// Which voxels are neighbours: those that differ by one along at most `connectivity` axes, and only
// within a plane where planes are apart.
struct Near {
  int connectivity;
  bool across_planes = true;
};

// A volume as bits: which voxels are inside, and where runs begin.
struct Runs {
  Size size;
  i64 rows, words;         // words a row
  i64 reach;               // how many rows back the neighbours of a row go
  std::vector<i64> slab;   // slab s holds the rows from slab[s] to slab[s + 1]
  std::vector<i64> first;  // and the runs from first[s] to first[s + 1]
  Scratch<u64> inside, starts;
  Scratch<i64> base;  // how many runs come before a row

  Runs(On on, Size of, Near near)
      : size(of),
        rows(of.z * of.y),
        words(bits::words(of.x)),
        reach(near.across_planes && of.z > 1 ? of.y + 1 : 1),
        inside(rows * words),
        starts(rows * words),
        base(rows) {
    const i64 grain = std::max(reach, 16384 / std::max<i64>(of.x, 1));
    const i64 most = on.threads > 1 ? 4 * i64(on.threads) : 1;
    const i64 slabs = std::clamp<i64>(rows / grain, 1, most);
    for (i64 s = 0; s <= slabs; ++s) slab.push_back(rows * s / slabs);
    first.assign(slabs + 1, 0);
  }
  i64 slabs() const { return i64(slab.size()) - 1; }
  i64 count() const { return first.back(); }

  // Calls fill(row, inside, starts) for every row, slab by slab, and numbers the runs.
  template <class Fill>
  void scan(On on, Fill fill) {
    parallel_for(on, slabs(), [&](i64 s) {
      i64 runs = 0;
      for (i64 row = slab[s]; row < slab[s + 1]; ++row) {
        base[row] = runs;
        u64* begins = &starts[row * words];
        fill(s, row, &inside[row * words], begins);
        for (i64 w = 0; w < words; ++w) runs += bits::count(begins[w]);
      }
      first[s + 1] = runs;
    });
    for (i64 s = 0; s < slabs(); ++s) first[s + 1] += first[s];
    parallel_for(on, slabs(), [&](i64 s) {
      for (i64 row = slab[s]; row < slab[s + 1]; ++row) base[row] += first[s];
    });
  }
};

// The starts of the runs of a row of bits.
inline void find_starts(const u64* inside, u64* starts, i64 words) {
  u64 before = 0;
  for (i64 w = 0; w < words; ++w) {
    starts[w] = inside[w] & ~(inside[w] << 1 | before);
    before = inside[w] >> 63;
  }
}

template <class I>
inline I find_root(const I* parent, I a) {
  while (parent[a] != a) a = parent[a];
  return a;
}

// Rem's algorithm: climbs both branches at once and hangs what it leaves behind higher up. Most
// often `a` is a root yet, or both have the same parent: what is to do is then the same, and asked
// for at once it is easy to predict.
template <class I>
inline void unite(I* parent, I a, I b) {
  const I over_a = parent[a], over_b = parent[b];
  if (std::min(over_a ^ over_b, (over_a ^ a) | I(over_b >= a)) == 0) {
    parent[a] = over_b;
    return;
  }
  while (parent[a] != parent[b]) {
    if (parent[a] < parent[b]) std::swap(a, b);
    const I up = parent[a];
    parent[a] = parent[b];
    if (up == a) return;
    a = up;
  }
}

// Contacts between rows of a mask: of the voxels `of` in word w of row a, those that touch a voxel
// of row b in the same column, the column before or the column after.
struct MaskRows {
  const u64* inside;
  i64 words;
  u64 same(u64 of, i64, i64 b, i64 w) const { return of & inside[b * words + w]; }
  u64 before(u64 of, i64, i64 b, i64 w) const {
    const u64* from = inside + b * words;
    return of & (from[w] << 1 | (w ? from[w - 1] >> 63 : 0));
  }
  u64 after(u64 of, i64, i64 b, i64 w) const {
    const u64* from = inside + b * words;
    return of & (from[w] >> 1 | (w + 1 < words ? from[w + 1] << 63 : 0));
  }
};

// The same for voxels of equal value.
template <class T>
struct ValueRows {
  View<const T> x;
  const u64* inside;
  i64 words;
  const T* row(i64 r) const { return x.row(r / x.size.y, r % x.size.y); }
  u64 same(u64 of, i64 a, i64 b, i64 w) const {
    of &= inside[b * words + w];
    if (!of) return 0;
    const i64 at = w * bits::width;
    return of & bits::equal(row(a) + at, row(b) + at, bits::voxels_in(w, x.size.x));
  }
  u64 before(u64 of, i64 a, i64 b, i64 w) const {
    if (!of) return 0;
    const i64 at = w * bits::width;
    const int n = bits::voxels_in(w, x.size.x);
    if (at) return of & bits::equal(row(a) + at, row(b) + at - 1, n);
    return of & bits::equal(row(a) + 1, row(b), n - 1) << 1;
  }
  u64 after(u64 of, i64 a, i64 b, i64 w) const {
    if (!of) return 0;
    const i64 at = w * bits::width, n = std::min<i64>(bits::width, x.size.x - 1 - at);
    return of & bits::equal(row(a) + at, row(b) + at + 1, int(n));
  }
};

// Pairs of runs that touch, noted word by word and then joined: loops over a few bits each end
// where no processor foresees it, so that bits are taken in fours and what is too much is
// overwritten.
template <class I>
class Pairs {
 public:
  // The runs of two rows at the bits of `from`, by where runs start in the word and by the numbers
  // of the first that does. At the bits of `back` it is the run of the column before that touches.
  void note(u64 from, u64 back, u64 starts, I own, u64 starts_there, I there) {
    const int end = count_ + bits::count(from);
    for (; count_ < end; count_ += 4)
      for (int i = 0; i < 4; ++i, from &= from - 1) {
        const u64 upto = from ^ (from - 1);
        pairs_[count_ + i] = {I(own + bits::count(starts & upto) - 1),
                              I(there + bits::count(starts_there & upto & ~(from & back)) - 1)};
      }
    count_ = end;
  }
  void join(I* parent) {
    for (int i = 0; i < count_; ++i) unite(parent, pairs_[i].own, pairs_[i].there);
    count_ = 0;
  }

 private:
  struct Pair {
    I own, there;
  };
  Pair pairs_[8 * bits::width + 4];
  int count_ = 0;
};

// One of the rows before a row, while both are walked word by word.
template <class I>
struct Beside {
  i64 row;
  bool there, wanted;
  I next = 0;    // the number of its next run
  u64 last = 0;  // the contact in the last column of the word before

  // Where stretches of contacts in the same column begin.
  u64 stretches(u64 same, u64 begin) {
    const u64 from = same & (~(same << 1 | last) | begin);
    last = same >> 63;
    return wanted ? from : 0;
  }
};

// Joins the runs of a row with those of the rows before it: those from row `edge` on, or, `over`
// it, those before `edge`. A contact is skipped where another one, noted in `skip`, implies it.
template <int connectivity, class I, class Rows>
void join_row(const Runs& runs, const Rows& rows, I* parent, i64 row, i64 edge, bool over,
              Near near) {
  const Size size = runs.size;
  const i64 y = row % size.y;
  const bool above = y > 0, behind = near.across_planes && row >= size.y;
  const auto beside = [&](bool there, i64 other) {
    Beside<I> found{other, there, there && (other < edge) == over};
    if (there) found.next = I(runs.base[other]);
    return found;
  };
  Beside<I> b = beside(above, row - 1), c = beside(behind, row - size.y),
            d = beside(above && behind, row - size.y - 1),
            e = beside(behind && y + 1 < size.y, row - size.y + 1);
  if (!(b.wanted || c.wanted || d.wanted || e.wanted)) return;
  const i64 words = runs.words;
  const u64 *inside = &runs.inside[row * words], *starts = &runs.starts[row * words];
  const auto begin_of = [&](const Beside<I>& of, i64 w) { return runs.starts[of.row * words + w]; };
  I own = I(runs.base[row]);
  Pairs<I> pairs;
  for (i64 w = 0; w < words; ++w) {
    const u64 begin = starts[w];
    if (inside[w]) {
      u64 stays = inside[w] & ~begin;  // voxels whose run came from the column before
      u64 next_stays = w + 1 < words ? inside[w + 1] & ~starts[w + 1] : 0;
      const u64 ends = ~(stays >> 1 | next_stays << 63);
      const u64 with_b = b.there ? rows.same(inside[w], row, b.row, w) : 0;
      const u64 with_c = c.there ? rows.same(inside[w], row, c.row, w) : 0;
      // Notes what touches in the same column and, if `slanted`, what touches across columns only.
      const auto note = [&](Beside<I>& of, u64 same, u64 skip, bool slanted, u64 skip_slanted) {
        u64 from = of.stretches(same, begin) & ~skip, before = 0;
        const u64 open = slanted && of.wanted ? inside[w] & ~same & ~skip_slanted : 0;
        if (open) {
          before = rows.before(open & begin, row, of.row, w);
          const u64 after = rows.after(open & ends, row, of.row, w);
          if (after) pairs.note(after, 0, begin, own, begin_of(of, w), of.next + 1);
        }
        if (from | before) pairs.note(from | before, before, begin, own, begin_of(of, w), of.next);
      };
      if constexpr (connectivity == 1) {
        const u64 with_d = d.there && c.wanted ? rows.same(with_b & with_c, row, d.row, w) : 0;
        if (b.there) note(b, with_b, 0, false, 0);
        if (c.there) note(c, with_c, with_b & with_d, false, 0);
      } else {
        const bool full = connectivity == 3;
        const u64 skip_d = with_b | with_c;
        if (c.there) note(c, with_c, 0, true, full ? with_b : 0);
        if (b.there) note(b, with_b, with_c, true, full ? with_c : 0);
        if (d.there) note(d, rows.same(inside[w] & ~skip_d, row, d.row, w), skip_d, full, skip_d);
        if (e.there) note(e, rows.same(inside[w] & ~with_c, row, e.row, w), with_c, full, with_c);
      }
      pairs.join(parent);
    } else {
      b.last = c.last = d.last = e.last = 0;
    }
    own += bits::count(begin);
    for (Beside<I>* of : {&b, &c, &d, &e})
      if (of->there) of->next += bits::count(begin_of(*of, w));
  }
}

// Joins all runs that touch. Slabs first, each in its own numbers; then the seams between them,
// pair by pair, so that no two tasks of a round meet in the same numbers.
template <int connectivity, class I, class Rows>
void join_runs(On on, const Runs& runs, const Rows& rows, I* parent, Near near) {
  parallel_for(on, runs.slabs(), [&](i64 s) {
    for (i64 i = runs.first[s]; i < runs.first[s + 1]; ++i) parent[i] = I(i);
    for (i64 row = runs.slab[s]; row < runs.slab[s + 1]; ++row)
      join_row<connectivity>(runs, rows, parent, row, runs.slab[s], false, near);
    for (i64 i = runs.first[s]; i < runs.first[s + 1]; ++i) parent[i] = parent[parent[i]];
  });
  for (i64 apart = 1; apart < runs.slabs(); apart *= 2) {
    const i64 seams = (runs.slabs() - apart + 2 * apart - 1) / (2 * apart);
    parallel_for(on, seams, [&](i64 i) {
      const i64 s = apart + 2 * apart * i, edge = runs.slab[s];
      for (i64 row = edge; row < std::min(edge + runs.reach, runs.slab[s + 1]); ++row)
        join_row<connectivity>(runs, rows, parent, row, edge, true, near);
    });
  }
}

template <class I, class Rows>
void join_runs(On on, const Runs& runs, const Rows& rows, I* parent, Near near) {
  if (near.connectivity == 1)
    join_runs<1>(on, runs, rows, parent, near);
  else if (near.connectivity == 2)
    join_runs<2>(on, runs, rows, parent, near);
  else
    join_runs<3>(on, runs, rows, parent, near);
}

// The forest over the runs of a mask.
template <class I>
Scratch<I> join_mask(On on, const Runs& runs, Near near) {
  Scratch<I> parent(runs.count());
  join_runs(on, runs, MaskRows{runs.inside.data(), runs.words}, parent.data(), near);
  return parent;
}

// Calls f(run, voxels) for the pieces of runs that lie in one word; `next` is the first run that
// starts in it or later, and then the first that starts after it.
template <class F>
inline void each_piece(u64 inside, u64 starts, i64& next, F f) {
  const auto below = [](u64 bits) { return bits ? (bits & -bits) - 1 : ~u64(0); };
  if (const u64 running_in = inside & below(starts)) f(next - 1, running_in);
  while (starts) {
    const u64 from = ~(starts & -starts) + 1;  // this start and all that is above it
    starts &= starts - 1;
    f(next++, inside & from & below(starts));
  }
}

// How many voxels each region has, in the place of its root; other places hold anything.
template <class I>
Scratch<i64> region_sizes(On on, const Runs& runs, const I* parent) {
  Scratch<i64> sizes(runs.count());
  parallel_for(on, runs.slabs(), [&](i64 s) {
    std::fill(sizes.begin() + runs.first[s], sizes.begin() + runs.first[s + 1], 0);
    i64 next = runs.first[s];
    for (i64 at = runs.slab[s] * runs.words; at < runs.slab[s + 1] * runs.words; ++at)
      each_piece(runs.inside[at], runs.starts[at], next,
                 [&](i64 run, u64 voxels) { sizes[run] += bits::count(voxels); });
  });
  for (i64 i = 0; i < runs.count(); ++i)
    if (parent[i] != I(i)) sizes[find_root(parent, I(i))] += sizes[i];
  return sizes;
}

// Writes 1 in the runs whose region is `kept`, a flag in the place of its root, and 0 elsewhere;
// or, with `outside_too`, 1 in all that is in no run as well.
template <class I>
void write_kept(On on, const Runs& runs, const I* parent, const u8* kept, bool outside_too,
                View<u8> y) {
  parallel_for(on, runs.slabs(), [&](i64 s) {
    for (i64 row = runs.slab[s]; row < runs.slab[s + 1]; ++row) {
      i64 next = runs.base[row];
      u8* out = y.row(row / y.size.y, row % y.size.y);
      for (i64 w = 0; w < runs.words; ++w) {
        const u64 inside = runs.inside[row * runs.words + w];
        u64 set = outside_too ? ~inside : 0;
        each_piece(inside, runs.starts[row * runs.words + w], next, [&](i64 run, u64 voxels) {
          if (kept[find_root(parent, I(run))]) set |= voxels;
        });
        bits::spread(out + w * bits::width, set, bits::voxels_in(w, y.size.x));
      }
    }
  });
}

// Runs `f` with a value of the narrowest type that numbers the runs.
template <class F>
void with_run_type(const Runs& runs, F f) {
  if (runs.count() <= i64(std::numeric_limits<u32>::max()))
    f(u32());
  else
    f(u64());
}

}  // namespace voxkern::cpu
