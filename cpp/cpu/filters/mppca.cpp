// Windows side by side along x go together, one a lane, in float64. They share sums: products of
// volumes are added up over a column of a window first, then along x. And since what a window adds
// to a voxel is a matrix times the voxel's own volumes, it is the matrices of all windows along x
// that are added up, and then multiplied once. A last volume of ones carries the means along.
#include <voxkern/filters/mppca.hpp>
#include <voxkern/simd.hpp>

#include <cpu/filters/eigen.hpp>
#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <cmath>

namespace voxkern::cpu {

namespace {

using V = Vec<f64>;
constexpr i64 lanes = V::lanes;
constexpr i64 span = 32;                  // windows that go together
constexpr int wide = lanes == 8 ? 4 : 2;  // volumes of a block, as registers allow
constexpr int tall = 5;                   // rows of a block

constexpr i64 up(i64 n, i64 to) { return (n + to - 1) / to * to; }
constexpr i64 packed(i64 i, i64 j) { return i * (i + 1) / 2 + j; }

// What is noise of the eigenvalues of a window, the smallest first.
struct Noise {
  i64 kept;
  f64 variance;
};
Noise noise_among(const f64* values, i64 count, i64 voxels) {
  // Those that are 0 for want of voxels say nothing.
  const i64 known = std::min(count, voxels - 1);
  const f64* of = values + count - known;
  f64 sum = 0, variance = 0;
  for (i64 i = 0; i < known; ++i) {
    const f64 value = std::max(of[i], 0.0);
    sum += value;
    const f64 mean = sum / f64(i + 1);
    if (value - std::max(of[0], 0.0) - 4 * std::sqrt(f64(i + 1) / f64(voxels)) * mean <= 0)
      variance = mean;
  }
  const f64 edge = 1 + std::sqrt(f64(count) / f64(voxels));
  const f64 limit = edge * edge * variance;
  i64 kept = 0;
  while (kept < count && values[count - 1 - kept] >= limit) ++kept;
  return {kept, variance};
}

template <class T>
class Windows {
 public:
  Windows(View<const T> x, View<const u8> where, Size radii, View<T> total, View<T> weight,
          View<T> power)
      : x_(x),
        where_(where),
        radii_(radii),
        total_(total),
        weight_(weight),
        power_(power),
        size_{2 * radii.z + 1, 2 * radii.y + 1, 2 * radii.x + 1},
        count_(x.size.z / where.size.z),
        rows_(up(size_.z * size_.y, tall)),
        volumes_(up(count_ + 1, wide)),
        lead_(up(size_.x - 1, lanes)),
        pitch_(lead_ + up(span + size_.x - 1, lanes)),
        fields_(packed(count_, count_) + 2),
        block_((pitch_ - lead_) / lanes * volumes_ * rows_),
        field_(fields_ * pitch_),
        ground_(count_),
        sorted_(count_),
        values_(count_),
        mean_(count_),
        eigen_(count_) {
    std::fill(block_.begin(), block_.end(), V(0.0));
    std::fill(values_.begin(), values_.end(), V(0.0));
    const i64 columns = (pitch_ - lead_) / lanes;
    for (i64 at = 0; at < columns; ++at) std::fill_n(block(at, count_), size_.z * size_.y, V(1.0));
  }

  // The windows whose first voxels are [from, to) of a row, at most `span`.
  void look(i64 z, i64 y, i64 from, i64 to) {
    const u8* where = where_.row(z + radii_.z, y + radii_.y) + radii_.x;
    if (std::all_of(where + from, where + to, [](u8 is) { return !is; })) return;
    windows_ = to - from;
    columns_ = windows_ + size_.x - 1;
    read(z, y, from);
    multiply();
    // In place: a window's sums are not read again once those behind it are.
    for (i64 w = 0; w < windows_; w += lanes) {
      V weight = 0.0;
      for (i64 i = 0; i < std::min(lanes, windows_ - w); ++i)
        weight.v[i] = where[from + w + i] != 0;
      find(w, weight);
    }
    add_up();
    apply(z, y, from);
  }

 private:
  View<const T> x_;
  View<const u8> where_;
  Size radii_;
  View<T> total_, weight_, power_;
  Size size_;  // of a window
  i64 count_, rows_, volumes_;
  i64 lead_, pitch_, fields_;
  i64 windows_ = 0, columns_ = 0;
  Scratch<V> block_;    // voxels: by columns of lanes, volumes, rows of a window
  Scratch<f64> field_;  // matrices, packed: an entry of all columns, then of the next
  Scratch<f64> ground_, sorted_;
  Scratch<V> values_, mean_;
  Eigen eigen_;

