#include <voxkern/warp/zoom.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>
#include <cpu/warp/groups.hpp>
#include <cpu/warp/points.hpp>

#include <vector>

namespace voxkern::cpu {
namespace {

// What every point of one axis reads: voxels (-1 for the fill value) and weights.
struct Axis {
  int many;  // taps
  std::vector<char> known;
  std::vector<i64> at;  // [point][tap]
  std::vector<f64> w;   // [point][tap]

  Axis(List<const f64> points, i64 n, int order, Outside outside)
      : many(order + 1), known(points.size), at(points.size * many), w(points.size * many) {
    Taps taps;
    for (i64 i = 0; i < points.size; ++i) {
      known[i] = find_taps(points[i], n, order, outside, taps);
      if (!known[i]) continue;
      std::copy_n(taps.at, many, &at[i * many]);
      std::copy_n(taps.w, many, &w[i * many]);
    }
  }
};

// The rows of an image whose weighted sum is what a row of the output is read from.
template <class T, class R>
struct Mix {
  const T* row[36];
  R w[36];
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
template <class R>
struct Columns {
  static constexpr int N = group<R>;
  Axis axis;
  i64 count, begin = 0, end = 0;  // the columns of the image that are read at all
  std::vector<i64> from;          // the first column of each point
  std::vector<R> w[6];            // weights by tap, a group side by side
  std::vector<char> plain;        // groups that read consecutive columns inside

  Columns(List<const f64> points, i64 n, int order, Outside outside)
      : axis(points, n, order, outside), count(points.size) {
    const i64 groups = (count + N - 1) / N;
    const int many = axis.many;
    if (count == 0) return;
    from.assign(groups * N, 0);
    for (int k = 0; k < many; ++k) w[k].assign(groups * N, R(0));
    plain.assign(groups, 1);
    begin = n;
    for (i64 i = 0; i < groups * N; ++i) {
      const i64* at = &axis.at[std::min(i, count - 1) * many];
      const bool known = i < count && axis.known[i];
      bool row = known;
      for (int k = 0; k < many && known; ++k) {
        row = row && at[k] >= 0 && at[k] == at[0] + k;
        w[k][i] = R(axis.w[i * many + k]);
        if (at[k] < 0) continue;
        begin = std::min(begin, at[k]);
        end = std::max(end, at[k] + 1);
      }
      from[i] = row ? at[0] : 0;
      if (i < count && !row) plain[i / N] = 0;
    }
    if (begin > end) begin = end;
  }

  void read(const R* row, R fill, R* out) const {
    switch (axis.many) {
      case 2: return read<1>(row, fill, out);
      case 3: return read<2>(row, fill, out);
      case 4: return read<3>(row, fill, out);
      case 5: return read<4>(row, fill, out);
      default: return read<5>(row, fill, out);
    }
  }

 private:
  template <int order>
  void read(const R* row, R fill, R* out) const {
    for (i64 i0 = 0; i0 < count; i0 += N) {
      const i64 i1 = std::min(i0 + N, count);
      if (plain[i0 / N])
        simd::store(out + i0, side_by_side<order>(row, i0), int(i1 - i0));
      else
        for (i64 i = i0; i < i1; ++i) out[i] = one(row, fill, i);
    }
  }

  R one(const R* row, R fill, i64 i) const {
    if (!axis.known[i]) return fill;
    const i64* at = &axis.at[i * axis.many];
    R sum = 0;
    for (int k = 0; k < axis.many; ++k) sum += w[k][i] * (at[k] < 0 ? fill : row[at[k]]);
    return sum;
  }

