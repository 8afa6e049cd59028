#include <voxkern/warp/affine.hpp>

#include <cpu/parallel.hpp>
#include <cpu/warp/points.hpp>

#include <cmath>

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
  const auto in = [&](i64 i) { return span.has(line.at(base, i)); };
  if (line.x == 0) return in(run.begin) ? run : Run{run.begin, run.begin};
  f64 a = (span.low - base) / line.x, b = (span.high - base) / line.x;
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

template <class T, class V, class U>
void read_rows(On on, const Reader<T, V>& reader, View<U> out, const Line (&lines)[3], f64 fill) {
  const U kept_fill = keep<U>(fill);
  const auto row = [&](i64 z, i64 y, Run whole) {
    f64 base[3];
    for (int a = 0; a < 3; ++a) base[a] = lines[a].base(z, y);
    Run some = whole;
    for (int a = 0; a < 3; ++a) some = clip(some, lines[a], base[a], reader.known(a));
    Run inner = some;
    for (int a = 0; a < 3; ++a) inner = clip(inner, lines[a], base[a], reader.interior(a));
    U* to = out.row(z, y);
    const auto read = [&](i64 begin, i64 end, bool inside) {
      alignas(64) f64 at[3][block];
      for (; begin < end; begin += block) {
        const int n = int(std::min(block, end - begin));
        for (int a = 0; a < 3; ++a)
          for (int k = 0; k < (n + 7) / 8 * 8; ++k)
            at[a][k] = base[a] + (f64(begin) + f64(std::min(k, n - 1))) * lines[a].x;
        read_block(reader, Points{{at[0], at[1], at[2]}}, n, inside, to + begin);
      }
    };
    std::fill(to + whole.begin, to + some.begin, kept_fill);
    read(some.begin, inner.begin, false);
    read(inner.begin, inner.end, true);
    read(inner.end, some.end, false);
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
  if constexpr (std::is_same_v<T, U>)
    if (order == 0) return read_rows(on, Reader<T, T>(in, order, beyond, fill), out, lines, fill);
  read_rows(on, Reader<T, Real<T>>(in, order, beyond, fill), out, lines, fill);
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