  V* block(i64 at, i64 volume) const { return block_.data() + (at * volumes_ + volume) * rows_; }
  f64* field(i64 number, i64 column) const {
    return field_.data() + number * pitch_ + lead_ + column;
  }
  f64* entry(i64 i, i64 j, i64 column) const { return field(packed(i, j), column); }
  i64 last_field() const { return fields_ - 1; }  // of the variances
  // Columns that are worked on, whole vectors of them.
  i64 all_columns() const { return up(up(windows_, lanes) + size_.x - 1, lanes); }

  // Takes the volumes' values in the middle off: sums of squares then cancel less.
  void read(i64 z, i64 y, i64 from) {
    const i64 planes = where_.size.z, columns = all_columns();
    for (i64 a = 0; a < count_; ++a) {
      const i64 first = a * planes + z;
      const V ground = f64(x_(first + radii_.z, y + radii_.y, from + columns_ / 2));
      ground_[a] = ground[0];
      for (i64 r = 0; r < size_.z * size_.y; ++r) {
        const T* row = x_.row(first + r / size_.y, y + r % size_.y) + from;
        for (i64 c = 0; c < columns; c += lanes) {
          const i64 here = std::clamp<i64>(columns_ - c, 0, lanes);
          const V v = simd::convert<f64>(simd::load<T, int(lanes)>(row + c, int(here))) - ground;
          block(c / lanes, a)[r] = here < lanes ? first_of(v, here) : v;
        }
      }
    }
  }
  static V first_of(V v, i64 count) {
    for (i64 i = count; i < lanes; ++i) v.v[i] = 0;
    return v;
  }

  // Sums of products of volumes over columns of windows. In a function of its own, which keeps
  // the sums in registers.
  [[gnu::noinline]] void multiply() {
    for (i64 c = 0; c < all_columns(); c += lanes)
      for (i64 a = 0; a < volumes_; a += wide)
        for (i64 b = 0; b <= a; b += wide) {
          const V *left = block(c / lanes, a), *right = block(c / lanes, b);
          V sum[wide][wide];
          for (auto& line : sum)
            for (V& v : line) v = 0.0;
          for (i64 r = 0; r < rows_; ++r)
            for (int i = 0; i < wide; ++i)
              for (int j = 0; j < wide; ++j)
                sum[i][j] = simd::fma(left[i * rows_ + r], right[j * rows_ + r], sum[i][j]);
          for (int i = 0; i < wide; ++i)
            for (int j = 0; j < wide; ++j)
              if (b + j <= a + i && a + i <= count_) simd::store(entry(a + i, b + j, c), sum[i][j]);
        }
  }

  // Turns the sums of `lanes` windows into what they do to their voxels, times their weight.
  void find(i64 w, V weight) {
    const i64 voxels = size_.count();
    const V share = 1.0 / f64(voxels);
    V all = 0.0;
    for (i64 a = 0; a < count_; ++a) mean_[a] = along(packed(count_, a), w) * share;
    for (i64 a = 0; a < count_; ++a) {
      V* row = eigen_.row(a);
      for (i64 b = 0; b <= a; ++b)
        row[b] = simd::fma(-mean_[a], mean_[b], along(packed(a, b), w) * share);
      row[a] = simd::max(row[a], 0.0);
      all += row[a];
    }
    // Windows of one value are their mean, and those that nobody asks for are nothing.
    const auto asked = weight > V(0.0), rich = asked & (all > V(0.0));
    V kept = f64(count_), variance = 0.0;
    i64 most = 0;
    if (simd::any(rich)) {
      const V* values = eigen_.solve();
      for (i64 lane = 0; lane < lanes; ++lane) {
        if (!rich[int(lane)]) continue;
        for (i64 a = 0; a < count_; ++a) sorted_[a] = values[a][int(lane)];
        std::sort(sorted_.begin(), sorted_.end());
        const Noise noise = noise_among(sorted_.data(), count_, voxels);
        kept.v[lane] = f64(noise.kept);
        variance.v[lane] = noise.variance;
        most = std::max(most, noise.kept);
        for (i64 a = 0; a < count_; ++a) values_[a].v[lane] = sorted_[count_ - 1 - a];
      }
      eigen_.find_vectors(values_.data(), most);
    }
    weight /= kept + V(1.0);
    store_at(last_field(), w, weight * variance);
    for (i64 a = 0; a < count_; ++a)
      for (i64 b = 0; b <= a; ++b) {
        V sum = 0.0;
        for (i64 j = 0; j < most; ++j) {
          const V* v = eigen_.vector(j);
          sum = simd::fma(simd::select(rich & (V(f64(j)) < kept), v[a], 0.0), v[b], sum);
        }
        store_at(packed(a, b), w, sum * weight);
      }
    for (i64 a = 0; a < count_; ++a) {
      V sum = weight * (mean_[a] + V(ground_[a]));
      for (i64 b = 0; b < count_; ++b)
        sum = simd::fma(-simd::load(entry(std::max(a, b), std::min(a, b), w)), mean_[b], sum);
      store_at(packed(count_, a), w, sum);
    }
    store_at(packed(count_, count_), w, weight);
  }
  // A field's sum over a window's columns.
  V along(i64 number, i64 w) const {
    const f64* at = field(number, w);
    V sum = simd::load(at);
    for (i64 i = 1; i < size_.x; ++i) sum += simd::load(at + i);
    return sum;
  }
  void store_at(i64 number, i64 w, V v) { simd::store(field(number, w), v); }

