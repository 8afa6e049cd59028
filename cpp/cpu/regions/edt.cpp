// Exact Euclidean distances axis by axis: along z by two sweeps, along y and x by looking outwards
// from each voxel until the way alone costs more than what is found (after Saito and Toriwaki 1994,
// https://doi.org/10.1016/0031-3203(94)90133-3), with lines side by side in the lanes of a vector.
// Far from everything the search goes by blocks of rows, past those whose least is too much.
#include <voxkern/regions/edt.hpp>

#include <voxkern/simd.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <limits>
#include <vector>

namespace voxkern::cpu {
namespace {

using V = Vec<f32>;
using I = Vec<i32>;
constexpr int lanes = V::lanes;
constexpr int strip = 2 * lanes;  // columns that go along y together
constexpr int direct = 16;        // rows each way before blocks are asked
constexpr int unroll = 4;
constexpr int margin = direct + unroll;  // infinite rows at both ends of a line
constexpr f32 infinite = std::numeric_limits<f32>::infinity();

// Steps along z to the nearest voxel of the other kind: negative outside if both kinds are asked
// for, and else 0 there.
template <class G>
constexpr G none = std::numeric_limits<G>::max();

template <class T, class G>
void sweep(View<const T> x, i64 y0, i64 y1, bool sided, G* gap) {
  const i64 nx = x.size.x;
  Scratch<G> steps((y1 - y0) * nx);
  std::fill(steps.begin(), steps.end(), none<G>);
  for (i64 z = 0; z < x.size.z; ++z)
    for (i64 y = y0; y < y1; ++y) {
      const T *row = x.row(z, y), *last = x.row(std::max<i64>(z - 1, 0), y);
      G *h = steps.data() + (y - y0) * nx, *out = gap + (z * x.size.y + y) * nx;
      if (sided)
        for (i64 i = 0; i < nx; ++i) {
          const bool in = row[i] != 0;
          const G more = h[i] == none<G> ? none<G> : G(h[i] + 1);
          h[i] = in == (last[i] != 0) ? more : G(1);
          out[i] = in ? h[i] : G(-h[i]);
        }
      else
        for (i64 i = 0; i < nx; ++i) {
          const G more = h[i] == none<G> ? none<G> : G(h[i] + 1);
          out[i] = h[i] = row[i] != 0 ? more : G(0);
        }
    }
  std::fill(steps.begin(), steps.end(), none<G>);
  for (i64 z = x.size.z - 1; z >= 0; --z)
    for (i64 y = y0; y < y1; ++y) {
      G *h = steps.data() + (y - y0) * nx, *out = gap + (z * x.size.y + y) * nx;
      const G* next = z + 1 < x.size.z ? out + x.size.y * nx : out;
      if (sided)
        for (i64 i = 0; i < nx; ++i) {
          const bool in = out[i] > 0;
          const G more = h[i] == none<G> ? none<G> : G(h[i] + 1);
          h[i] = in == (next[i] > 0) ? more : G(1);
          const G least = std::min<G>(h[i], in ? out[i] : G(-out[i]));
          out[i] = in ? least : G(-least);
        }
      else
        for (i64 i = 0; i < nx; ++i) {
          const G more = h[i] == none<G> ? none<G> : G(h[i] + 1);
          h[i] = out[i] != 0 ? more : G(0);
          out[i] = std::min<G>(h[i], out[i]);
        }
    }
}

// Lines of n values side by side: row j is at data + j * stride, with a margin on either side.
struct Lines {
  f32* data;
  i64 stride, n;
  const f32* cost;  // of 0 to n - 1 steps, and infinite ones behind
  int shift;        // rows of a block, as a power of two
  f32* least;       // of each block

  V row(i64 j) const { return simd::load(data + j * stride); }

