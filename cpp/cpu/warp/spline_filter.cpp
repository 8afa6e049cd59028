#include <voxkern/simd.hpp>
#include <voxkern/warp/spline_filter.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <cmath>

namespace voxkern::cpu {
namespace {

// A bundle of W registers of lines, all filtered at once: element i of each lies at i * step. The
// last register may hold fewer than all its lanes (W is 1 then).
template <class R, int W>
struct Bundle {
  using V = Vec<R>;
  static constexpr int L = simd::lanes<R>;
  R* data;
  i64 step;
  int lanes;
  V get(i64 i, int w) const {
    const R* p = data + i * step + w * L;
    return W == 1 ? simd::load<R>(p, lanes) : simd::load<R>(p);
  }
  void set(i64 i, int w, V v) const {
    R* p = data + i * step + w * L;
    W == 1 ? simd::store(p, v, lanes) : simd::store(p, v);
  }
};

// The first value of the causal pass: the sum over the line's endless continuation. Terms that no
// digit of R sees are left out.
template <class R, int W>
void start(const Bundle<R, W>& c, i64 n, f64 z, Line_end end, Vec<R> (&first)[W]) {
  using V = Vec<R>;
  const f64 eps = sizeof(R) == 4 ? 1e-11 : 1e-20;
  const i64 seen = std::min<i64>(n, i64(std::ceil(std::log(eps) / std::log(-z))) + 1);
  const f64 whole = std::pow(z, f64(end == Line_end::mirror ? n - 1 : n));
  const f64 far = std::abs(whole) < eps ? 0 : whole;
  const auto add = [&](i64 i, f64 weight) {
    for (int w = 0; w < W; ++w) first[w] = simd::fma(c.get(i, w), V(R(weight)), first[w]);
  };
  for (int w = 0; w < W; ++w) first[w] = V(R(0));
  f64 power = 1;
  if (end == Line_end::wrap) {
    add(0, 1);
    for (i64 i = 1; i < seen; ++i) add(n - i, power *= z);
  } else if (end == Line_end::mirror) {
    add(0, 1);
    if (far != 0) add(n - 1, far);
    for (i64 i = 1; i < std::min(seen, n - 1); ++i) {
      add(i, power *= z);
      if (far != 0) add(n - 1 - i, far * power);
    }
  } else {
    for (i64 i = 0; i < seen; ++i) {
      add(i, power *= z);
      if (far != 0) add(n - 1 - i, far * power);
    }
  }
  const f64 scale = 1 / (end == Line_end::wrap ? 1 - far : 1 - far * far);
  for (int w = 0; w < W; ++w) {
    first[w] *= V(R(scale));
    if (end == Line_end::reflect) first[w] += c.get(0, w);
  }
}

// Both passes of one pole. The causal one reads `from` and writes `room`, the other reads `room`
// and writes `to`: planes of a volume are too far apart for the cache to keep a line of them.
template <class R, int W>
void pole(const Bundle<R, W>& from, const Bundle<R, W>& room, const Bundle<R, W>& to, i64 n, f64 z,
          f64 gain, Line_end end) {
  using V = Vec<R>;
  V value[W];
  start(from, n, z, end, value);
  const V zz{R(z)}, g{R(gain)};
  for (int w = 0; w < W; ++w) room.set(0, w, value[w] *= g);
  for (i64 i = 1; i < n; ++i)
    for (int w = 0; w < W; ++w)
      room.set(i, w, value[w] = simd::fma(value[w], zz, from.get(i, w) * g));
  if (end == Line_end::wrap) {
    const f64 eps = 1e-20;
    f64 power = 1;
    for (i64 i = 0; i < n - 1 && std::abs(power) > eps; ++i) {
      power *= z;
      for (int w = 0; w < W; ++w) value[w] = simd::fma(room.get(i, w), V(R(power)), value[w]);
    }
    for (int w = 0; w < W; ++w) value[w] *= V(R(z / (std::pow(z, f64(n)) - 1)));
  } else if (end == Line_end::reflect) {
    for (int w = 0; w < W; ++w) value[w] *= V(R(z / (z - 1)));
  } else {
    for (int w = 0; w < W; ++w)
      value[w] = simd::fma(room.get(n - 2, w), zz, value[w]) * V(R(z / (z * z - 1)));
  }
  for (int w = 0; w < W; ++w) to.set(n - 1, w, value[w]);
  for (i64 i = n - 2; i >= 0; --i)
    for (int w = 0; w < W; ++w) to.set(i, w, value[w] = (value[w] - room.get(i, w)) * zz);
}

// Filters a bundle in place, by way of `room`.
template <class R, int W>
void filter(R* data, i64 step, i64 n, int lanes, R* room, const Poles& poles, Line_end end) {
  const Bundle<R, W> image{data, step, lanes}, away{room, W * simd::lanes<R>, simd::lanes<R>};
  pole(image, away, poles.count == 1 ? image : away, n, poles.z[0], poles.gain, end);
  if (poles.count == 2) pole(away, away, image, n, poles.z[1], 1.0, end);
}

// Filters `width` neighbouring lines in place.
template <class R>
void filter_lines(R* data, i64 step, i64 n, i64 width, R* room, const Poles& poles, Line_end end) {
  constexpr int L = simd::lanes<R>, wide = 8;
  i64 x = 0;
  for (; x + wide * L <= width; x += wide * L)
    filter<R, wide>(data + x, step, n, L, room, poles, end);
  for (; x < width; x += L)
    filter<R, 1>(data + x, step, n, int(std::min<i64>(L, width - x)), room, poles, end);
}

// Rows into lanes and back: row r's element i goes to at[i * lanes + r].
template <bool back, class R>
void turn(R* rows, i64 step, i64 n, i64 count, R* at, i64 lanes) {
  constexpr int L = simd::lanes<R>;
  i64 done = 0;
  if constexpr (sizeof(R) == 4) {
    for (; count == L && done + L <= n; done += L) {
      Vec<R> block[L];
      for (int r = 0; r < L; ++r)
        block[r] = simd::load<R>(back ? at + (done + r) * lanes : rows + r * step + done);
      simd::transpose(block);
      for (int r = 0; r < L; ++r)
        simd::store(back ? rows + r * step + done : at + (done + r) * lanes, block[r]);
    }
  }
  for (i64 r = 0; r < count; ++r)
    for (i64 i = done; i < n; ++i)
      if constexpr (back)
        rows[r * step + i] = at[i * lanes + r];
      else
        at[i * lanes + r] = rows[r * step + i];
}

}  // namespace

template <class T, class U>
void spline_filter(On on, View<const T> in, View<U> out, i64 order, i64 outside, Size pad,
                   f64 fill) {
  const Poles poles = poles_of(order);
  const Outside beyond = Outside(i32(outside));
  const Line_end end = line_end(beyond);
  const Size n = out.size;
  constexpr int L = simd::lanes<U>, wide = 4;
  const i64 longest = std::max({n.z, n.y, n.x});

  const auto copy_row = [&](i64 z, i64 y) {
    const i64 zz = z - pad.z, yy = y - pad.y;
    U* to = out.row(z, y);
    const bool known = 0 <= zz && zz < in.size.z && 0 <= yy && yy < in.size.y;
    if (beyond == Outside::grid_constant && !known) {
      std::fill(to, to + n.x, U(fill));
      return;
    }
    const T* from =
        in.row(inside(zz, in.size.z, Edge::nearest), inside(yy, in.size.y, Edge::nearest));
    const bool filled = beyond == Outside::grid_constant;
    std::fill(to, to + pad.x, filled ? U(fill) : U(from[0]));
    std::copy(from, from + in.size.x, to + pad.x);
    std::fill(to + pad.x + in.size.x, to + n.x, filled ? U(fill) : U(from[in.size.x - 1]));
  };
  // Rows [begin, end) of one plane, copied and filtered along x.
  const auto along_x = [&](i64 z, i64 begin, i64 stop) {
    Scratch<U> turned(n.x * L * wide), room(n.x * L * wide);
    for (i64 y = begin; y < stop; y += L * wide) {
      const i64 rows = std::min<i64>(L * wide, stop - y);
      for (i64 r = 0; r < rows; ++r) copy_row(z, y + r);
      if (n.x == 1) continue;
      if (rows < L * wide) std::fill(turned.begin(), turned.end(), U(0));
      for (i64 r = 0; r < rows; r += L)
        turn<false>(out.row(z, y + r), out.step.y, n.x, std::min<i64>(L, rows - r),
                    turned.data() + r, L * wide);
      filter<U, wide>(turned.data(), L * wide, n.x, L, room.data(), poles, end);
      for (i64 r = 0; r < rows; r += L)
        turn<true>(out.row(z, y + r), out.step.y, n.x, std::min<i64>(L, rows - r),
                   turned.data() + r, L * wide);
    }
  };
  constexpr i64 strip = 256;
  const auto along_y = [&](i64 z, i64 begin, i64 stop, U* room) {
    if (n.y > 1)
      filter_lines(out.row(z, 0) + begin, out.step.y, n.y, stop - begin, room, poles, end);
  };
  const i64 room_size = longest * 8 * L;
  if (n.z >= 8) {  // a plane stays in the cache from x to y
    parallel_for(on, n.z, [&](i64 z) {
      Scratch<U> room(room_size);
      along_x(z, 0, n.y);
      along_y(z, 0, n.x, room.data());
    });
  } else {
    const i64 batch = L * wide, batches = (n.y + batch - 1) / batch;
    parallel_for(on, n.z * batches, [&](i64 task) {
      const i64 y = task % batches * batch;
      along_x(task / batches, y, std::min(y + batch, n.y));
    });
    const i64 strips = (n.x + strip - 1) / strip;
    parallel_for(on, n.z * strips, [&](i64 task) {
      Scratch<U> room(room_size);
      const i64 x = task % strips * strip;
      along_y(task / strips, x, std::min(x + strip, n.x), room.data());
    });
  }
  if (n.z == 1) return;
  parallel_slabs(on, n.y, 1, [&](i64 begin, i64 stop) {
    Scratch<U> room(room_size);
    for (i64 y = begin; y < stop; ++y)
      filter_lines(out.row(0, y), out.step.z, n.z, n.x, room.data(), poles, end);
  });
}

template void spline_filter(On, View<const u8>, View<f32>, i64, i64, Size, f64);
template void spline_filter(On, View<const i16>, View<f32>, i64, i64, Size, f64);
template void spline_filter(On, View<const u16>, View<f32>, i64, i64, Size, f64);
template void spline_filter(On, View<const f32>, View<f32>, i64, i64, Size, f64);
template void spline_filter(On, View<const i32>, View<f64>, i64, i64, Size, f64);
template void spline_filter(On, View<const f64>, View<f64>, i64, i64, Size, f64);

}  // namespace voxkern::cpu