  // Sums fields over the windows that a column lies in, from the right: in place again.
  void add_up() {
    for (i64 number = 0; number < fields_; ++number) {
      std::fill(field(number, -lead_), field(number, 0), 0.0);
      std::fill(field(number, up(windows_, lanes)), field(number, all_columns()), 0.0);
      for (i64 c = all_columns() - lanes; c >= 0; c -= lanes) {
        V sum = simd::load(field(number, c));
        for (i64 i = 1; i < size_.x; ++i) sum += simd::load(field(number, c - i));
        store_at(number, c, sum);
      }
    }
  }

  void apply(i64 z, i64 y, i64 from) {
    const i64 planes = where_.size.z;
    for (i64 c = 0; c < columns_; c += lanes) {
      const int here = int(std::min(lanes, columns_ - c));
      const auto add = [&](View<T> to, i64 plane, i64 r, V v) {
        T* at = to.row(plane + z + r / size_.y, y + r % size_.y) + from + c;
        const auto old = simd::load<T, int(lanes)>(at, here);
        simd::store(at, old + simd::convert<T>(v), here);
      };
      for (i64 r = 0; r < size_.z * size_.y; ++r) {
        add(weight_, 0, r, simd::load(entry(count_, count_, c)));
        add(power_, 0, r, simd::load(field(last_field(), c)));
      }
      i64 a = 0;
      for (; a + wide <= count_; a += wide) multiply_back<wide>(a, c, planes, add);
      for (; a < count_; ++a) multiply_back<1>(a, c, planes, add);
    }
  }
  // The matrices' rows [a, a + width) times what the voxels of a column hold; apart as above.
  template <int width, class F>
  [[gnu::noinline]] void multiply_back(i64 a, i64 c, i64 planes, F add) {
    for (i64 r = 0; r < rows_; r += tall) {
      V sum[width][tall];
      for (int i = 0; i < width; ++i)
        for (V& v : sum[i]) v = simd::load(entry(count_, a + i, c));
      for (i64 b = 0; b < count_; ++b) {
        const V* voxels = block(c / lanes, b) + r;
        for (int i = 0; i < width; ++i) {
          const V times = simd::load(b <= a + i ? entry(a + i, b, c) : entry(b, a + i, c));
          for (int k = 0; k < tall; ++k) sum[i][k] = simd::fma(times, voxels[k], sum[i][k]);
        }
      }
      for (int i = 0; i < width; ++i)
        for (int k = 0; k < tall && r + k < size_.z * size_.y; ++k)
          add(total_, (a + i) * planes, r + k, sum[i][k]);
    }
  }
};

}  // namespace

template <class T>
void mppca(On on, View<const T> x, View<const u8> where, Size radii, View<T> total, View<T> weight,
           View<T> power, i64 colour, i64 begin, i64 end) {
  const Size n = where.size;
  const i64 deep = n.z - 2 * radii.z, high = n.y - 2 * radii.y, across = n.x - 2 * radii.x;
  const i64 thick = std::max<i64>(2 * radii.z, 1), long_ = std::max<i64>(2 * radii.y, 1);
  const i64 first = begin + ((begin ^ (colour >> 1)) & 1);
  const i64 tiles_z = (std::min(end, (deep + thick - 1) / thick) - first + 1) / 2;
  const i64 tiles_y = ((high + long_ - 1) / long_ + 1 - (colour & 1)) / 2;
  parallel_for(on, std::max<i64>(tiles_z, 0) * tiles_y, [&](i64 tile) {
    const i64 tz = first + 2 * (tile / tiles_y), ty = 2 * (tile % tiles_y) + (colour & 1);
    Windows<T> windows(x, where, radii, total, weight, power);
    for (i64 z = tz * thick; z < std::min((tz + 1) * thick, deep); ++z)
      for (i64 y = ty * long_; y < std::min((ty + 1) * long_, high); ++y)
        for (i64 i = 0; i < across; i += span) windows.look(z, y, i, std::min(i + span, across));
  });
}

template void mppca(On, View<const f32>, View<const u8>, Size, View<f32>, View<f32>, View<f32>, i64,
                    i64, i64);
template void mppca(On, View<const f64>, View<const u8>, Size, View<f64>, View<f64>, View<f64>, i64,
                    i64, i64);

}  // namespace voxkern::cpu
