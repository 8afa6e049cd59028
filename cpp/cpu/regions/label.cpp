#include <voxkern/regions/label.hpp>

#include <cpu/regions/runs.hpp>

namespace voxkern::cpu {
namespace {

// Eight voxels' labels at a time: which of the next labels each takes, by where runs start.
// The first lane counts from the run that starts there or, where none does, from the one running
// in.
constexpr int group = 8;
alignas(64) constexpr auto picks = [] {
  std::array<std::array<u8, group>, 256> table{};
  for (int starts = 0; starts < 256; ++starts)
    for (int i = 0, seen = 0; i < group; ++i) {
      seen += starts >> i & 1;
      table[starts][i] = u8(seen - (starts & 1));
    }
  return table;
}();

template <class L>
using Labels = Vec<L, group>;

template <class L>
inline Labels<L> pick(Labels<L> from, int starts) {
  const auto index = simd::load_as<i32, group>(picks[starts].data());
#if defined(__AVX2__)
  if constexpr (sizeof(L) == 4)
    return typename Labels<L>::Raw(_mm256_permutevar8x32_epi32((__m256i)from.v, (__m256i)index.v));
#endif
  Labels<L> out;
  for (int i = 0; i < group; ++i) out.v[i] = from.v[index.v[i]];
  return out;
}

// Lanes of -1 where a bit is set.
template <class L>
inline Labels<L> lanes_of(int set) {
  constexpr typename Labels<L>::Raw bit = {1, 2, 4, 8, 16, 32, 64, 128};
  return (typename Labels<L>::Raw)((L(set) & bit) == bit);
}

// Writes one row. `next` is the label of the first run that starts in it; there is one label before
// it and eight after the last that may be read.
template <bool streamed, class L>
void write_row(L* out, i64 n, const u64* inside, const u64* starts, const L* next) {
  const auto put = [](L* to, Labels<L> v) {
    if constexpr (streamed && sizeof(L) * group <= simd::bytes)
      simd::stream(to, v);
    else
      simd::store(to, v);
  };
  for (i64 at = 0; at < n; at += bits::width, ++inside, ++starts) {
    const i64 full = std::min<i64>(bits::width, n - at) / group;
    if (!*starts && (!*inside || !~*inside) && full == bits::width / group) {
      const Labels<L> same = *inside ? next[-1] : L(0);
      for (i64 g = 0; g < full; ++g) put(out + at + g * group, same);
      continue;
    }
    for (i64 g = 0; g < full; ++g) {
      const int set = int(*inside >> (g * group) & 255), begin = int(*starts >> (g * group) & 255);
      const Labels<L> from = simd::load<L, group>(next - 1 + (begin & 1));
      put(out + at + g * group, pick<L>(from, begin) & lanes_of<L>(set));
      next += bits::count(begin);
    }
    for (i64 i = full * group; i < std::min<i64>(bits::width, n - at); ++i) {
      next += *starts >> i & 1;
      out[at + i] = *inside >> i & 1 ? next[-1] : L(0);
    }
  }
}

template <class I, class L>
void number(On on, const Runs& runs, const I* parent, View<L> y, List<i64> count) {
  constexpr i64 margin = 16;
  Scratch<L> storage(runs.count() + 2 * margin);
  std::fill_n(storage.begin(), margin, L(0));
  std::fill_n(storage.end() - margin, margin, L(0));
  L* labels = storage.begin() + margin;
  std::vector<i64> before(runs.slabs() + 1, 0);
  parallel_for(on, runs.slabs(), [&](i64 s) {
    i64 roots = 0;
    for (i64 i = runs.first[s]; i < runs.first[s + 1]; ++i) roots += parent[i] == I(i);
    before[s + 1] = roots;
  });
  for (i64 s = 0; s < runs.slabs(); ++s) before[s + 1] += before[s];
  count[0] = before.back();
  if (count[0] > std::numeric_limits<L>::max()) return;
  // Runs that hang from one of another slab's: those at its seam, as a rule.
  std::vector<std::vector<I>> abroad(runs.slabs());
  parallel_for(on, runs.slabs(), [&](i64 s) {
    i64 label = before[s];
    for (i64 i = runs.first[s]; i < runs.first[s + 1]; ++i) {
      label += parent[i] == I(i);
      labels[i] = L(label);  // runs that are no roots take theirs below
      if (i64(parent[i]) < runs.first[s]) abroad[s].push_back(I(i));
    }
  });
  for (const std::vector<I>& some : abroad)
    for (const I i : some) labels[i] = labels[find_root(parent, i)];
  // Below this, what is written is still in the cache when it is read.
  const bool large = runs.size.count() * i64(sizeof(L)) > 8 << 20;
  parallel_for(on, runs.slabs(), [&](i64 s) {
    i64 done = runs.first[s];
    Scratch<L> own(y.size.x + 2 * margin);
    std::fill(own.begin(), own.end(), L(0));
    for (i64 row = runs.slab[s]; row < runs.slab[s + 1]; ++row) {
      const i64 upto = row + 1 < runs.slab[s + 1] ? runs.base[row + 1] : runs.first[s + 1];
      // Whatever a run hangs from comes before it and has its label by now.
      for (; done < upto; ++done)
        labels[done] = labels[i64(parent[done]) < runs.first[s] ? done : i64(parent[done])];
      L* out = y.row(row / y.size.y, row % y.size.y);
      const u64 *inside = &runs.inside[row * runs.words], *starts = &runs.starts[row * runs.words];
      const bool aligned = reinterpret_cast<std::uintptr_t>(out) % (group * sizeof(L)) == 0;
      // Labels around those of the row are loaded too and picked by nobody. At the ends of the
      // slab they are another task's, which may be writing them.
      const L* next = labels + runs.base[row];
      if (runs.base[row] == runs.first[s] || upto + group > runs.first[s + 1])
        next = std::copy(next, next + (upto - runs.base[row]), own.begin() + margin) -
               (upto - runs.base[row]);
      if (large && aligned)
        write_row<true>(out, y.size.x, inside, starts, next);
      else
        write_row<false>(out, y.size.x, inside, starts, next);
    }
    simd::stream_fence();
  });
}

template <class I, class Rows, class L>
void join_and_number(On on, const Runs& runs, const Rows& rows, Near near, View<L> y,
                     List<i64> count) {
  Scratch<I> parent(runs.count());
  join_runs(on, runs, rows, parent.data(), near);
  number(on, runs, parent.data(), y, count);
}

// Whether the voxels inside have more than one value, as far as seen, and which they have.
template <class T>
struct Seen {
  bool any = false, mixed = false;
  T value{};
};

template <class T>
void fill_row(const T* p, i64 n, T background, bool multivalued, Seen<T>& seen, u64* inside,
              u64* starts) {
  u64 last = 0;
  for (i64 at = 0; at < n; at += bits::width, ++inside, ++starts, p += bits::width) {
    const int here = int(std::min<i64>(bits::width, n - at));
    const u64 set = *inside = bits::differs(p, here, background);
    u64 stays = set << 1 | last;
    last = set >> 63;
    *starts = set & ~stays;
    if (!set || !multivalued) continue;
    if (!seen.any) {
      seen.any = true;
      seen.value = p[bits::lowest(set)];
    }
    if (!seen.mixed) seen.mixed = set & bits::differs(p, here, seen.value);
    if (!seen.mixed) continue;
    stays = at ? bits::equal(p, p - 1, here) : bits::equal(p + 1, p, here - 1) << 1;
    *starts = set & ~stays;
  }
}

}  // namespace

template <class T, class L>
void label(On on, View<const T> x, View<L> y, T background, i64 connectivity, i64 multivalued,
           List<i64> count) {
  const Near near{int(connectivity)};
  Runs runs(on, x.size, near);
  std::vector<Seen<T>> seen(runs.slabs());
  runs.scan(on, [&](i64 s, i64 row, u64* inside, u64* starts) {
    fill_row(x.row(row / x.size.y, row % x.size.y), x.size.x, background, multivalued != 0, seen[s],
             inside, starts);
  });
  // An image of one value besides the background is a mask, and a mask's contacts are bits alone.
  bool mixed = false;
  Seen<T> all;
  for (const Seen<T>& one : seen) {
    if (one.any && all.any && one.value != all.value) mixed = true;
    if (one.any) all = one;
    mixed |= one.mixed;
  }
  with_run_type(runs, [&](auto run) {
    using I = decltype(run);
    if (mixed)
      join_and_number<I>(on, runs, ValueRows<T>{x, runs.inside.data(), runs.words}, near, y, count);
    else
      join_and_number<I>(on, runs, MaskRows{runs.inside.data(), runs.words}, near, y, count);
  });
}

template void label(On, View<const u8>, View<i32>, u8, i64, i64, List<i64>);
template void label(On, View<const u16>, View<i32>, u16, i64, i64, List<i64>);
template void label(On, View<const i32>, View<i32>, i32, i64, i64, List<i64>);
template void label(On, View<const i64>, View<i32>, i64, i64, i64, List<i64>);
template void label(On, View<const u8>, View<i64>, u8, i64, i64, List<i64>);
template void label(On, View<const u16>, View<i64>, u16, i64, i64, List<i64>);
template void label(On, View<const i32>, View<i64>, i32, i64, i64, List<i64>);
template void label(On, View<const i64>, View<i64>, i64, i64, i64, List<i64>);

}  // namespace voxkern::cpu
