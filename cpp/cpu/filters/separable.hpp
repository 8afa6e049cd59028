// Correlating along z, y and x in one pass over memory.
//
// A task owns a block of planes, a strip of rows and a tile of columns, and marches along y. For
// each row it stages that row of all planes within reach, correlates along z into a ring of rows
// that stays in the L2 cache, along y from the ring into a few lines, along x from those into the
// image. Everything in between is float32 for float32 images and float64 for all others, in which
// SciPy's sums are repeated operation by operation, so that integers are cut to the same values.
//
// Averages of short integers are summed in float32 all the same, which is off by little: only sums
// so near to a whole number that it matters where they are cut are made again in float64. Under
// whole weights short integers stay what they are: sums wrap in 16 bits as they would when cut.
#pragma once
#include <voxkern/filters/separable.hpp>
#include <voxkern/simd.hpp>

#include <cpu/filters/shorts.hpp>
#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

namespace voxkern::cpu {

// The weights along one axis, the first of which meets the voxel `before` places back; none leaves
// the axis alone.
struct Taps {
  List<const f64> weights;
  i64 before;
  Edge edge;
};

namespace axes {

template <class C>
C number(f64 value) {
  if constexpr (std::is_integral_v<C>)
    return C(i64(value));
  else
    return C(value);
}

constexpr i64 group = 4;  // lines made by one sweep over what they need, which they share
constexpr i64 line_bytes = 64;

enum class Kind { even, odd, any };

// Weights as they are summed. Of even and odd ones a half: those at distance 0, 1, ... before the
// centre. All of any others.
template <class C>
struct Line {
  std::vector<C> weights;
  std::vector<f64> exact;
  i64 size = 1, before = 0, radius = 0;  // `radius`: how far a window reaches at most
  Kind kind = Kind::even;
  bool averages = true;  // no weight is negative, and together they are no more than one
  bool idle = true;

  explicit Line(Taps taps) {
    const List<const f64> all = taps.weights;
    if (all.size == 0) {
      weights.push_back(C(1));
      return;
    }
    idle = false;
    size = all.size;
    before = taps.before;
    radius = std::max(before, size - 1 - before);
    bool even = size % 2 == 1, odd = even;
    for (i64 n = 0; n < size / 2; ++n) {
      even = even && all[n] == all[size - 1 - n];
      odd = odd && all[n] == -all[size - 1 - n];
    }
    kind = even ? Kind::even : odd ? Kind::odd : Kind::any;
    if (kind == Kind::any)
      for (i64 n = 0; n < size; ++n) weights.push_back(number<C>(all[n]));
    else
      for (i64 n = size / 2; n >= 0; --n) weights.push_back(number<C>(all[n]));
    f64 total = 0;
    for (i64 n = 0; n < size; ++n) {
      averages = averages && all[n] >= 0;
      total += all[n];
    }
    averages = averages && total <= 1 + 1e-7;
    if (averages && kind == Kind::even) exact.assign(all.data, all.data + size);
    std::reverse(exact.begin(), exact.begin() + i64(exact.size() + 1) / 2);
  }

