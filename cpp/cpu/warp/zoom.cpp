#include <voxkern/warp/zoom.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>
#include <cpu/warp/points.hpp>

#include <algorithm>
#include <vector>

namespace voxkern::cpu {
namespace {

// What every point of one axis reads: voxels (-1 for the fill value) and weights.
template <int order, class R>
struct Axis {
  static constexpr int many = order + 1;
  std::vector<char> known;
  std::vector<i64> at;  // [point][tap]
  std::vector<R> w;     // [point][tap]

  Axis(List<const f64> points, i64 n, Outside outside)
      : known(points.size), at(points.size * many), w(points.size * many) {
    for (i64 i = 0; i < points.size; ++i)
      known[i] = taps<order>(points[i], n, 1, outside, &at[i * many], &w[i * many]);
  }
};

// The rows of an image whose weighted sum is what a row of the output is read from.
template <class T, class R, int most_rows>
struct Mix {
  const T* row[most_rows];
  R w[most_rows];
  int count = 0;
  R rest = 0;  // the weights of rows outside, times the fill value

  void add(const T* p, R weight) {
    for (int i = 0; i < count; ++i)
      if (row[i] == p) {
        w[i] += weight;
        return;
      }
    row[count] = p;
    w[count++] = weight;
  }

  void write(R* to, i64 begin, i64 end) const {
    constexpr int L = simd::lanes<R>;
    for (i64 x = begin; x < end; x += L) {
      const int n = int(std::min<i64>(L, end - x));
      Vec<R> sum(rest);
      if (n == L) {
        for (int r = 0; r < count; ++r)
          sum = simd::fma(simd::load_as<R, L>(row[r] + x), Vec<R>(w[r]), sum);
      } else {
        for (int r = 0; r < count; ++r)
          sum = simd::fma(simd::load_as<R, L>(row[r] + x, n), Vec<R>(w[r]), sum);
      }
      simd::store(to + x, sum, n);
    }
  }
};

// The points of a row, in groups that read side by side what lies inside.
template <int order, class R>
struct Columns {
  static constexpr int N = group<R>, many = order + 1;
  Axis<order, R> axis;
  i64 count, begin = 0, end = 0;  // the columns of the image that are read at all
  std::vector<i64> from;          // the first column of each point
  std::vector<R> w[many];         // weights by tap, a group side by side
  std::vector<char> plain;        // groups that read consecutive columns inside

  Columns(List<const f64> points, i64 n, Outside outside)
      : axis(points, n, outside), count(points.size) {
    const i64 groups = (count + N - 1) / N;
    if (count == 0) return;
    from.assign(groups * N, 0);
    for (auto& tap : w) tap.assign(groups * N, R(0));
    plain.assign(groups, 1);
    begin = n;
    for (i64 i = 0; i < groups * N; ++i) {
      const i64* at = &axis.at[std::min(i, count - 1) * many];
      const bool known = i < count && axis.known[i];
      bool row = known;
      for (int k = 0; k < many && known; ++k) {
        row = row && at[k] >= 0 && at[k] == at[0] + k;
        w[k][i] = axis.w[i * many + k];
        if (at[k] < 0) continue;
        begin = std::min(begin, at[k]);
        end = std::max(end, at[k] + 1);
      }
      from[i] = row ? at[0] : 0;
      if (i < count && !row) plain[i / N] = 0;
    }
    if (begin > end) begin = end;
  }

  template <class U>
  void read(const R* row, R fill, U kept_fill, U* out) const {
    for (i64 g = 0; g * N < count; ++g) {
      const i64 i0 = g * N;
      if constexpr (order == 1 || order == 3) {
        if (plain[g]) {
          put(out + i0, side_by_side(row, i0), int(std::min<i64>(N, count - i0)));
          continue;
        }
      }
      for (i64 i = i0; i < std::min(i0 + N, count); ++i) {
        if (!axis.known[i]) {
          out[i] = kept_fill;
          continue;
        }
        const i64* at = &axis.at[i * many];
        const R* weight = &axis.w[i * many];
        R sum = 0;
        for (int k = 0; k < many; ++k) sum += weight[k] * (at[k] < 0 ? fill : row[at[k]]);
        out[i] = keep<U>(sum);
      }
    }
  }

