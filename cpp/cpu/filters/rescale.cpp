// Memory's speed is the limit of all but the power: rows are read once and written once.
#include <voxkern/filters/rescale.hpp>
#include <voxkern/simd.hpp>

#include <cpu/filters/exp.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace voxkern::cpu {
namespace {

constexpr i64 wide = simd::lanes<f64>;

// Runs row(z, y, from, to) over pieces of rows.
template <class F>
void each_piece(On on, Size n, F row) {
  const Blocks blocks(n);
  parallel_for(on, blocks.count(), [&](i64 i) {
    const Block b = blocks[i];
    for (i64 line = b.begin; line < b.end; ++line) row(line / n.y, line % n.y, b.from, b.to);
  });
}

// v between low and high; NaN stays.
template <class T, int N>
Vec<T, N> cut_off(Vec<T, N> v, simd::as<Vec<T, N>> low, simd::as<Vec<T, N>> high) {
  return select(v < low, low, select(v > high, high, v));
}

// Lines between knots, a vector at a time: a table of even cells says where to begin to look.
class Lines {
 public:
  Lines(List<const f64> knots, List<const f64> values)
      : knots_(knots.data, knots.data + knots.size),
        values_(values.data, values.data + knots.size) {
    const i64 n = knots.size;
    first_ = knots_[0];
    last_ = knots_[n - 1];
    knots_.push_back(std::numeric_limits<f64>::infinity());
    slopes_.resize(n + 1);
    for (i64 k = 0; k + 1 < n; ++k)
      slopes_[k] = (values_[k + 1] - values_[k]) / (knots_[k + 1] - knots_[k]);
    scale_ = f64(cells) / (last_ - first_);
    if (!std::isfinite(scale_)) scale_ = 0;
    starts_.resize(cells + 1);
    // A cell early, for the quotient may be rounded up.
    for (i64 k = 0; k <= cells; ++k) {
      const f64 from = first_ + f64(most(k - 1, i64(0))) * ((last_ - first_) / cells);
      starts_[k] = i32(knot_of(from, knots.data, n));
    }
  }
  Vec<f64> of(Vec<f64> v) const {
    const auto inside = (v >= Vec<f64>(first_)) & (v < Vec<f64>(last_));
    const Vec<f64> safe = select(inside, v, Vec<f64>(first_));
    const Vec<f64> cell = min((safe - first_) * scale_, f64(cells));
    auto at = simd::gather(starts_.data(), simd::convert<i32>(cell));
    for (;;) {
      const auto later = simd::gather(knots_.data() + 1, at) <= safe;
      if (!any(later)) break;
      at = at - simd::convert<i32>(later);
    }
    const Vec<f64> line =
        simd::gather(slopes_.data(), at) * (safe - simd::gather(knots_.data(), at)) +
        simd::gather(values_.data(), at);
    const Vec<f64> end = select(v < Vec<f64>(first_), Vec<f64>(values_.front()), values_.back());
    return select(inside, line, select(v == v, end, v));
  }

 private:
  static constexpr i64 cells = 4096;
  f64 first_, last_, scale_;
  std::vector<f64> knots_, values_, slopes_;
  std::vector<i32> starts_;
};

}  // namespace

template <class T, class R>
void rescale(On on, View<const T> x, View<R> y, f64 low, f64 high, f64 offset, f64 width, f64 span,
             f64 bottom, f64 lowest, f64 highest) {
  each_piece(on, x.size, [&](i64 z, i64 j, i64 from, i64 to) {
    const T* a = x.row(z, j);
    R* b = y.row(z, j);
    i64 i = from;
    for (; i + wide <= to; i += wide) {
      const Vec<f64> v = simd::load_as<f64>(a + i);
      const Vec<f64> cut = cut_off(v, low, high);
      Vec<f64> t = (cut - offset) / width * span + bottom;
      if constexpr (std::is_integral_v<R>) t = round(t);
      simd::store_as<R>(b + i, t);
    }
    for (; i < to; ++i)
      b[i] = settled<R>((clipped(f64(a[i]), low, high) - offset) / width * span + bottom, lowest,
                        highest);
  });
}

template <class T>
void clip(On on, View<const T> x, View<T> y, T low, T high) {
  each_piece(on, x.size, [&](i64 z, i64 j, i64 from, i64 to) {
    const T* a = x.row(z, j);
    T* b = y.row(z, j);
    constexpr i64 lanes = simd::lanes<T>;
    i64 i = from;
    for (; i + lanes <= to; i += lanes) {
      const Vec<T> v = simd::load(a + i);
      simd::store(b + i, cut_off(v, low, high));
    }
    for (; i < to; ++i) b[i] = a[i] < low ? low : a[i] > high ? high : a[i];
  });
}