  // By how much a sum in float32 may be off where no voxel is larger than `most`: by half a unit in
  // the last place for the weights, the products, each addition, and that of this.
  f32 error(f32 most) const { return idle ? 0 : most * f32(size + 8) * 0x1p-25f; }
};

// Whether sums in float32 stand for SciPy's in float64.
template <class T, class C>
constexpr bool guarded = std::is_integral_v<T> && std::is_same_v<C, f32>;

// What SciPy keeps of a sum between two axes.
template <class T, class V>
V settle(V sum) {
  if constexpr (std::is_integral_v<T> && std::is_same_v<typename V::Lane, f64>)
    return simd::convert<f64>(cut<T>(sum));
  else
    return sum;
}

template <class T, class V>
V add(V sum, V value, V weight) {
  if constexpr (std::is_integral_v<T> && !guarded<T, typename V::Lane>)
    return sum + value * weight;
  else
    return simd::fma(value, weight, sum);
}

// The sums around `centre` once more, operation by operation. Voxels are `step` apart, or in
// `rows`.
template <class T, class Voxels, int... lane>
[[gnu::noinline]] inline Vec<f32> exactly(const Line<f32>& line, Voxels voxels,
                                          std::integer_sequence<int, lane...>) {
  constexpr int half = simd::lanes<f64>;
  const f64* weights = line.exact.data();
  const auto at = [](const f32* p, int h) { return simd::load_as<f64>(p + h * half); };
  const f32* centre = voxels(0);
  Vec<f64> sum[] = {at(centre, 0) * Vec<f64>(weights[0]), at(centre, 1) * Vec<f64>(weights[0])};
  for (i64 j = line.size / 2; j > 0; --j) {
    const Vec<f64> weight(weights[j]);
    const f32 *left = voxels(-j), *right = voxels(j);
    for (int h = 0; h < 2; ++h) sum[h] = sum[h] + (at(left, h) + at(right, h)) * weight;
  }
  return simd::convert<f32>(simd::shuffle<lane...>(cut<T>(sum[0]), cut<T>(sum[1])));
}

// A sum's first term. Where sums are checked it is `error` too small, and so are they if they have
// no sign.
template <class T, class V>
V first_term(V value, V weight, [[maybe_unused]] f32 error) {
  if constexpr (guarded<T, typename V::Lane> && !std::is_signed_v<T>)
    return simd::fma(value, weight, V(-error));
  else
    return value * weight;
}

// Cuts sums towards zero that may be off by `error`. The least that one may be in truth has the
// same whole part as the most, unless what is left of it is almost one: then it is made again.
template <class T, int N, class Voxels>
[[gnu::always_inline]] inline void cut_surely(Vec<f32> (&sum)[N], f32 error, const Line<f32>& line,
                                              Voxels voxels) {
  using V = Vec<f32>;
  V rest[N], most = -1.0f;
#pragma GCC unroll 4
  for (int n = 0; n < N; ++n) {
    const V least = std::is_signed_v<T> ? abs(sum[n]) - V(error) : sum[n];
    const V whole = simd::trunc(least);
    rest[n] = least - whole;
    most = max(most, rest[n]);
    sum[n] = std::is_signed_v<T> ? simd::select(sum[n] < V(0.0f), -whole, whole) : whole;
  }
  const V limit = 1 - 2 * error;
  if (__builtin_expect(!simd::any(most >= limit), true)) return;
  const auto lanes = std::make_integer_sequence<int, simd::lanes<f32>>{};
#pragma GCC unroll 4
  for (int n = 0; n < N; ++n)
    if (simd::any(rest[n] >= limit))
      sum[n] = exactly<T>(line, [voxels, n](i64 j) { return voxels(n, j); }, lanes);
}

// outs[n] = the sum over rows[n .. n + size), for N neighbouring lines. Rows are whole vectors.
template <class T, int N, Kind kind, class C>
void across(const C* const* rows, C* const* outs, const Line<C>& line, C most, i64 begin, i64 end) {
  using V = Vec<C>;
  const f32 error = line.error(f32(most));
  const C* weights = line.weights.data();
  for (i64 x = begin; x < end; x += V::lanes) {
    V sum[N], left[N], right[N];
    if constexpr (kind == Kind::any) {
      const i64 last = line.size - 1;
      for (int n = 0; n < N; ++n) {
        sum[n] = simd::load(rows[last + n] + x) * V(weights[last]);
        left[n] = simd::load(rows[n] + x);
      }
      for (i64 j = 0; j < last; ++j) {
        const V weight(weights[j]);
        for (int n = 0; n < N; ++n) sum[n] = add<T>(sum[n], left[n], weight);
        for (int n = 0; n + 1 < N; ++n) left[n] = left[n + 1];
        left[N - 1] = simd::load(rows[j + N] + x);
      }
    } else {
      const i64 r = line.size / 2;
      for (int n = 0; n < N; ++n) {
        sum[n] = first_term<T>(simd::load(rows[r + n] + x), V(weights[0]), error);
        left[n] = simd::load(rows[n] + x);
        right[n] = simd::load(rows[2 * r + n] + x);
      }
      // At turn m the rows of line n are in left[n + m] and right[n - m], so that after N turns
      // each is where it was, and none has been moved.
      const auto turn = [&](i64 j, int m) {
        const V weight(weights[j]);
        for (int n = 0; n < N; ++n) {
          const V a = left[(n + m) % N], b = right[(n + N - m) % N];
          sum[n] = add<T>(sum[n], kind == Kind::odd ? a - b : a + b, weight);
        }
        left[m] = simd::load(rows[r + N - j] + x);
        right[N - 1 - m] = simd::load(rows[r + j - 1] + x);
      };
      i64 j = r;
      for (; j >= N; j -= N)
#pragma GCC unroll 4
        for (int m = 0; m < N; ++m) turn(j - m, m);
      if constexpr (N == 4) {
        if (j > 0) turn(j, 0);
        if (j > 1) turn(j - 1, 1);
        if (j > 2) turn(j - 2, 2);
      }
    }
    if constexpr (guarded<T, C>)
      cut_surely<T>(sum, error, line,
                    [centre = rows + line.size / 2, x](int n, i64 j) { return centre[n + j] + x; });
    for (int n = 0; n < N; ++n) simd::store(outs[n] + x, settle<T>(sum[n]));
  }
}

// Calls f with the kind as a constant.
template <class T, class C, class F>
void with_kind(Kind kind, F f) {
  if (guarded<T, C> || kind == Kind::even)
    f(std::integral_constant<Kind, Kind::even>{});
  else if constexpr (guarded<T, C>)
    return;
  else if (kind == Kind::odd)
    f(std::integral_constant<Kind, Kind::odd>{});
  else
    f(std::integral_constant<Kind, Kind::any>{});
}

template <class T, class C>
void across(const C* const* rows, C* const* outs, i64 lines, const Line<C>& line, C most, i64 begin,
            i64 end) {
  with_kind<T, C>(line.kind, [&](auto kind) {
    if (lines == group)
      across<T, group, kind>(rows, outs, line, most, begin, end);
    else
      for (i64 n = 0; n < lines; ++n)
        across<T, 1, kind>(rows + n, outs + n, line, most, begin, end);
  });
}

// What is written of a sum.
template <class T, class V>
auto whole_of(V sum) {
  if constexpr (std::is_same_v<typename V::Lane, i16>) {
    const auto bits = simd::bits_as<u16>(sum);
    if constexpr (sizeof(T) == 1)
      return as_bytes(bits & Vec<u16>(u16(255)));
    else
      return simd::bits_as<T>(bits);
  } else if constexpr (guarded<T, typename V::Lane>) {
    return simd::narrow<T>(simd::convert<i32>(sum));
  } else {
    return wrapped<T>(sum);
  }
}
// Writes a sum to the image; `past` says to go around the cache.
template <class T, class V>
void put(T* p, V sum, bool past) {
  if constexpr (std::is_integral_v<T>) {
    simd::store(p, whole_of<T>(sum));
  } else {
    past ? simd::stream(p, sum) : simd::store(p, sum);
  }
}
template <class T, class V>
void put_some(T* p, V sum, int n) {
  if constexpr (std::is_integral_v<T>) {
    simd::store(p, whole_of<T>(sum), n);
  } else {
    simd::store(p, sum, n);
  }
}

// The sums over the windows that begin at `at`, a vector's step apart.
template <class T, int N, Kind kind, class V, class C>
[[gnu::always_inline]] inline void windows(const C* at, const Line<C>& line, C most, V (&sum)[N]) {
  constexpr int step = V::lanes;
  const C* weights = line.weights.data();
  if constexpr (kind == Kind::any) {
    const i64 last = line.size - 1;
    for (int n = 0; n < N; ++n) sum[n] = simd::load(at + n * step + last) * V(weights[last]);
    for (i64 j = 0; j < last; ++j)
      for (int n = 0; n < N; ++n)
        sum[n] = add<T>(sum[n], simd::load(at + n * step + j), V(weights[j]));
  } else {
    at += line.size / 2;
    const f32 error = line.error(f32(most));
    for (int n = 0; n < N; ++n)
      sum[n] = first_term<T>(simd::load(at + n * step), V(weights[0]), error);
    for (i64 j = line.size / 2; j > 0; --j) {
      const V weight(weights[j]);
      for (int n = 0; n < N; ++n) {
        const V left = simd::load(at + n * step - j), right = simd::load(at + n * step + j);
        sum[n] = add<T>(sum[n], kind == Kind::odd ? left - right : left + right, weight);
      }
    }
    if constexpr (guarded<T, C>)
      cut_surely<T>(sum, error, line, [at](int n, i64 j) { return at + n * step + j; });
  }
}

// out[x] = the sum over places[x - before ..]. They have a vector's room behind their last.
template <class T, class C>
void along(const C* places, T* out, i64 count, const Line<C>& line, C most, bool past) {
  using V = Vec<C>;
  constexpr int step = V::lanes;
  past = past && reinterpret_cast<u64>(out) % simd::bytes == 0;
  with_kind<T, C>(line.kind, [&](auto kind) {
    const C* at = places - line.before;
    i64 x = 0;
    for (; x + group * step <= count; x += group * step) {
      V sum[group];
      windows<T, group, kind>(at + x, line, most, sum);
      for (int n = 0; n < group; ++n) put(out + x + n * step, sum[n], past);
    }
    for (; x < count; x += step) {
      V sum[1];
      windows<T, 1, kind>(at + x, line, most, sum);
      x + step <= count ? put(out + x, sum[0], past) : put_some(out + x, sum[0], int(count - x));
    }
  });
}

// The voxels from p on, and how many of them where these are few.
template <class C, class T, class... Few>
Vec<C> read(const T* p, Few... n) {
  if constexpr (std::is_same_v<C, i16>)
    return simd::bits_as<i16>(load_shorts(p, n...));
  else
    return simd::load_as<C>(p, n...);
}

// A stretch of columns: from the image's column `from` to the line's place `to`.
struct Run {
  i64 to, from, count;
};

// One place of a line that lies outside the image, and the place that stands in for it, or -1.
struct Border {
  i64 to, from;
};

// What is made of a row: fields along z, from those fields along y, and how far the sums along x,
// which are the caller's, look to both sides. Lines of one axis are equally long, or all idle.
template <class C>
struct Stages {
  struct Y {
    int from;  // the field along z
    Line<C> line;
  };
  std::vector<Line<C>> z;
  std::vector<Y> y;
  i64 radius_x;
  Edge edge[3];
  int spare = 0;  // rows of scratch that the caller wants
};

// A row of all fields, ready for the sums along x: fields[f][0] is voxel (z, y, x).
template <class C>
struct Fields {
  i64 z, y, x, count;
  const C* const* fields;
  C* spare;
  i64 pitch;  // of the spare rows
  C most;     // no voxel is larger, where sums are guarded
  bool past;  // whether the output is to go around the cache
};

template <class T, class Finish, class C = sum_of<T>>
class Schedule {
 public:
  // With `times`, an image of floats like `in`, what is summed is their product.
  Schedule(On on, View<const T> in, Stages<C> stages, f64 fill, Finish finish,
           View<const T> times = {})
      : on_(on),
        in_(in),
        times_(times),
        fill_(number<C>(fill)),
        stages_(std::move(stages)),
        edge_(stages_.edge),
        z_(stages_.z[0]),
        y_(stages_.y[0].line),
        finish_(finish) {
    constexpr i64 line = line_bytes / sizeof(C);
    const Size n = in.size;
    // Wide enough that halos, and a task's own costs, stay small beside its work.
    tiles_ = std::max<i64>(1, n.x / std::max({i64(512), 4 * stages_.radius_x, (1 << 15) / n.y}));
    pad_ = (stages_.radius_x + line - 1) / line * line;
    // An odd number of cache lines, so that the rows of a ring spread over all sets of the cache.
    const i64 widest = n.x / tiles_ + 1;
    pitch_ = ((2 * pad_ + widest + simd::lanes<C> + line - 1) / line | 1) * line;
    slots_ = edge_[1] == Edge::wrap ? 2 * y_.radius + group : std::min(n.y, 2 * y_.radius + group);
    planes_ = 1;
    if (!z_.idle) {
      // Every block reads 2 r planes more than it makes, so long kernels get a ring beyond L2.
      const auto fit = [&](i64 bytes) {
        return bytes / (i64(stages_.z.size()) * slots_ * pitch_ * i64(sizeof(C)));
      };
      const i64 enough = std::min(z_.radius / 2, fit(16 * ring_bytes));
      const i64 planes = std::max(std::min(fit(ring_bytes), 4 * group), enough);
      planes_ = std::min(n.z, std::max(planes / group * group, group));
    }
    blocks_ = (n.z + planes_ - 1) / planes_;
    // Strips repeat work at their ends: only where there are too few tasks to share out.
    const i64 wanted = (4 * on.threads - 1) / (blocks_ * tiles_) + 1;
    const i64 shortest = std::max<i64>(16, 4 * y_.radius);
    strips_ = on.threads == 1 ? 1 : std::clamp<i64>(n.y / shortest, 1, wanted);
    past_ = n.count() * i64(sizeof(T)) >= streamed_bytes;
  }

