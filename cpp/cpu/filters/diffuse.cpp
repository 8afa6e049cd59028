// Each flow through a face is computed once for the two voxels that share it, but for faces of
// tiles: what flows out of a row is kept until the next row, or that of the next plane, takes it
// in. Of the planes of a tile three are kept at a time, as floats with a voxel around them.
#include <voxkern/filters/diffuse.hpp>

#include <cpu/filters/block.hpp>
#include <cpu/filters/exp.hpp>

#include <vector>

namespace voxkern::cpu {

namespace {

template <class C>
struct Axis {
  i64 ahead, back;  // to the neighbours of a voxel
  C scale;          // one over the spacing
};

// The square of the gradient between voxels and the next ones: from the differences of the two, and
// from the slopes along the other axes, added up over both.
template <Flow flow, class V>
V square_of(V ahead, V p, V q, V p_scale, V q_scale) {
  const V square = ahead * ahead;
  if constexpr (flow == Flow::plain) return square;
  p = p * p_scale, q = q * q_scale;
  return simd::fma(q, q, simd::fma(p, p, square));
}

// What flows through n faces, from the differences there, which it replaces, and the squares of the
// gradient. A loop of its own: its long chains are then the only ones that a processor waits for,
// and it sees enough of them at once.
template <Flow flow, class C>
void let_flow(C* ahead, const C* squares, i64 n, C by, C scale) {
  using V = Vec<C>;
  for (i64 i = 0; i < n; i += V::lanes) {
    const V square = simd::load(squares + i);
    V share[1] = {square * V(by)};
    simd::exp2(share);
    V flown = simd::load(ahead + i) * share[0];
    if constexpr (flow == Flow::curvature) flown = flown * simd::inverse_sqrt(square + V(C(1e-10)));
    if constexpr (flow == Flow::plain) flown = flown * V(scale);
    simd::store(ahead + i, flown);
  }
}

// What flows from n voxels of a row to the next ones along `to`; p and q are the other axes.
template <Flow flow, class C>
void flows(const C* row, C* out, C* squares, i64 n, Axis<C> to, Axis<C> p, Axis<C> q, C by) {
  using V = Vec<C>;
  const auto across = [](const C* at, const C* next, Axis<C> axis) {
    return (simd::load(at + axis.ahead) - simd::load(at - axis.back)) +
           (simd::load(next + axis.ahead) - simd::load(next - axis.back));
  };
  const V scale = to.scale, ps = C(0.25) * p.scale, qs = C(0.25) * q.scale;
  for (i64 i = 0; i < n; i += V::lanes) {
    const C *at = row + i, *next = at + to.ahead;
    const V ahead = (simd::load(next) - simd::load(at)) * scale;
    simd::store(out + i, ahead);
    simd::store(squares + i,
                square_of<flow>(ahead, across(at, next, p), across(at, next, q), ps, qs));
  }
  let_flow<flow>(out, squares, n, by, to.scale);
}

// The same along all axes: what lies across is shared.
template <Flow flow, class C>
void flows(const C* row, C* to_z, C* to_y, C* to_x, C* squares, i64 pitch, i64 n, Axis<C> z,
           Axis<C> y, Axis<C> x, C by) {
  using V = Vec<C>;
  const auto u = [](const C* p) { return simd::load(p); };
  const V z_scale = z.scale, y_scale = y.scale, x_scale = x.scale;
  const V zs = C(0.25) * z.scale, ys = C(0.25) * y.scale, xs = C(0.25) * x.scale;
  for (i64 i = 0; i < n; i += V::lanes) {
    const C *at = row + i, *below = at + z.ahead, *next = at + y.ahead, *right = at + 1;
    const V here = u(at), down = u(below), on = u(next), beside = u(right);
    const V cz = down - u(at - z.back), cy = on - u(at - y.back), cx = beside - u(at - 1);
    const V down_on = u(below + y.ahead), down_beside = u(below + 1), on_beside = u(next + 1);
    const V az = (down - here) * z_scale, ay = (on - here) * y_scale,
            ax = (beside - here) * x_scale;
    simd::store(to_z + i, az);
    simd::store(to_y + i, ay);
    simd::store(to_x + i, ax);
    simd::store(squares + i, square_of<flow>(az, cy + (down_on - u(below - y.back)),
                                             cx + (down_beside - u(below - 1)), ys, xs));
    simd::store(squares + pitch + i, square_of<flow>(ay, cz + (down_on - u(next - z.back)),
                                                     cx + (on_beside - u(next - 1)), zs, xs));
    simd::store(squares + 2 * pitch + i,
                square_of<flow>(ax, cz + (down_beside - u(right - z.back)),
                                cy + (on_beside - u(right - y.back)), zs, ys));
  }
  let_flow<flow>(to_z, squares, n, by, z.scale);
  let_flow<flow>(to_y, squares + pitch, n, by, y.scale);
  let_flow<flow>(to_x, squares + 2 * pitch, n, by, x.scale);
}

// A row after what flowed into it and out of it.
template <Flow flow, class C>
void step_row(const C* at, const C* above, const C* below, const C* before, const C* next,
              const C* right, C* to, i64 n, Axis<C> z, Axis<C> y, Axis<C> x, C step) {
  using V = Vec<C>;
  const V zero = C(0);
  for (i64 i = 0; i < n; i += V::lanes) {
    const V u = simd::load(at + i);
    V speed = (simd::load(below + i) - simd::load(above + i)) +
              (simd::load(next + i) - simd::load(before + i)) +
              (simd::load(right + i) - simd::load(right + i - 1));
    if constexpr (flow == Flow::curvature) {
      // Upwind: what is higher counts where the level rises, what is lower where it falls.
      using Bits = typename V::Mask;
      using Lane = typename Bits::Lane;
      const Bits turned = ~(speed > zero) & Bits(std::numeric_limits<Lane>::min());
      const auto along = [&](Axis<C> axis) {
        const V back = simd::load(at + i - axis.back) - u,
                ahead = simd::load(at + i + axis.ahead) - u;
        const V a = simd::max(simd::bits_as<C>(simd::bits_as<Lane>(back) ^ turned), zero);
        const V b = simd::max(simd::bits_as<C>(simd::bits_as<Lane>(ahead) ^ turned), zero);
        return simd::fma(a, a, b * b);
      };
      const V square =
          simd::fma(along(z), V(z.scale * z.scale),
                    simd::fma(along(y), V(y.scale * y.scale), along(x) * V(x.scale * x.scale)));
      speed = speed * simd::sqrt(square);
    }
    simd::store(to + i, simd::fma(speed, V(step), u), int(std::min<i64>(V::lanes, n - i)));
  }
}

template <class C>
class Tile {
 public:
  Tile(Size from, Size size, Vec3 scale, C by, C step)
      : from_(from),
        size_(size),
        pitch_((size.x + 1 + pad - 1) / pad * pad + pad),
        plane_((size.y + 2) * pitch_),
        scale_(scale),
        by_(by),
        step_(step),
        ring_(3 * plane_ + 2 * pad),
        flows_((size.y + 7) * pitch_ + pad) {
    std::fill(ring_.begin(), ring_.end(), C(0));
  }