  Vec<R, N> side_by_side(const R* row, i64 i) const {
    using V = Vec<R, N>;
    if constexpr (order == 1) {
      V low, high;
      pairs<R>(row, &from[i], low, high);
      return between(low, high, simd::load<R, N>(&w[0][i]), simd::load<R, N>(&w[1][i]));
    } else {
      Vec<R, 4> four[N];
      for (int n = 0; n < N; ++n) four[n] = simd::load<R, 4>(row + from[i + n]);
      V tap[4];
      by_tap<R>(four, tap);
      V sum = tap[0] * simd::load<R, N>(&w[0][i]);
      for (int k = 1; k < 4; ++k) sum = simd::fma(tap[k], simd::load<R, N>(&w[k][i]), sum);
      return sum;
    }
  }
};

// Bricks of rows, so that what neighbouring rows share is still in the cache.
template <class F>
void in_bricks(On on, Size size, F row) {
  constexpr i64 deep = 8, high = 16;
  const i64 nz = (size.z + deep - 1) / deep, ny = (size.y + high - 1) / high;
  parallel_for(on, nz * ny, [&](i64 brick) {
    const i64 z0 = brick / ny * deep, y0 = brick % ny * high;
    row(z0, std::min(z0 + deep, size.z), y0, std::min(y0 + high, size.y));
  });
}

template <int order, class T, class U>
void read_grid(On on, View<const T> image, View<U> out, List<const f64> zs, List<const f64> ys,
               List<const f64> xs, Outside outside, f64 fill) {
  using R = Real<T>;
  constexpr int many = order + 1;
  const Axis<order, R> az(zs, image.size.z, outside), ay(ys, image.size.y, outside);
  const Columns<order, R> columns(xs, image.size.x, outside);
  const U kept_fill = keep<U>(fill);
  in_bricks(on, out.size, [&](i64 z0, i64 z1, i64 y0, i64 y1) {
    Scratch<R> room(image.size.x + 16);
    for (i64 z = z0; z < z1; ++z)
      for (i64 y = y0; y < y1; ++y) {
        U* to = out.row(z, y);
        if (!az.known[z] || !ay.known[y]) {
          std::fill(to, to + out.size.x, kept_fill);
          continue;
        }
        Mix<T, R, many * many> mix;
        for (int k = 0; k < many; ++k)
          for (int j = 0; j < many; ++j) {
            const i64 kk = az.at[z * many + k], jj = ay.at[y * many + j];
            const R weight = az.w[z * many + k] * ay.w[y * many + j];
            if (kk < 0 || jj < 0)
              mix.rest += weight * R(fill);
            else
              mix.add(image.row(kk, jj), weight);
          }
        mix.write(room.data(), columns.begin, columns.end);
        columns.read(room.data(), R(fill), kept_fill, to);
      }
  });
}

template <class T>
void read_nearest(On on, View<const T> image, View<T> out, List<const f64> zs, List<const f64> ys,
                  List<const f64> xs, Outside outside, f64 fill) {
  const auto voxel = [&](const Axis<0, f32>& a, i64 i) { return a.known[i] ? a.at[i] : -1; };
  const Axis<0, f32> az(zs, image.size.z, outside), ay(ys, image.size.y, outside);
  Axis<0, f32> ax(xs, image.size.x, outside);
  for (i64 i = 0; i < xs.size; ++i) ax.at[i] = voxel(ax, i);
  const T kept_fill = keep<T>(fill);
  in_bricks(on, out.size, [&](i64 z0, i64 z1, i64 y0, i64 y1) {
    for (i64 z = z0; z < z1; ++z)
      for (i64 y = y0; y < y1; ++y) {
        T* to = out.row(z, y);
        const i64 k = voxel(az, z), j = voxel(ay, y);
        if (k < 0 || j < 0) {
          std::fill(to, to + out.size.x, kept_fill);
          continue;
        }
        const T* from = image.row(k, j);
        for (i64 i = 0; i < out.size.x; ++i) to[i] = ax.at[i] < 0 ? kept_fill : from[ax.at[i]];
      }
  });
}

}  // namespace

template <class T, class U>
void zoom(On on, View<const T> in, View<U> out, List<const f64> zs, List<const f64> ys,
          List<const f64> xs, i64 order, i64 outside, f64 fill, f64, f64) {
  const Outside beyond = Outside(i32(outside));
  if constexpr (std::is_same_v<T, U>) {
    if (order == 0) return read_nearest(on, in, out, zs, ys, xs, beyond, fill);
    if (order == 1) return read_grid<1>(on, in, out, zs, ys, xs, beyond, fill);
  }
  if constexpr (std::is_floating_point_v<T>) {
    if (order == 2) return read_grid<2>(on, in, out, zs, ys, xs, beyond, fill);
    if (order == 3) return read_grid<3>(on, in, out, zs, ys, xs, beyond, fill);
    if (order == 4) return read_grid<4>(on, in, out, zs, ys, xs, beyond, fill);
    if (order == 5) return read_grid<5>(on, in, out, zs, ys, xs, beyond, fill);
  }
}

// The three lists of coordinates.
using Points = List<const f64>;
template void zoom(On, View<const u8>, View<u8>, Points, Points, Points, i64, i64, f64, f64, f64);
template void zoom(On, View<const i16>, View<i16>, Points, Points, Points, i64, i64, f64, f64, f64);
template void zoom(On, View<const u16>, View<u16>, Points, Points, Points, i64, i64, f64, f64, f64);
template void zoom(On, View<const i32>, View<i32>, Points, Points, Points, i64, i64, f64, f64, f64);
template void zoom(On, View<const f32>, View<f32>, Points, Points, Points, i64, i64, f64, f64, f64);
template void zoom(On, View<const f64>, View<f64>, Points, Points, Points, i64, i64, f64, f64, f64);
template void zoom(On, View<const f32>, View<u8>, Points, Points, Points, i64, i64, f64, f64, f64);
template void zoom(On, View<const f32>, View<i16>, Points, Points, Points, i64, i64, f64, f64, f64);
template void zoom(On, View<const f32>, View<u16>, Points, Points, Points, i64, i64, f64, f64, f64);
template void zoom(On, View<const f64>, View<i32>, Points, Points, Points, i64, i64, f64, f64, f64);

}  // namespace voxkern::cpu
