#include <voxkern/evaluate/overlap.hpp>

#include <cpu/parallel.hpp>
#include <voxkern/bits.hpp>

#include <algorithm>
#include <mutex>
#include <vector>

namespace voxkern::cpu {
namespace {

constexpr i64 piece = 4096;  // voxels that stay in the nearest cache from label to label

struct Found {
  i64 both = 0, p = 0, r = 0;
};

// Voxels whose being equal to `a` and to `b` is not `but`.
template <class P, class R>
void count(const P* p, const R* r, i64 n, P a, R b, bool but, Found& found) {
  const u64 turn = but ? 0 : ~u64(0);
  i64 both = 0, in_p = 0, in_r = 0;
  const auto add = [&](i64 at, int some) {
    const u64 u = (bits::differs(p + at, some, a) ^ turn) & bits::first(some);
    const u64 v = (bits::differs(r + at, some, b) ^ turn) & bits::first(some);
    both += bits::count(u & v);
    in_p += bits::count(u);
    in_r += bits::count(v);
  };
  const i64 whole = n / bits::width * bits::width;
  for (i64 at = 0; at < whole; at += bits::width) add(at, bits::width);
  if (whole < n) add(whole, int(n - whole));
  found.both += both;
  found.p += in_p;
  found.r += in_r;
}

// The place of a value among the labels, or the one behind them.
class Places {
 public:
  explicit Places(List<const i64> labels) : labels_(labels) {
    const i64 span = labels[labels.size - 1] - labels[0];
    if (span < 0 || span >= 1 << 16) return;
    table_.assign(std::size_t(span) + 1, labels.size);
    for (i64 k = 0; k < labels.size; ++k) table_[std::size_t(labels[k] - labels[0])] = k;
  }
  i64 operator()(i64 value) const {
    if (!table_.empty()) {
      const u64 at = u64(value) - u64(labels_[0]);
      return at < table_.size() ? table_[at] : labels_.size;
    }
    const i64* end = labels_.data + labels_.size;
    const i64* at = std::lower_bound(labels_.data, end, value);
    return at != end && *at == value ? at - labels_.data : labels_.size;
  }

 private:
  List<const i64> labels_;
  std::vector<i64> table_;
};

}  // namespace

template <class P, class R>
void overlap(On on, View<const P> p, View<const R> r, List<const i64> labels, List<i64> counts) {
  std::fill(counts.data, counts.data + counts.size, 0);
  if (joined(p).x == joined(r).x) p.size = r.size = joined(p);
  // A vector is compared with each label where they are few; else each voxel finds its own.
  const bool many = labels.size * i64(std::max(sizeof(P), sizeof(R))) > 48;
  const Places places = many ? Places(labels) : Places({&labels.size, 1});
  const Blocks blocks(p.size);
  std::mutex adding;
  parallel_slabs(on, blocks.count(), 4, [&](i64 begin, i64 end) {
    std::vector<Found> own(std::size_t(counts.size / 3 + 1));
    for (i64 i = begin; i < end; ++i) {
      const Block block = blocks[i];
      for (i64 row = block.begin; row < block.end; ++row)
        for (i64 from = block.from; from < block.to; from += piece) {
          const P* a = p.row(row / p.size.y, row % p.size.y) + from;
          const R* b = r.row(row / r.size.y, row % r.size.y) + from;
          const i64 n = std::min(piece, block.to - from);
          if (many)
            for (i64 x = 0; x < n; ++x) {
              const i64 u = places(i64(a[x])), v = places(i64(b[x]));
              ++own[std::size_t(u)].p;
              ++own[std::size_t(v)].r;
              own[std::size_t(u)].both += u == v;
            }
          else if (labels.size)
            for (i64 k = 0; k < labels.size; ++k)
              count(a, b, n, P(labels[k]), R(labels[k]), false, own[std::size_t(k)]);
          else
            count(a, b, n, P(0), R(0), true, own[0]);
        }
    }
    std::lock_guard hold(adding);
    for (i64 k = 0; k < counts.size / 3; ++k) {
      const Found& found = own[std::size_t(k)];
      counts[3 * k] += found.both;
      counts[3 * k + 1] += found.p;
      counts[3 * k + 2] += found.r;
    }
  });
}

#define VOXKERN_INSTANCES(P)                                                             \
  template void overlap(On, View<const P>, View<const u8>, List<const i64>, List<i64>);  \
  template void overlap(On, View<const P>, View<const u16>, List<const i64>, List<i64>); \
  template void overlap(On, View<const P>, View<const i32>, List<const i64>, List<i64>); \
  template void overlap(On, View<const P>, View<const i64>, List<const i64>, List<i64>);
VOXKERN_INSTANCES(u8)
VOXKERN_INSTANCES(u16)
VOXKERN_INSTANCES(i32)
VOXKERN_INSTANCES(i64)

}  // namespace voxkern::cpu