  void run() const {
    const Size n = in_.size;
    parallel_for(on_, blocks_ * strips_ * tiles_, [&](i64 i) {
      const i64 tile = i % tiles_, strip = i / tiles_ % strips_, block = i / tiles_ / strips_;
      Task(*this, {block * n.z / blocks_, strip * n.y / strips_, tile * n.x / tiles_},
           {(block + 1) * n.z / blocks_, (strip + 1) * n.y / strips_, (tile + 1) * n.x / tiles_})
          .run();
    });
  }

 private:
  static constexpr i64 ring_bytes = 384 << 10;    // of a ring in L2, with room for the rest
  static constexpr i64 streamed_bytes = 8 << 20;  // from here on the output goes around the cache

  // One block of planes, strip of rows, tile of columns: from `a` up to `b`.
  class Task {
   public:
    Task(const Schedule& all, Size a, Size b)
        : s(all), a_(a), b_(b), most_(s.fill_ < C(0) ? -s.fill_ : s.fill_) {
      const Size n = s.in_.size;
      planes_ = b.z - a.z;
      const i64 last = b.z + s.z_.size - 1 - s.z_.before;
      for (i64 z = a.z - s.z_.before; z < last; ++z) {
        const i64 from = inside(z, n.z, s.edge_[0]);
        if (from >= 0) sources_.push_back(from);
        reach_.push_back(from);
      }
      std::sort(sources_.begin(), sources_.end());
      sources_.erase(std::unique(sources_.begin(), sources_.end()), sources_.end());
      for (i64& z : reach_)
        if (z >= 0) z = std::lower_bound(sources_.begin(), sources_.end(), z) - sources_.begin();

      columns();
      const i64 staged = s.z_.idle ? 0 : i64(sources_.size());
      const i64 ring = i64(s.stages_.z.size()) * planes_ * s.slots_;
      const i64 lines = i64(s.stages_.y.size()) * group;
      const i64 rows = staged + ring + lines + 1 + s.stages_.spare;
      room_ = Scratch<C>(rows * s.pitch_);
      std::fill(room_.begin(), room_.end(), C(0));
      stage_ = room_.data();
      ring_ = stage_ + staged * s.pitch_;
      lines_ = ring_ + ring * s.pitch_;
      fill_row_ = lines_ + lines * s.pitch_;
      std::fill(fill_row_, fill_row_ + s.pitch_, s.fill_);
      pointers_.resize(std::max(s.z_.size, s.y_.size) + std::max<i64>(planes_, group));
    }

