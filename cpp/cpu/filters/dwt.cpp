// A task owns a plane, or a pair of them, and a few rows there. It filters along z into rows that
// stay in the L2 cache, along y from those into lines, along x from the lines into the answer, so
// that memory is read and written once. Each step is the same: two weighted sums of some rows.
// Products are rounded before they are added, so that of equal voxels no detail is left.
#include <voxkern/filters/dwt.hpp>

#include <voxkern/simd.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <vector>

namespace voxkern::cpu {

namespace {

constexpr i64 kept_bytes = 1 << 18;  // of rows between two axes

// How many rows a task makes from rows of `bytes` bytes; it needs `more` of those beside.
i64 rows_a_task(i64 bytes, i64 more) {
  return std::max((kept_bytes / bytes - more) / 2, more / 2 + 4);
}

i64 padded(i64 n) { return (n + 63) / 64 * 64; }

struct Keep {
  template <class V>
  V operator()(V v, i64) const {
    return v;
  }
};

// Coefficients of row n nearer to 0 than limits[n] become 0; NaN stays.
template <class T>
struct Shrink {
  const T* limits;
  bool hard;
  Vec<T> operator()(Vec<T> v, i64 n) const {
    const Vec<T> limit(limits[n]), size = simd::abs(v);
    if (hard) return simd::select(size < limit, Vec<T>(T(0)), v);
    const auto left = simd::max(Vec<T>(T(0)), size - limit);
    const auto shrunk = simd::select(v < T(0), -left, left);
    return simd::select(limit > T(0), shrunk, v);
  }
};

// a[i] = sum of weights[n] * rows[n][i], and b[i] with the weights behind those, unless b is null.
template <class R, class T, class F>
void combine(const T* const* rows, const R* weights, i64 count, i64 width, R* a, R* b, F change) {
  constexpr int lanes = simd::lanes<R>;
  const R* more = weights + count;
  i64 i = 0;
  for (; i + 2 * lanes <= width; i += 2 * lanes) {
    Vec<R> sum[2] = {R(0), R(0)}, other[2] = {R(0), R(0)};
    for (i64 n = 0; n < count; ++n)
      for (int u = 0; u < 2; ++u) {
        const auto v = change(simd::load_as<R>(rows[n] + i + u * lanes), n);
        sum[u] += v * weights[n];
        if (b) other[u] += v * more[n];
      }
    for (int u = 0; u < 2; ++u) {
      simd::store(a + i + u * lanes, sum[u]);
      if (b) simd::store(b + i + u * lanes, other[u]);
    }
  }
  for (; i < width; i += lanes) {
    const int left = int(std::min<i64>(lanes, width - i));
    Vec<R> sum = R(0), other = R(0);
    for (i64 n = 0; n < count; ++n) {
      const auto v = change(simd::load_as<R>(rows[n] + i, left), n);
      sum += v * weights[n];
      if (b) other += v * more[n];
    }
    simd::store(a + i, sum, left);
    if (b) simd::store(b + i, other, left);
  }
}

template <class R>
f64 squares(const R* row, i64 n) {
  LaneSum sum;
  for (i64 i = 0; i < n; i += simd::lanes<R>) {
    const auto v = simd::load(row + i, int(std::min<i64>(simd::lanes<R>, n - i)));
    sum.add(v * v);
  }
  return sum.total();
}

// An axis of n voxels and the m of each of its parts; voxel `at(o, t)` meets weight t of item o.
template <class R>
struct Split {
  bool on;
  i64 n, taps, m, parts;
  std::vector<R> weights;

  Split(bool on, i64 n, List<const f64> low, List<const f64> high) : on(on), n(n) {
    taps = on ? high.size : 1;
    m = on ? (n + taps - 1) / 2 : n;
    parts = on && low.size ? 2 : 1;
    if (!on) weights.push_back(R(1));
    for (const auto& list : {low, high})
      for (i64 t = 0; on && t < list.size; ++t) weights.push_back(R(list[t]));
  }
  i64 at(i64 o, i64 t) const { return on ? 2 * o + 1 - t : o; }
  i64 voxel(i64 p) const { return on ? inside(p, n, Edge::reflect) : p; }
};

// An axis of m items in each of its parts and the n voxels made of them, one or two at a time; item
// `at(o, t)` of part `part(t)` meets weight t of pair o.
template <class R>
struct Join {
  bool on;
  i64 n, m, half, taps, parts, pairs;
  std::vector<R> weights;

