// Each flow through a face is computed once for the two voxels that share it, but for faces of
// tiles.
#include <voxkern/filters/diffuse.hpp>

#include <cpu/filters/block.hpp>
#include <cpu/filters/exp.hpp>

namespace voxkern::cpu {

namespace {

template <class C>
struct Axis {
  i64 step;  // to the next voxel
  C scale;   // one over the spacing
};

// Flows from n voxels to their neighbours along `to`. `p` and `q` are the other axes.
template <Flow flow, class C>
void flows(const C* at, C* out, i64 n, Axis<C> to, Axis<C> p, Axis<C> q, C by) {
  using V = Vec<C>;
  // Across the face: the mean of the central differences at both of its voxels.
  const auto across = [](const C* a, const C* b, i64 step, C scale) {
    return ((simd::load(a + step) - simd::load(a - step)) +
            (simd::load(b + step) - simd::load(b - step))) *
           V(C(0.25) * scale);
  };
  for (i64 x = 0; x < n; x += V::lanes) {
    const C *a = at + x, *b = a + to.step;
    const V ahead = (simd::load(b) - simd::load(a)) * V(to.scale);
    V square = ahead * ahead;
    if constexpr (flow != Flow::plain) {
      const V u = across(a, b, p.step, p.scale), v = across(a, b, q.step, q.scale);
      square = simd::fma(v, v, simd::fma(u, u, square));
    }
    V flown = ahead * simd::exp2(square * V(by));
    if constexpr (flow == Flow::curvature) flown = flown / simd::sqrt(square + V(C(1e-10)));
    if constexpr (flow == Flow::plain) flown = flown * V(to.scale);
    simd::store(out + x, flown);
  }
}

template <Flow flow, class C>
class Tile {
 public:
  template <class T>
  Tile(View<const T> in, Size from, Size size, Vec3 scale, C by, C step)
      : from_(from),
        size_(size),
        block_(size, {1, 1, 1}),
        plane_(block_.plane()),
        z_{plane_, C(scale.z)},
        y_{block_.pitch(), C(scale.y)},
        x_{1, C(scale.x)},
        by_(by),
        step_(step),
        // One before, for what flows in along x.
        fz_(2 * (plane_ + room)),
        fy_(plane_ + room),
        fx_(plane_ + room) {
    block_.read(in, from, size, Edge::nearest);
  }

  void run(View<C> out) {
    const i64 pitch = block_.pitch(), corner = block_.row(0, 0) - block_.begin(0);
    const i64 n = (size_.y - 1) * pitch + size_.x;
    C *into = fz_.data() + room / 2, *on = into + plane_ + room;
    C *fy = fy_.data() + room / 2, *fx = fx_.data() + room / 2;
    flows<flow>(block_.row(-1, 0), into + corner, n, z_, y_, x_, by_);
    for (i64 z = 0; z < size_.z; ++z) {
      const C* at = block_.row(z, 0);
      flows<flow>(at, on + corner, n, z_, y_, x_, by_);
      flows<flow>(at - pitch, fy + corner - pitch, n + pitch, y_, z_, x_, by_);
      flows<flow>(at - 1, fx + corner - 1, n + 1, x_, z_, y_, by_);
      for (i64 y = 0; y < size_.y; ++y) {
        const i64 row = corner + y * pitch;
        step_row(block_.row(z, y), into + row, on + row, fy + row, fx + row,
                 out.row(from_.z + z, from_.y + y) + from_.x);
      }
      std::swap(into, on);
    }
  }

 private:
  static constexpr i64 room = 4 * Block<C>::lanes;

  void step_row(const C* at, const C* into, const C* on, const C* fy, const C* fx, C* to) const {
    using V = Vec<C>;
    const V zero = C(0);
    for (i64 x = 0; x < size_.x; x += V::lanes) {
      V speed = (simd::load(on + x) - simd::load(into + x)) +
                (simd::load(fy + x) - simd::load(fy + x - y_.step)) +
                (simd::load(fx + x) - simd::load(fx + x - 1));
      const V u = simd::load(at + x);
      if constexpr (flow == Flow::curvature) {
        const auto rising = speed > zero;
        V square = zero;
        for (const Axis<C>& axis : {z_, y_, x_}) {
          const V ahead = (simd::load(at + x + axis.step) - u) * V(axis.scale);
          const V behind = (u - simd::load(at + x - axis.step)) * V(axis.scale);
          const V a = simd::select(rising, simd::max(ahead, zero), simd::min(ahead, zero));
          const V b = simd::select(rising, simd::min(behind, zero), simd::max(behind, zero));
          square = simd::fma(a, a, simd::fma(b, b, square));
        }
        speed = speed * simd::sqrt(square);
      }
      simd::store(to + x, simd::fma(speed, step_, u), int(std::min<i64>(V::lanes, size_.x - x)));
    }
  }

  Size from_, size_;
  Block<C> block_;
  i64 plane_;
  Axis<C> z_, y_, x_;
  C by_, step_;
  Scratch<C> fz_, fy_, fx_;
};

}  // namespace

template <class T, class R>
void diffuse(On on, View<const T> x, View<R> y, Vec3 scale, f64 by, f64 step, i64 flow) {
  for_tiles(on, x.size, fitted({16, 16, 256}, x.size), [&](Size from, Size size) {
    if (Flow(flow) == Flow::gradient)
      Tile<Flow::gradient, R>(x, from, size, scale, R(by), R(step)).run(y);
    else if (Flow(flow) == Flow::curvature)
      Tile<Flow::curvature, R>(x, from, size, scale, R(by), R(step)).run(y);
    else
      Tile<Flow::plain, R>(x, from, size, scale, R(by), R(step)).run(y);
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
    const T* row = x.row(z, y);
    const auto alone = [&](i64 i) {
      const C a = (C(above[0][i]) - C(below[0][i])) * by[0];
      const C b = (C(above[1][i]) - C(below[1][i])) * by[1];
      const C c = (C(row[least(i + 1, n.x - 1)]) - C(row[most<i64>(i - 1, 0)])) * by[2];
      sum += f64(a * a + b * b + c * c);
    };
    i64 i = from;
    if (i == 0 && i < to) alone(i++);
    LaneSum lanes;
    for (; i + V::lanes <= least(to, n.x - 1); i += V::lanes) {
      const V a = (simd::load_as<C>(above[0] + i) - simd::load_as<C>(below[0] + i)) * V(by[0]);
      const V b = (simd::load_as<C>(above[1] + i) - simd::load_as<C>(below[1] + i)) * V(by[1]);
      const V c = (simd::load_as<C>(row + i + 1) - simd::load_as<C>(row + i - 1)) * V(by[2]);
      lanes.add(simd::fma(a, a, simd::fma(b, b, c * c)));
    }
    for (; i < to; ++i) alone(i);
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