  template <Flow flow, class T>
  void run(View<const T> in, View<C> out) {
    const i64 n = size_.x;
    const Axis<C> y{pitch_, pitch_, C(scale_.y)}, x{1, 1, C(scale_.x)};
    C *spare = kept(size_.y), *before = kept(size_.y + 1), *next = kept(size_.y + 2);
    C* const right = kept(size_.y + 3);
    C* const squares = kept(size_.y + 4);
    std::vector<C*> above(static_cast<size_t>(size_.y));
    for (i64 j = -1; j <= size_.y; ++j) read(in, -1, j), read(in, 0, j);
    for (i64 j = 0; j < size_.y; ++j) {
      above[j] = kept(j);
      flows<flow>(row(-1, j), above[j], squares, n, axis_z(-1), y, x, by_);
    }
    for (i64 k = 0; k < size_.z; ++k) {
      const Axis<C> z = axis_z(k);
      for (i64 j = -1; j <= 1; ++j) read(in, k + 1, j);
      flows<flow>(row(k, -1), next, squares, n, y, z, x, by_);
      for (i64 j = 0; j < size_.y; ++j) {
        if (j > 0) read(in, k + 1, j + 1);
        std::swap(before, next);
        const C* at = row(k, j);
        const C* soon = out.row(from_.z + k, from_.y + std::min(j + 1, size_.y - 1)) + from_.x;
        for (i64 i = 0; i < n; i += pad) __builtin_prefetch(soon + i, 1, 2);
        flows<flow>(at - 1, right - 1, squares, 1, x, z, y, by_);
        flows<flow>(at, spare, next, right, squares, pitch_, n, z, y, x, by_);
        step_row<flow>(at, above[j], spare, before, next, right,
                       out.row(from_.z + k, from_.y + j) + from_.x, n, z, y, x, step_);
        // What a row has taken in makes room for what flows out of the next.
        std::swap(above[j], spare);
      }
    }
  }

 private:
  static constexpr i64 pad = 64 / sizeof(C);  // rows begin where cache lines do

