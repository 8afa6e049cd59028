#include <voxkern/warp/affine.hpp>

#include <cpu/parallel.hpp>
#include <cpu/warp/points.hpp>

#include <algorithm>

namespace voxkern::cpu {
namespace {

// A stretch [begin, end) of a row of the output.
struct Run {
  i64 begin, end;
};

// The part of a run whose coordinates lie in a span. They never decrease, or never increase, along
// a row: the ends are guessed by division and then tried.
Run clip(Run run, const Line& line, f64 base, Span span) {
  if (run.begin >= run.end) return run;
  const auto in = [&](i64 i) {
    const f64 c = line.at(base, i);
    return span.low <= c && c <= span.high;
  };
  if (line.x == 0) return in(run.begin) ? run : Run{run.begin, run.begin};
  const f64 zero = base + line.offset;
  f64 a = (span.low - zero) / line.x, b = (span.high - zero) / line.x;
  if (a > b) std::swap(a, b);
  const f64 low = f64(run.begin), high = f64(run.end);
  i64 begin = i64(std::clamp(std::ceil(a), low, high)),
      end = i64(std::clamp(std::floor(b) + 1, low, high));
  if (end < begin) end = begin;
  while (begin > run.begin && in(begin - 1)) --begin;
  while (end < run.end && in(end)) ++end;
  while (begin < end && !in(begin)) ++begin;
  while (begin < end && !in(end - 1)) --end;
  return {begin, end};
}

template <int order, bool clamped, class T, class U>
void read_run(const View<const T>& image, const Field& field, const Line (&lines)[3],
              const f64 (&base)[3], U* out, Run run) {
  constexpr int N = group<Real<T>>;
  using D = Doubles<N>;
  using Part = typename D::Part;
  Part lane;
  for (int k = 0; k < half_group; ++k) lane.v[k] = k;
  const Part stop = Part(f64(run.end - 1));
  for (i64 i = run.begin; i < run.end; i += N) {
    D c[3];
    for (int p = 0; p < D::parts; ++p) {
      const Part at = simd::min(lane + Part(f64(i + p * half_group)), stop);
      for (int a = 0; a < 3; ++a)
        c[a].part[p] = (Part(base[a]) + at * Part(lines[a].x)) + Part(lines[a].offset);
    }
    read_group<order, clamped>(image, field, c, out + i, int(std::min<i64>(N, run.end - i)));
  }
}

template <int order, class T, class U>
void read_rows(On on, View<const T> image, View<U> out, const Line (&lines)[3], Outside outside,
               f64 fill) {
  using R = Real<T>;
  const Field field(image);
  const i64 n[3] = {image.size.z, image.size.y, image.size.x};
  const U kept_fill = keep<U>(fill);
  const bool clamped = outside == Outside::nearest || outside == Outside::cell;
  const bool groups = in_groups<order, T> && (order == 0 || n[2] > 1);

  const auto row = [&](i64 z, i64 y, Run whole) {
    f64 base[3];
    for (int a = 0; a < 3; ++a) base[a] = lines[a].base(z, y);
    Run some = whole;
    for (int a = 0; a < 3; ++a) some = clip(some, lines[a], base[a], known(n[a], outside));
    Run inner = groups ? some : Run{some.begin, some.begin};
    for (int a = 0; a < 3; ++a)
      inner = clip(inner, lines[a], base[a], interior(n[a], order, outside));
    U* to = out.row(z, y);
    const auto slowly = [&](i64 begin, i64 end) {
      for (i64 i = begin; i < end; ++i) {
        const R value = sample<order>(image, lines[0].at(base[0], i), lines[1].at(base[1], i),
                                      lines[2].at(base[2], i), outside, R(fill));
        to[i] = keep<U>(value);
      }
    };
    std::fill(to + whole.begin, to + some.begin, kept_fill);
    slowly(some.begin, inner.begin);
    if constexpr (in_groups<order, T>) {
      if (order < 2 && clamped)
        read_run<order, (order < 2)>(image, field, lines, base, to, inner);
      else
        read_run<order, false>(image, field, lines, base, to, inner);
    }
    slowly(inner.end, some.end);
    std::fill(to + some.end, to + whole.end, kept_fill);
  };

  // Bricks of rows, so that what neighbours read stays in the cache whichever way they point.
  constexpr i64 deep = 8, high = 16, wide = 4096;
  const i64 nz = (out.size.z + deep - 1) / deep, ny = (out.size.y + high - 1) / high;
  const i64 nx = (out.size.x + wide - 1) / wide;
  parallel_for(on, nz * ny * nx, [&](i64 brick) {
    const i64 z0 = brick / (ny * nx) * deep, y0 = brick / nx % ny * high, x0 = brick % nx * wide;
    for (i64 z = z0; z < std::min(z0 + deep, out.size.z); ++z)
      for (i64 y = y0; y < std::min(y0 + high, out.size.y); ++y)
        row(z, y, {x0, std::min(x0 + wide, out.size.x)});
  });
}

}  // namespace

template <class T, class U>
void affine(On on, View<const T> in, View<U> out, List<const f64> matrix, i64 order, i64 outside,
            f64 fill, f64, f64) {
  Line lines[3];
  for (int a = 0; a < 3; ++a)
    lines[a] = {matrix[4 * a], matrix[4 * a + 1], matrix[4 * a + 2], matrix[4 * a + 3]};
  const Outside beyond = Outside(i32(outside));
  if constexpr (std::is_same_v<T, U>) {
    if (order == 0) return read_rows<0>(on, in, out, lines, beyond, fill);
    if (order == 1) return read_rows<1>(on, in, out, lines, beyond, fill);
  }
  if constexpr (std::is_floating_point_v<T>) {
    if (order == 2) return read_rows<2>(on, in, out, lines, beyond, fill);
    if (order == 3) return read_rows<3>(on, in, out, lines, beyond, fill);
    if (order == 4) return read_rows<4>(on, in, out, lines, beyond, fill);
    if (order == 5) return read_rows<5>(on, in, out, lines, beyond, fill);
  }
}

template void affine(On, View<const u8>, View<u8>, List<const f64>, i64, i64, f64, f64, f64);
template void affine(On, View<const i16>, View<i16>, List<const f64>, i64, i64, f64, f64, f64);
template void affine(On, View<const u16>, View<u16>, List<const f64>, i64, i64, f64, f64, f64);
template void affine(On, View<const i32>, View<i32>, List<const f64>, i64, i64, f64, f64, f64);
template void affine(On, View<const f32>, View<f32>, List<const f64>, i64, i64, f64, f64, f64);
template void affine(On, View<const f64>, View<f64>, List<const f64>, i64, i64, f64, f64, f64);
template void affine(On, View<const f32>, View<u8>, List<const f64>, i64, i64, f64, f64, f64);
template void affine(On, View<const f32>, View<i16>, List<const f64>, i64, i64, f64, f64, f64);
template void affine(On, View<const f32>, View<u16>, List<const f64>, i64, i64, f64, f64, f64);
template void affine(On, View<const f64>, View<i32>, List<const f64>, i64, i64, f64, f64, f64);

}  // namespace voxkern::cpu