    void run() {
      const bool wrap = s.edge_[1] == Edge::wrap;
      const i64 r = s.y_.radius, n = s.in_.size.y;
      i64 next = wrap ? a_.y - r : std::max<i64>(0, a_.y - r);
      for (i64 y = a_.y; y < b_.y; y += group) {
        const i64 lines = std::min<i64>(group, b_.y - y);
        const i64 reach = y + lines + r;
        for (; next < (wrap ? reach : std::min(reach, n)); ++next) row_along_z(next);
        for (i64 p = 0; p < planes_; ++p) finish(p, y, lines);
      }
      if (s.past_) simd::stream_fence();
    }

   private:
    const Schedule& s;
    const Size a_, b_;
    C most_;  // no voxel that was read is larger
    i64 planes_, begin_, end_;
    std::vector<i64> sources_,
        reach_;  // the planes to read, and which of them lies at each step of z
    std::vector<Run> runs_;
    std::vector<Border> borders_;
    Scratch<C> room_;
    C *stage_, *ring_, *lines_, *fill_row_;
    std::vector<const C*> pointers_;

    // Where the columns of a line come from. Place p of a line is the image's column a.x - pad + p.
    void columns() {
      const i64 n = s.in_.size.x, r = s.stages_.radius_x, first = a_.x - s.pad_;
      const i64 low = a_.x - r, high = b_.x + r;
      if (s.edge_[2] == Edge::wrap) {
        for (i64 x = low; x < high;) {
          const i64 from = inside(x, n, Edge::wrap), count = std::min(n - from, high - x);
          runs_.push_back({x - first, from, count});
          x += count;
        }
      } else {
        const i64 from = std::max<i64>(0, low), to = std::min(n, high);
        runs_.push_back({from - first, from, to - from});
        for (i64 x = low; x < high; ++x) {
          if (0 <= x && x < n) continue;
          const i64 other = inside(x, n, s.edge_[2]);
          borders_.push_back({x - first, other < 0 ? -1 : other - first});
        }
      }
      constexpr i64 step = simd::lanes<C>;
      begin_ = runs_.front().to / step * step;
      end_ = runs_.back().to + runs_.back().count;
    }

