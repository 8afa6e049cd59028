// A histogram that slides along each row.
#include <voxkern/filters/local_entropy.hpp>

#include <cpu/parallel.hpp>

#include <algorithm>
#include <vector>

namespace voxkern::cpu {
namespace {

// Counts of grey values, and the sum of n * log2(n) over them.
class Counts {
 public:
  explicit Counts(List<const i64> table) {
    step_.reserve(size_t(table.size));
    for (i64 n = 0; n + 1 < table.size; ++n) step_.push_back(table[n + 1] - table[n]);
    step_.push_back(0);
  }
  void clear() {
    std::fill(count_, count_ + 256, 0);
    sum_ = 0;
  }
  void add(u8 value) { sum_ += step_[size_t(count_[value]++)]; }
  void remove(u8 value) { sum_ -= step_[size_t(--count_[value])]; }
  i64 sum() const { return sum_; }

 private:
  i32 count_[256] = {};
  i64 sum_ = 0;
  std::vector<i64> step_;  // what one more voxel adds
};

struct Run {
  const u8* row;
  i64 first, last;
};

class Row {
 public:
  Row(View<const u8> in, List<const i64> runs, List<const i64> table)
      : in_(in), runs_(runs), table_(table), counts_(table) {
    for (i64 r = 0; r < runs.size; r += 4) {
      low_ = std::min(low_, runs[r + 2]);
      high_ = std::max(high_, runs[r + 3]);
    }
  }

  void run(i64 z, i64 y, f32* out) {
    const i64 n = in_.size.x;
    here_.clear();
    for (i64 r = 0; r < runs_.size; r += 4) {
      const i64 zz = z + runs_[r], yy = y + runs_[r + 1];
      if (0 <= zz && zz < in_.size.z && 0 <= yy && yy < in_.size.y)
        here_.push_back({in_.row(zz, yy), runs_[r + 2], runs_[r + 3]});
    }
    counts_.clear();
    voxels_ = 0;
    for (const Run& r : here_)
      for (i64 x = std::max<i64>(r.first, 0); x <= std::min(r.last, n - 1); ++x) {
        counts_.add(r.row[x]);
        ++voxels_;
      }
    out[0] = value();
    // Between these all runs lie in the image before and after a step.
    const i64 from = std::clamp<i64>(1 - low_, 1, n), to = std::clamp<i64>(n - high_, from, n);
    i64 x = 1;
    for (; x < from; ++x) out[x] = careful(x);
    for (; x < to; ++x) {
      for (const Run& r : here_) {
        const u8 gone = r.row[x - 1 + r.first], come = r.row[x + r.last];
        if (gone == come) continue;
        counts_.remove(gone);
        counts_.add(come);
      }
      out[x] = value();
    }
    for (; x < n; ++x) out[x] = careful(x);
  }

 private:
  const View<const u8> in_;
  const List<const i64> runs_, table_;
  Counts counts_;
  std::vector<Run> here_;
  i64 low_ = 0, high_ = 0, voxels_ = 0;

  f32 careful(i64 x) {
    const auto within = [&](i64 at) { return 0 <= at && at < in_.size.x; };
    for (const Run& r : here_) {
      if (within(x - 1 + r.first)) counts_.remove(r.row[x - 1 + r.first]), --voxels_;
      if (within(x + r.last)) counts_.add(r.row[x + r.last]), ++voxels_;
    }
    return value();
  }

  f32 value() const {
    if (voxels_ == 0) return 0;
    return f32(f64(table_[voxels_] - counts_.sum()) / f64(voxels_) * entropy_unit);
  }
};

}  // namespace

void local_entropy(On on, View<const u8> in, View<f32> out, List<const i64> runs,
                   List<const i64> table) {
  if (in.size.count() == 0) return;
  parallel_slabs(on, in.size.z * in.size.y, std::max<i64>(1, 1024 / in.size.x),
                 [&](i64 begin, i64 end) {
                   Row row(in, runs, table);
                   for (i64 i = begin; i < end; ++i)
                     row.run(i / in.size.y, i % in.size.y, out.row(i / in.size.y, i % in.size.y));
                 });
}

}  // namespace voxkern::cpu