  C* row(i64 k, i64 j) const {
    return ring_.data() + (k + 3) % 3 * plane_ + (j + 1) * pitch_ + pad;
  }
  C* kept(i64 j) const { return flows_.data() + j * pitch_ + pad; }
  Axis<C> axis_z(i64 k) const {
    return {row(k + 1, 0) - row(k, 0), row(k, 0) - row(k + 2, 0), C(scale_.z)};
  }

  template <class T>
  void read(View<const T> in, i64 k, i64 j) {
    const auto line = [&](i64 z) {
      return in.row(std::clamp<i64>(from_.z + z, 0, in.size.z - 1),
                    std::clamp<i64>(from_.y + j, 0, in.size.y - 1)) +
             from_.x;
    };
    const T *from = line(k), *soon = line(k + 1);
    C* to = row(k, j);
    to[-1] = C(from[from_.x > 0 ? -1 : 0]);
    for (i64 i = 0; i < size_.x; ++i) to[i] = C(from[i]);
    to[size_.x] = C(from[std::min(size_.x, in.size.x - 1 - from_.x)]);
    for (i64 i = 0; i < size_.x; i += i64(64 / sizeof(T))) __builtin_prefetch(soon + i, 0, 2);
  }

  Size from_, size_;
  i64 pitch_, plane_;
  Vec3 scale_;
  C by_, step_;
  Scratch<C> ring_, flows_;
};

}  // namespace

template <class T, class R>
void diffuse(On on, View<const T> x, View<R> y, Vec3 scale, f64 by, f64 step, i64 flow) {
  for_tiles(on, x.size, {32, 16, 512}, [&](Size from, Size size) {
    Tile<R> tile(from, size, scale, R(by), R(step));
    if (Flow(flow) == Flow::gradient)
      tile.template run<Flow::gradient>(x, y);
    else if (Flow(flow) == Flow::curvature)
      tile.template run<Flow::curvature>(x, y);
    else
      tile.template run<Flow::plain>(x, y);
  });
}

template <class T>
void gradient_power(On on, View<const T> x, List<f64> sums, Vec3 scale) {
  using C = std::conditional_t<std::is_same_v<T, f64> || std::is_same_v<T, i32>, f64, f32>;
  using V = Vec<C>;
  const Size n = x.size;
  const C by[3] = {C(0.5 * scale.z), C(0.5 * scale.y), C(0.5 * scale.x)};
  sums[0] = parallel_sum<f64>(on, n, [&](i64 z, i64 y, i64 from, i64 to, f64& sum) {
    const T* above[2] = {x.row(least(z + 1, n.z - 1), y), x.row(z, least(y + 1, n.y - 1))};
    const T* below[2] = {x.row(most<i64>(z - 1, 0), y), x.row(z, most<i64>(y - 1, 0))};
    const T *row = x.row(z, y), *soon = x.row(least(z + 1, n.z - 1), least(y + 4, n.y - 1));
    const auto alone = [&](i64 i) {
      const C a = (C(above[0][i]) - C(below[0][i])) * by[0];
      const C b = (C(above[1][i]) - C(below[1][i])) * by[1];
      const C c = (C(row[least(i + 1, n.x - 1)]) - C(row[most<i64>(i - 1, 0)])) * by[2];
      sum += f64(a * a + b * b + c * c);
    };
    const i64 end = least(to, n.x - 1);
    LaneSum lanes;
    const auto together = [&](i64 i, auto some) {
      __builtin_prefetch(soon + i, 0, 2);
      const auto slope = [&](const T* ahead, const T* back, C scale) {
        return (simd::load_as<C>(ahead, some) - simd::load_as<C>(back, some)) * V(scale);
      };
      const V a = slope(above[0] + i, below[0] + i, by[0]);
      const V b = slope(above[1] + i, below[1] + i, by[1]);
      const V c = slope(row + i + 1, row + i - 1, by[2]);
      lanes.add(simd::fma(a, a, simd::fma(b, b, c * c)));
    };
    i64 i = from;
    if (i == 0 && i < to) alone(i++);
    simd::each_vector<C>(end - i, [&](i64 at, auto some) { together(i + at, some); });
    if (std::max(i, end) < to) alone(std::max(i, end));
    sum += lanes.total();
  });
}

#define VOXKERN_INSTANCES(T, R)                                           \
  template void diffuse(On, View<const T>, View<R>, Vec3, f64, f64, i64); \
  template void gradient_power(On, View<const T>, List<f64>, Vec3);
VOXKERN_INSTANCES(u8, f32)
VOXKERN_INSTANCES(i16, f32)
VOXKERN_INSTANCES(u16, f32)
VOXKERN_INSTANCES(i32, f64)
VOXKERN_INSTANCES(f32, f32)
VOXKERN_INSTANCES(f64, f64)

}  // namespace voxkern::cpu