    C* slot(i64 field, i64 plane, i64 y) const {
      return ring_ + ((field * planes_ + plane) * s.slots_ +
                      (y + s.slots_ * (1 + s.y_.radius)) % s.slots_) *
                         s.pitch_;
    }

    // Copies the columns of one of the image's rows, as lanes.
    void stage(i64 z, i64 y, C* to) {
      const T* row = s.in_.row(z, y);
      [[maybe_unused]] Vec<C> most(most_);
      const auto seen = [&](Vec<C> v) {
        if constexpr (guarded<T, C>) most = max(most, std::is_signed_v<T> ? abs(v) : v);
        return v;
      };
      if constexpr (std::is_same_v<T, C>)
        if (s.times_.data) return stage_products(row, s.times_.row(z, y), to);
      for (const Run& run : runs_) {
        const T* from = row + run.from;
        C* at = to + run.to;
        constexpr i64 step = simd::lanes<C>;
        i64 i = 0;
        for (; i + step <= run.count; i += step) {
          simd::store(at + i, seen(read<C>(from + i)));
          __builtin_prefetch(from + i + s.in_.step.y);  // the next row, to be staged soon
        }
        if (i < run.count) {
          const int rest = int(run.count - i);
          simd::store(at + i, seen(read<C>(from + i, rest)), rest);
        }
      }
      if constexpr (guarded<T, C>) most_ = simd::reduce_max(most);
    }