  Join(bool on, i64 size, i64 n, List<const f64> low, List<const f64> high) : on(on), n(n) {
    parts = on ? 2 : 1;
    m = size / parts;
    half = on ? high.size / 2 : 1;
    taps = half * parts;
    pairs = (n + parts - 1) / parts;
    if (!on) weights.push_back(R(1));
    for (i64 odd = 0; on && odd < 2; ++odd)
      for (const auto& list : {low, high})
        for (i64 t = 0; t < half; ++t) weights.push_back(R(list[2 * t + odd]));
  }
  i64 part(i64 t) const { return t / half; }
  i64 at(i64 o, i64 t) const { return o + half - 1 - t % half; }
};

}  // namespace

template <class T, class R>
void dwt(On on, View<const T> x, View<R> y, List<const f64> low, List<const f64> high, i64 axes,
         List<f64> power) {
  if (x.size.count() == 0) return;
  const Split<R> az(axes > 2, x.size.z, low, high), ay(axes > 1, x.size.y, low, high);
  const Split<R> ax(true, x.size.x, low, high);
  const i64 width = padded(x.size.x), half = padded(ax.m + ax.taps / 2);
  const i64 many = rows_a_task(az.parts * width * i64(sizeof(R)), ay.taps - 1);
  const i64 chunks = (ay.m + many - 1) / many;
  std::vector<Sums<8>> sums(power.size ? az.m * chunks : 0);
  parallel_for(on, az.m * chunks, [&](i64 task) {
    const i64 oz = task / chunks, begin = task % chunks * many;
    const i64 end = std::min(begin + many, ay.m);
    const i64 first = ay.at(begin, ay.taps - 1), count = ay.at(end - 1, 0) + 1 - first;
    const Scratch<R> kept(az.parts * count * width), lines(2 * width + 2 * half);
    std::vector<const T*> voxels(az.taps);
    std::vector<const R*> rows(std::max(ay.taps, ax.taps));
    const auto row_of = [&](i64 bz, i64 r) { return kept.data() + (bz * count + r) * width; };
    for (i64 r = 0; r < count; ++r) {
      for (i64 t = 0; t < az.taps; ++t)
        voxels[t] = x.row(az.voxel(az.at(oz, t)), ay.voxel(first + r));
      combine(voxels.data(), az.weights.data(), az.taps, ax.n, row_of(0, r),
              az.parts > 1 ? row_of(1, r) : nullptr, Keep{});
    }
    R* made[] = {lines.data(), ay.parts > 1 ? lines.data() + width : nullptr};
    // Voxels of even and of odd places, from as far before the first as weights reach.
    R *even = lines.data() + 2 * width, *odd = even + half;
    const i64 before = ax.taps / 2 - 1;
    for (i64 oy = begin; oy < end; ++oy)
      for (i64 bz = 0; bz < az.parts; ++bz) {
        for (i64 t = 0; t < ay.taps; ++t) rows[t] = row_of(bz, ay.at(oy, t) - first);
        combine(rows.data(), ay.weights.data(), ay.taps, ax.n, made[0], made[1], Keep{});
        for (i64 by = 0; by < ay.parts; ++by) {
          const R* from = made[by];
          const auto border = [&](i64 i) {
            even[before + i] = from[inside(2 * i, ax.n, Edge::reflect)];
            odd[before + i] = from[inside(2 * i + 1, ax.n, Edge::reflect)];
          };
          for (i64 i = -before; i < 0; ++i) border(i);
          for (i64 i = 0; i < ax.n / 2; ++i) {
            even[before + i] = from[2 * i];
            odd[before + i] = from[2 * i + 1];
          }
          for (i64 i = ax.n / 2; i < ax.m; ++i) border(i);
          for (i64 t = 0; t < ax.taps; ++t) rows[t] = (t % 2 ? even : odd) + before - t / 2;
          R* to = y.row(bz * az.m + oz, by * ay.m + oy);
          combine(rows.data(), ax.weights.data(), ax.taps, ax.m, to,
                  ax.parts > 1 ? to + ax.m : nullptr, Keep{});
          if (power.size)
            for (i64 bx = 0; bx < ax.parts; ++bx)
              sums[task][int(4 * bz + 2 * by + bx)] += squares(to + bx * ax.m, ax.m);
        }
      }
  });
  const auto whole = added_up(std::move(sums));
  for (i64 band = 0; band < power.size; ++band) power[band] = whole[int(band)];
}

template <class T>
void idwt(On on, View<const T> x, View<T> y, List<const f64> low, List<const f64> high, i64 axes,
          List<const f64> limits, i64 hard) {
  if (y.size.count() == 0) return;
  const Join<T> az(axes > 2, x.size.z, y.size.z, low, high);
  const Join<T> ay(axes > 1, x.size.y, y.size.y, low, high);
  const Join<T> ax(true, x.size.x, y.size.x, low, high);
  const i64 width = padded(x.size.x), line = padded(ax.pairs);
  const i64 many = rows_a_task(az.parts * ay.parts * width * i64(sizeof(T)), ay.half - 1);
  const i64 chunks = (ay.pairs + many - 1) / many;
  parallel_for(on, az.pairs * chunks, [&](i64 task) {
    const i64 oz = task / chunks, begin = task % chunks * many;
    const i64 end = std::min(begin + many, ay.pairs), count = end - begin + ay.half - 1;
    const Scratch<T> kept(az.parts * ay.parts * count * width), lines(2 * width + 2 * line);
    std::vector<const T*> rows(std::max({az.taps, ay.taps, ax.taps}));
    std::vector<T> least(az.taps);
    const auto row_of = [&](i64 pz, i64 by, i64 r) {
      return kept.data() + ((pz * ay.parts + by) * count + r) * width;
    };
    for (i64 by = 0; by < ay.parts; ++by)
      for (i64 r = 0; r < count; ++r)
        for (i64 bx = 0; bx < 2; ++bx) {
          const i64 from = bx * ax.m;
          for (i64 t = 0; t < az.taps; ++t) {
            const i64 bz = az.part(t);
            rows[t] = x.row(bz * az.m + az.at(oz, t), by * ay.m + begin + r) + from;
            if (limits.size) least[t] = T(limits[4 * bz + 2 * by + bx]);
          }
          T* a = row_of(0, by, r) + from;
          T* b = az.on ? row_of(1, by, r) + from : nullptr;
          const T* weights = az.weights.data();
          if (std::any_of(least.begin(), least.end(), [](T limit) { return limit > 0; }))
            combine(rows.data(), weights, az.taps, ax.m, a, b, Shrink<T>{least.data(), hard != 0});
          else
            combine(rows.data(), weights, az.taps, ax.m, a, b, Keep{});
        }
    T* made[] = {lines.data(), ay.on ? lines.data() + width : nullptr};
    T *even = lines.data() + 2 * width, *odd = even + line;
    for (i64 oy = begin; oy < end; ++oy)
      for (i64 pz = 0; pz < az.parts && az.parts * oz + pz < y.size.z; ++pz) {
        for (i64 t = 0; t < ay.taps; ++t) rows[t] = row_of(pz, ay.part(t), ay.at(oy - begin, t));
        combine(rows.data(), ay.weights.data(), ay.taps, 2 * ax.m, made[0], made[1], Keep{});
        for (i64 py = 0; py < ay.parts && ay.parts * oy + py < y.size.y; ++py) {
          for (i64 t = 0; t < ax.taps; ++t) rows[t] = made[py] + ax.part(t) * ax.m + ax.at(0, t);
          combine(rows.data(), ax.weights.data(), ax.taps, ax.pairs, even, odd, Keep{});
          T* to = y.row(az.parts * oz + pz, ay.parts * oy + py);
          for (i64 i = 0; i < ax.n / 2; ++i) {
            to[2 * i] = even[i];
            to[2 * i + 1] = odd[i];
          }
          if (ax.n % 2) to[ax.n - 1] = even[ax.n / 2];
        }
      }
  });
}

using W = List<const f64>;
template void dwt(On, View<const u8>, View<f32>, W, W, i64, List<f64>);
template void dwt(On, View<const i16>, View<f32>, W, W, i64, List<f64>);
template void dwt(On, View<const u16>, View<f32>, W, W, i64, List<f64>);
template void dwt(On, View<const f32>, View<f32>, W, W, i64, List<f64>);
template void dwt(On, View<const u8>, View<f64>, W, W, i64, List<f64>);
template void dwt(On, View<const i16>, View<f64>, W, W, i64, List<f64>);
template void dwt(On, View<const u16>, View<f64>, W, W, i64, List<f64>);
template void dwt(On, View<const i32>, View<f64>, W, W, i64, List<f64>);
template void dwt(On, View<const f32>, View<f64>, W, W, i64, List<f64>);
template void dwt(On, View<const f64>, View<f64>, W, W, i64, List<f64>);
template void idwt(On, View<const f32>, View<f32>, W, W, i64, W, i64);
template void idwt(On, View<const f64>, View<f64>, W, W, i64, W, i64);

}  // namespace voxkern::cpu