  void pad() const {
    for (i64 j = 1; j <= margin; ++j) {
      simd::store(data - j * stride, V(infinite));
      simd::store(data + (n - 1 + j) * stride, V(infinite));
    }
  }
  void find_least() const {
    for (i64 b = 0; b << shift < n; ++b) {
      V low = infinite;
      for (i64 j = b << shift; j < std::min(n, (b + 1) << shift); ++j) low = min(row(j), low);
      simd::store(least + b * lanes, low);
    }
  }
};

inline int block_shift(i64 n) {
  int shift = 4;
  while (i64(1) << 2 * shift < n) ++shift;
  return shift;
}

struct Nearest {
  V squared;
  I row;
};

// The least of cost[|i - j|] + row i, in each lane, and the first such i. Rows are taken outwards,
// so a row before j wins against all so far if it is no worse, one behind j if it is better.
template <bool indexed>
[[gnu::always_inline]] inline Nearest search(const Lines& f, i64 j) {
  Nearest found{f.row(j), i32(j)};
  V& best = found.squared;
  const auto hopeless = [&](V least) { return !any(indexed ? best >= least : best > least); };
  const auto before = [&](i64 i) {
    const V other = f.row(i) + f.cost[j - i];
    if constexpr (indexed) found.row = select(other <= best, I(i32(i)), found.row);
    best = min(other, best);
  };
  const auto behind = [&](i64 i) {
    const V other = f.row(i) + f.cost[i - j];
    if constexpr (indexed) found.row = select(other < best, I(i32(i)), found.row);
    best = min(other, best);
  };
  i64 k = 1;
  for (; k <= direct; k += unroll) {
    if (hopeless(f.cost[k])) return found;
    if constexpr (indexed) {
      for (i64 s = k; s < k + unroll; ++s) before(j - s), behind(j + s);
    } else {
      V part[unroll];
      for (int s = 0; s < unroll; ++s)
        part[s] = min(f.row(j - k - s), f.row(j + k + s)) + f.cost[k + s];
      best = min(min(min(part[0], part[1]), min(part[2], part[3])), best);
    }
  }
  i64 low = j - k, high = j + k;
  while (low >= 0 || high < f.n) {
    const i64 way = low < 0 ? high - j : high >= f.n ? j - low : std::min(j - low, high - j);
    if (hopeless(f.cost[way])) break;
    if (low >= 0) {
      const i64 block = low >> f.shift;
      if (!hopeless(simd::load(f.least + block * lanes) + f.cost[j - low]))
        for (i64 i = low; i >= block << f.shift; --i) before(i);
      low = (block << f.shift) - 1;
    }
    if (high < f.n) {
      const i64 block = high >> f.shift, end = std::min(f.n, (block + 1) << f.shift);
      if (!hopeless(simd::load(f.least + block * lanes) + f.cost[high - j]))
        for (i64 i = high; i < end; ++i) behind(i);
      high = end;
    }
  }
  return found;
}

// The squared lengths of 0 to n - 1 steps, and infinite ones behind.
std::vector<f32> table(const f32* costs, i64 n) {
  std::vector<f32> cost(costs, costs + n);
  cost.resize(n + margin + 1, infinite);
  return cost;
}

// What the planes of a volume share.
template <class G>
struct Job {
  On on;
  Size size;
  const G* gap;
  std::vector<f32> cost_z, cost_y, cost_x;
  View<f32> y;
  View<i32> at;
  f32 scale;
  bool squared;

  const G* row(i64 z, i64 y) const { return gap + (z * size.y + y) * size.x; }

  // The squared distance along z for a vector of columns.
  V along_z(const G* p, int n, int side) const {
    const auto g = simd::load<G, lanes>(p, n);
    const I steps = simd::convert<i32>(side ? -g : g);
    return simd::gather(cost_z.data(), min(max(steps, 0), i32(size.z)));
  }
};

// One plane: along y strip by strip, turned into blocks of rows with the rows in lanes, along x.
template <class G, bool indexed>
class Plane {
 public:
  Plane(const Job<G>& job, i64 z, int side)
      : job_(job),
        z_(z),
        side_(side),
        blocks_((job.size.y + lanes - 1) / lanes),
        length_((job.size.x + 2 * margin) * lanes),
        turned_(blocks_ * length_),
        rows_(indexed ? blocks_ * job.size.x * lanes : 0) {}