  template <int order>
  Vec<R, N> side_by_side(const R* row, i64 i) const {
    using V = Vec<R, N>;
    V weight[order + 1];
    for (int k = 0; k <= order; ++k) weight[k] = simd::load<R, N>(&w[k][i]);
    if constexpr (order == 1) {
      V low, high;
      pairs<R>(row, &from[i], low, high);
      return simd::fma(high, weight[1], low * weight[0]);
    } else {
      Vec<R, 4> taps[windows(order)][N];
      for (int k = 0; k < windows(order); ++k)
        for (int n = 0; n < N; ++n) taps[k][n] = window<order>(row + from[i + n], k);
      return across<order>(taps, weight);
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

template <class T, class U>
void read_grid(On on, View<const T> image, View<U> out, List<const f64> zs, List<const f64> ys,
               List<const f64> xs, int order, Outside outside, f64 fill) {
  using R = Real<T>;
  const Axis az(zs, image.size.z, order, outside), ay(ys, image.size.y, order, outside);
  const Columns<R> columns(xs, image.size.x, order, outside);
  const U kept_fill = keep<U>(fill);
  const int many = order + 1;
  in_bricks(on, out.size, [&](i64 z0, i64 z1, i64 y0, i64 y1) {
    Scratch<R> room(image.size.x + 16), values(out.size.x);
    for (i64 z = z0; z < z1; ++z)
      for (i64 y = y0; y < y1; ++y) {
        U* to = out.row(z, y);
        if (!az.known[z] || !ay.known[y]) {
          std::fill(to, to + out.size.x, kept_fill);
          continue;
        }
        Mix<T, R> mix;
        for (int k = 0; k < many; ++k)
          for (int j = 0; j < many; ++j) {
            const i64 kk = az.at[z * many + k], jj = ay.at[y * many + j];
            const R weight = R(az.w[z * many + k] * ay.w[y * many + j]);
            if (kk < 0 || jj < 0)
              mix.rest += weight * R(fill);
            else
              mix.add(image.row(kk, jj), weight);
          }
        mix.write(room.data(), columns.begin, columns.end);
        if constexpr (std::is_same_v<U, R>) {
          columns.read(room.data(), R(fill), to);
        } else {
          columns.read(room.data(), R(fill), values.data());
          keep_row(values.data(), to, out.size.x);
        }
      }
  });
}

template <class T>
void read_nearest(On on, View<const T> image, View<T> out, List<const f64> zs, List<const f64> ys,
                  List<const f64> xs, Outside outside, f64 fill) {
  const auto voxels = [&](List<const f64> points, i64 n) {
    Axis axis(points, n, 0, outside);
    for (i64 i = 0; i < points.size; ++i)
      if (!axis.known[i]) axis.at[i] = -1;
    return axis.at;
  };
  const auto az = voxels(zs, image.size.z), ay = voxels(ys, image.size.y);
  const auto ax = voxels(xs, image.size.x);
  const T kept_fill = keep<T>(fill);
  in_bricks(on, out.size, [&](i64 z0, i64 z1, i64 y0, i64 y1) {
    for (i64 z = z0; z < z1; ++z)
      for (i64 y = y0; y < y1; ++y) {
        T* to = out.row(z, y);
        if (az[z] < 0 || ay[y] < 0) {
          std::fill(to, to + out.size.x, kept_fill);
          continue;
        }
        const T* from = image.row(az[z], ay[y]);
        for (i64 i = 0; i < out.size.x; ++i) to[i] = ax[i] < 0 ? kept_fill : from[ax[i]];
      }
  });
}

}  // namespace

template <class T, class U>
void zoom(On on, View<const T> in, View<U> out, List<const f64> zs, List<const f64> ys,
          List<const f64> xs, i64 order, i64 outside, f64 fill, f64, f64) {
  const Outside beyond = Outside(i32(outside));
  if constexpr (std::is_same_v<T, U>)
    if (order == 0) return read_nearest(on, in, out, zs, ys, xs, beyond, fill);
  read_grid(on, in, out, zs, ys, xs, int(order), beyond, fill);
}

// The three lists of coordinates.
using Axes = List<const f64>;
template void zoom(On, View<const u8>, View<u8>, Axes, Axes, Axes, i64, i64, f64, f64, f64);
template void zoom(On, View<const i16>, View<i16>, Axes, Axes, Axes, i64, i64, f64, f64, f64);
template void zoom(On, View<const u16>, View<u16>, Axes, Axes, Axes, i64, i64, f64, f64, f64);
template void zoom(On, View<const i32>, View<i32>, Axes, Axes, Axes, i64, i64, f64, f64, f64);
template void zoom(On, View<const f32>, View<f32>, Axes, Axes, Axes, i64, i64, f64, f64, f64);
template void zoom(On, View<const f64>, View<f64>, Axes, Axes, Axes, i64, i64, f64, f64, f64);
template void zoom(On, View<const f32>, View<u8>, Axes, Axes, Axes, i64, i64, f64, f64, f64);
template void zoom(On, View<const f32>, View<i16>, Axes, Axes, Axes, i64, i64, f64, f64, f64);
template void zoom(On, View<const f32>, View<u16>, Axes, Axes, Axes, i64, i64, f64, f64, f64);
template void zoom(On, View<const f64>, View<i32>, Axes, Axes, Axes, i64, i64, f64, f64, f64);

}  // namespace voxkern::cpu
