#include <voxkern/regions/fill_holes.hpp>

#include <cpu/regions/runs.hpp>

namespace voxkern::cpu {
namespace {

// Flags the roots of all runs that lie on the border.
template <class I>
Scratch<u8> open_regions(On on, const Runs& runs, const I* parent, i64 axes) {
  Scratch<u8> open(runs.count());
  std::fill(open.begin(), open.end(), 0);
  const Size size = runs.size;
  const auto mark = [&](i64 run) {  // several threads may write the same 1
    __atomic_store_n(&open[find_root(parent, I(run))], u8(1), __ATOMIC_RELAXED);
  };
  parallel_for(on, runs.slabs(), [&](i64 s) {
    for (i64 row = runs.slab[s]; row < runs.slab[s + 1]; ++row) {
      const i64 z = row / size.y, y = row % size.y, first = runs.base[row];
      const i64 last = row + 1 < runs.rows ? runs.base[row + 1] : runs.count();
      if ((axes > 2 && (z == 0 || z == size.z - 1)) || (axes > 1 && (y == 0 || y == size.y - 1))) {
        for (i64 run = first; run < last; ++run) mark(run);
      } else if (first < last) {
        const u64* inside = &runs.inside[row * runs.words];
        if (inside[0] & 1) mark(first);
        if (inside[runs.words - 1] >> ((size.x - 1) % bits::width) & 1) mark(last - 1);
      }
    }
  });
  return open;
}

}  // namespace

void fill_holes(On on, View<const u8> x, View<u8> y, i64 connectivity, i64 axes, i64 most) {
  const Near near{int(connectivity), axes > 2};
  Runs runs(on, x.size, near);  // of the background
  runs.scan(on, [&](i64, i64 row, u64* inside, u64* starts) {
    const u8* from = x.row(row / x.size.y, row % x.size.y);
    for (i64 w = 0; w < runs.words; ++w) {
      const int n = bits::voxels_in(w, x.size.x);
      inside[w] = ~bits::differs(from + w * bits::width, n, u8(0)) & bits::first(n);
    }
    find_starts(inside, starts, runs.words);
  });
  with_run_type(runs, [&](auto run) {
    const auto parent = join_mask<decltype(run)>(on, runs, near);
    auto filled = open_regions(on, runs, parent.data(), axes);
    for (u8& flag : filled) flag = !flag;
    if (most < x.size.count()) {
      const auto sizes = region_sizes(on, runs, parent.data());
      for (i64 i = 0; i < runs.count(); ++i) filled[i] = filled[i] && sizes[i] <= most;
    }
    write_kept(on, runs, parent.data(), filled.data(), true, y);
  });
}

}  // namespace voxkern::cpu
