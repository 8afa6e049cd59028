#include <voxkern/regions/keep_largest.hpp>

#include <cpu/regions/runs.hpp>

namespace voxkern::cpu {
namespace {

template <class I>
Scratch<u8> choose(const Runs& runs, const I* parent, const Scratch<i64>& sizes, i64 k, i64 least) {
  std::vector<i64> roots;
  for (i64 i = 0; i < runs.count(); ++i)
    if (parent[i] == I(i) && sizes[i] >= least) roots.push_back(i);
  if (k && k < i64(roots.size())) {
    std::nth_element(roots.begin(), roots.begin() + k, roots.end(), [&](i64 a, i64 b) {
      return sizes[a] != sizes[b] ? sizes[a] > sizes[b] : a < b;
    });
    roots.resize(k);
  }
  Scratch<u8> kept(runs.count());
  std::fill(kept.begin(), kept.end(), 0);
  for (i64 root : roots) kept[root] = 1;
  return kept;
}

}  // namespace

void keep_largest(On on, View<const u8> x, View<u8> y, i64 k, i64 least, i64 connectivity) {
  const Near near{int(connectivity)};
  Runs runs(on, x.size, near);
  runs.scan(on, [&](i64, i64 row, u64* inside, u64* starts) {
    const u8* from = x.row(row / x.size.y, row % x.size.y);
    for (i64 w = 0; w < runs.words; ++w)
      inside[w] = bits::differs(from + w * bits::width, bits::voxels_in(w, x.size.x), u8(0));
    find_starts(inside, starts, runs.words);
  });
  with_run_type(runs, [&](auto run) {
    const auto parent = join_mask<decltype(run)>(on, runs, near);
    const auto sizes = region_sizes(on, runs, parent.data());
    const auto kept = choose(runs, parent.data(), sizes, k, least);
    write_kept(on, runs, parent.data(), kept.data(), false, y);
  });
}

}  // namespace voxkern::cpu