template <class T>
void shifted_sums(On on, View<const T> x, View<const u8> mask, f64 centre, List<f64> sums) {
  const auto all =
      parallel_sum<Sums<3>>(on, x.size, [&](i64 z, i64 j, i64 from, i64 to, Sums<3>& sum) {
        const T* a = x.row(z, j) + from;
        const u8* in = row_of(mask, z, j, from);
        LaneSum count, first, second;
        simd::each_vector<f64>(to - from, [&](i64 i, auto some) {
          const Vec<f64> v = simd::load_as<f64>(a + i, some);
          const auto counts = simd::inside<Vec<f64>::Mask>(in, i, some) & (v == v);
          const Vec<f64> d = select(counts, v - centre, 0.0);
          count.add(select(counts, Vec<f64>(1.0), 0.0));
          first.add(d);
          second.add(d * d);
        });
        sum[0] += count.total();
        sum[1] += first.total();
        sum[2] += second.total();
      });
  for (int k = 0; k < 3; ++k) sums[k] = all[k];
}

template <class T, class R>
void interp(On on, View<const T> x, View<R> y, List<const f64> knots, List<const f64> values) {
  const Lines lines(knots, values);
  each_piece(on, x.size, [&](i64 z, i64 j, i64 from, i64 to) {
    const T* a = x.row(z, j);
    R* b = y.row(z, j);
    i64 i = from;
    for (; i + wide <= to; i += wide) simd::store_as<R>(b + i, lines.of(simd::load_as<f64>(a + i)));
    if (i < to) {
      const int some = int(to - i);
      simd::store_as<R>(b + i, lines.of(simd::load_as<f64, int(wide)>(a + i, some)), some);
    }
  });
}

template <class T, class R>
void power(On on, View<const T> x, View<R> y, f64 low, f64 high, f64 width, f64 exponent, f64 span,
           f64 bottom) {
  const f32 tiny = std::numeric_limits<f32>::min();
  const f32 times = f32(1 / width);
  const bool in_floats = times >= tiny && times <= 1 / tiny;
  each_piece(on, x.size, [&](i64 z, i64 j, i64 from, i64 to) {
    const T* a = x.row(z, j);
    R* b = y.row(z, j);
    i64 i = from;
    if constexpr (std::is_same_v<T, f32> && std::is_same_v<R, f32>) {
      constexpr i64 lanes = simd::lanes<f32>;
      for (; in_floats && i + lanes <= to; i += lanes) {
        const Vec<f32> v = simd::load(a + i);
        const Vec<f32> t = min(max((v - f32(low)) * times, tiny), 1.0f);
        const Vec<f32> p = exp2(log2(t) * f32(exponent));
        const Vec<f32> q = select(t > tiny, p, Vec<f32>(0.0f)) * f32(span) + f32(bottom);
        simd::store(b + i, select(v == v, q, v));
      }
    }
    for (; i < to; ++i) {
      const f64 t = (clipped(f64(a[i]), low, high) - low) / width;
      b[i] = R(std::pow(t, exponent) * span + bottom);
    }
  });
}

template <class T, class R>
void lookup(On on, View<const T> x, View<R> y, List<const R> table) {
  constexpr i64 lowest = std::numeric_limits<T>::min();
  each_piece(on, x.size, [&](i64 z, i64 j, i64 from, i64 to) {
    const T* a = x.row(z, j);
    R* b = y.row(z, j);
    for (i64 i = from; i < to; ++i) b[i] = table[i64(a[i]) - lowest];
  });
}

#define VOXKERN_RESCALE(T, R) \
  template void rescale(On, View<const T>, View<R>, f64, f64, f64, f64, f64, f64, f64, f64);
#define VOXKERN_ALL(T)                                  \
  VOXKERN_RESCALE(T, u8)                                \
  VOXKERN_RESCALE(T, f32)                               \
  VOXKERN_RESCALE(T, f64)                               \
  template void clip(On, View<const T>, View<T>, T, T); \
  template void shifted_sums(On, View<const T>, View<const u8>, f64, List<f64>);
VOXKERN_ALL(u8)
VOXKERN_ALL(i16)
VOXKERN_ALL(u16)
VOXKERN_ALL(i32)
VOXKERN_ALL(f32)
VOXKERN_ALL(f64)

#define VOXKERN_CURVE(T, R)                                                           \
  template void interp(On, View<const T>, View<R>, List<const f64>, List<const f64>); \
  template void power(On, View<const T>, View<R>, f64, f64, f64, f64, f64, f64);
VOXKERN_CURVE(i32, f64)
VOXKERN_CURVE(f32, f32)
VOXKERN_CURVE(f64, f64)

#define VOXKERN_LOOKUP(T, R) template void lookup(On, View<const T>, View<R>, List<const R>);
VOXKERN_LOOKUP(u8, f32)
VOXKERN_LOOKUP(i16, f32)
VOXKERN_LOOKUP(u16, f32)

}  // namespace voxkern::cpu