    void stage_products(const C* row, const C* times, C* to) const {
      for (const Run& run : runs_) {
        const C *a = row + run.from, *b = times + run.from;
        C* at = to + run.to;
        constexpr i64 step = simd::lanes<C>;
        for (i64 i = 0; i < run.count; i += step) {
          const int n = int(std::min(step, run.count - i));
          simd::store(at + i, simd::load(a + i, n) * simd::load(b + i, n), n);
          __builtin_prefetch(a + i + s.in_.step.y);
          __builtin_prefetch(b + i + s.times_.step.y);
        }
      }
    }

    void row_along_z(i64 y) {
      const i64 from = inside(y, s.in_.size.y, s.edge_[1]);
      if (s.z_.idle) {
        for (i64 p = 0; p < planes_; ++p) stage(a_.z + p, from, slot(0, p, y));
        return;
      }
      for (i64 i = 0; i < i64(sources_.size()); ++i)
        stage(sources_[i], from, stage_ + i * s.pitch_);
      for (i64 i = 0; i < i64(reach_.size()); ++i)
        pointers_[i] = reach_[i] < 0 ? fill_row_ : stage_ + reach_[i] * s.pitch_;
      for (i64 p = 0; p < planes_; p += group) {
        const i64 lines = std::min<i64>(group, planes_ - p);
        for (size_t f = 0; f < s.stages_.z.size(); ++f) {
          C* outs[group];
          for (i64 n = 0; n < lines; ++n) outs[n] = slot(i64(f), p + n, y);
          across<T>(pointers_.data() + p, outs, lines, s.stages_.z[f], most_, begin_, end_);
        }
      }
    }