  void run() {
    const i64 strips = (job_.size.x + strip - 1) / strip;
    parallel_slabs(job_.on, strips, 1, [&](i64 from, i64 to) { along_y(from, to); });
    parallel_slabs(job_.on, blocks_, 1, [&](i64 from, i64 to) { along_x(from, to); });
  }

 private:
  f32* turned(i64 block) const { return turned_.data() + block * length_ + margin * lanes; }
  i32* rows(i64 block) const { return rows_.data() + block * job_.size.x * lanes; }

  void along_y(i64 from, i64 to) {
    const i64 ny = job_.size.y, nx = job_.size.x;
    const int shift = block_shift(ny);
    Scratch<f32> columns((ny + 2 * margin) * strip), least(((ny >> shift) + 1) * lanes);
    f32* data = columns.data() + margin * strip;
    for (i64 s = from; s < to; ++s) {
      const i64 x0 = s * strip;
      for (i64 y = 0; y < ny; ++y)
        for (i64 v = 0; v < 2 && x0 + v * lanes < nx; ++v) {
          const i64 x = x0 + v * lanes;
          const int n = int(std::min<i64>(lanes, nx - x));
          simd::store(data + y * strip + v * lanes, job_.along_z(job_.row(z_, y) + x, n, side_));
        }
      for (i64 v = 0; v < 2 && x0 + v * lanes < nx; ++v) {
        const Lines lines{data + v * lanes, strip, ny, job_.cost_y.data(), shift, least.data()};
        lines.pad();
        lines.find_least();
        for (i64 b = 0; b < blocks_; ++b) turn(lines, b, x0 + v * lanes);
      }
    }
  }

  // Searches along y for a block of rows, and stores what is found with the rows in lanes.
  void turn(const Lines& lines, i64 block, i64 x0) {
    V values[lanes];
    I rows[lanes];
    for (int i = 0; i < lanes; ++i) {
      const i64 y = block * lanes + i;
      const Nearest found = y < lines.n ? search<indexed>(lines, y) : Nearest{0.0f, 0};
      values[i] = found.squared;
      rows[i] = found.row;
    }
    const int n = int(std::min<i64>(lanes, job_.size.x - x0));
    simd::transpose(values);
    for (int i = 0; i < n; ++i) simd::store(turned(block) + (x0 + i) * lanes, values[i]);
    if constexpr (indexed) {
      simd::transpose(rows);
      for (int i = 0; i < n; ++i) simd::store(this->rows(block) + (x0 + i) * lanes, rows[i]);
    }
  }

  void along_x(i64 from, i64 to) {
    const i64 nx = job_.size.x;
    const int shift = block_shift(nx);
    Scratch<f32> least(((nx >> shift) + 1) * lanes);
    for (i64 b = from; b < to; ++b) {
      const Lines lines{turned(b), lanes, nx, job_.cost_x.data(), shift, least.data()};
      lines.pad();
      lines.find_least();
      for (i64 x0 = 0; x0 < nx; x0 += lanes) finish(lines, b, x0);
    }
  }

  // Searches along x for a block of voxels, and writes it.
  void finish(const Lines& lines, i64 block, i64 x0) {
    V values[lanes];
    I columns[lanes];
    for (int i = 0; i < lanes; ++i) {
      const Nearest found = x0 + i < lines.n ? search<indexed>(lines, x0 + i) : Nearest{0.0f, 0};
      values[i] = (job_.squared ? found.squared : sqrt(found.squared)) * job_.scale;
      columns[i] = select(found.squared == infinite, I(-1), found.row);
    }
    const int n = int(std::min<i64>(lanes, lines.n - x0));
    const i64 y0 = block * lanes;
    if constexpr (indexed)
      for (int i = 0; i < n; ++i)
        for (int r = 0; r < std::min<i64>(lanes, job_.size.y - y0); ++r)
          if (!side_ || values[i][r] > 0) place(block, r, x0 + i, columns[i][r]);
    simd::transpose(values);
    for (int r = 0; r < std::min<i64>(lanes, job_.size.y - y0); ++r) {
      f32* out = job_.y.row(z_, y0 + r) + x0;
      if (side_) values[r] = select(values[r] > 0.0f, -values[r], simd::load(out, n));
      simd::store(out, values[r], n);
    }
  }

  // Where the nearest voxel is, once its x is known.
  void place(i64 block, int lane, i64 x, i32 column) {
    const i64 nz = job_.size.z, y = block * lanes + lane;
    i32 row = -1, plane = -1;
    if (column >= 0) {
      row = rows(block)[column * lanes + lane];
      const i64 gap = job_.row(z_, row)[column], steps = side_ ? -gap : gap;
      plane = i32(z_ - std::max<i64>(steps, 0));
      // Voxels of the other kind have the other sign, and of two as near the lower counts.
      if (steps > 0 && (plane < 0 || (job_.row(plane, row)[column] > 0) == (gap > 0)))
        plane = i32(z_ + steps);
    }
    job_.at(z_, y, x) = plane;
    job_.at(nz + z_, y, x) = row;
    job_.at(2 * nz + z_, y, x) = column;
  }

  const Job<G>& job_;
  i64 z_;
  int side_;
  i64 blocks_, length_;
  Scratch<f32> turned_;
  Scratch<i32> rows_;
};

template <class T, class G>
void transform(On on, View<const T> x, View<f32> y, View<i32> at, List<const f32> costs, f32 scale,
               bool sided, bool squared) {
  const Size size = x.size;
  Scratch<G> gap(size.count());
  const i64 fit =
      std::max<i64>(1, (256 << 10) / std::max<i64>(1, size.z * size.x * i64(sizeof(G))));
  const i64 slabs = (size.y + fit - 1) / fit;
  parallel_for(on, slabs, [&](i64 s) {
    sweep(x, s * fit, std::min(size.y, (s + 1) * fit), sided, gap.data());
  });
  const f32* cost = costs.data;
  const Job<G> job{on,
                   size,
                   gap.data(),
                   table(cost, size.z),
                   table(cost + size.z, size.y),
                   table(cost + size.z + size.y, size.x),
                   y,
                   at,
                   scale,
                   squared};
  const auto plane = [&](i64 z) {
    for (int side = 0; side <= int(sided); ++side) {
      if (at.size.z)
        Plane<G, true>(job, z, side).run();
      else
        Plane<G, false>(job, z, side).run();
    }
  };
  if (size.z >= 2 * on.threads)
    parallel_for(on, size.z, plane);
  else
    for (i64 z = 0; z < size.z; ++z) plane(z);
}

}  // namespace

template <class T>
void edt(On on, View<const T> x, View<f32> y, View<i32> at, List<const f32> costs, f32 scale,
         i32 sided, i32 squared) {
  if (x.size.z < none<i16>)
    transform<T, i16>(on, x, y, at, costs, scale, sided, squared);
  else
    transform<T, i32>(on, x, y, at, costs, scale, sided, squared);
}

template void edt(On, View<const u8>, View<f32>, View<i32>, List<const f32>, f32, i32, i32);
template void edt(On, View<const u16>, View<f32>, View<i32>, List<const f32>, f32, i32, i32);
template void edt(On, View<const i32>, View<f32>, View<i32>, List<const f32>, f32, i32, i32);
template void edt(On, View<const i64>, View<f32>, View<i32>, List<const f32>, f32, i32, i32);

}  // namespace voxkern::cpu