    // Along y: the rows y .. y + lines of one plane, handed on to the sums along x.
    void finish(i64 p, i64 y, i64 lines) {
      const size_t count = s.stages_.y.size();
      outs_.resize(count * group);
      for (size_t f = 0; f < count; ++f) along_y(p, y, lines, s.stages_.y[f], f);
      std::vector<const C*>& fields = fields_;
      fields.resize(count);
      for (i64 n = 0; n < lines; ++n) {
        for (size_t f = 0; f < count; ++f) {
          C* line = outs_[f * group + size_t(n)];
          for (const Border& b : borders_) line[b.to] = b.from < 0 ? s.fill_ : line[b.from];
          fields[f] = line + s.pad_;
        }
        s.finish_(Fields<C>{a_.z + p, y + n, a_.x, b_.x - a_.x, fields.data(), fill_row_ + s.pitch_,
                            s.pitch_, most_, s.past_});
      }
    }

    void along_y(i64 p, i64 y, i64 lines, const typename Stages<C>::Y& stage, size_t f) {
      C** outs = outs_.data() + f * group;
      const bool idle = s.y_.idle && s.stages_.y.size() == 1;
      for (i64 n = 0; n < lines; ++n)
        outs[n] = idle ? slot(stage.from, p, y + n) : lines_ + (i64(f) * group + n) * s.pitch_;
      if (idle) return;
      const bool wrap = s.edge_[1] == Edge::wrap;
      for (i64 k = 0; k < s.y_.size - 1 + lines; ++k) {
        i64 at = y - s.y_.before + k;
        if (!wrap) at = inside(at, s.in_.size.y, s.edge_[1]);
        pointers_[k] = !wrap && at < 0 ? fill_row_ : slot(stage.from, p, at);
      }
      across<T>(pointers_.data(), outs, lines, stage.line, most_, begin_, end_);
    }

    std::vector<C*> outs_;
    std::vector<const C*> fields_;
  };

  const On on_;
  const View<const T> in_, times_;
  const C fill_;
  const Stages<C> stages_;
  const Edge (&edge_)[3];
  const Line<C>&z_, &y_;  // the first of their axis, which stand for all
  const Finish finish_;
  i64 tiles_, blocks_, strips_, planes_, slots_, pad_, pitch_;
  bool past_;
};

}  // namespace axes

// out = in correlated along z, then y, then x, in sums of type C; `times` as in Schedule.
template <class T, class C = sum_of<T>>
void correlate_axes(On on, View<const T> in, View<T> out, const Taps (&taps)[3], f64 fill,
                    View<const T> times = {}) {
  const axes::Line<C> x(taps[2]);
  const auto finish = [&](const axes::Fields<C>& row) {
    axes::along(row.fields[0], out.row(row.z, row.y) + row.x, row.count, x, row.most, row.past);
  };
  axes::Stages<C> stages{{axes::Line<C>(taps[0])},
                         {{0, axes::Line<C>(taps[1])}},
                         x.radius,
                         {taps[0].edge, taps[1].edge, taps[2].edge}};
  axes::Schedule<T, decltype(finish), C>(on, in, std::move(stages), fill, finish, times).run();
}

// Whether all weights are whole and so few that no sum in float64 is cut by more than wrapping.
bool whole(const Taps (&taps)[3], f64 fill);

// correlate_axes for those, of short integers.
template <class T>
void whole_axes(On on, View<const T> in, View<T> out, const Taps (&taps)[3], f64 fill);

// Whether all sums are averages with weights that are even about their centre.
bool averages(const Taps (&taps)[3]);

// correlate_axes for those, of short integers.
template <class T>
void average_axes(On on, View<const T> in, View<T> out, const Taps (&taps)[3], f64 fill);

}  // namespace voxkern::cpu
