// Each flow through a face is computed once for the two voxels that share it, but for faces of
// tiles: what flows out of a row is kept until the next row, or that of the next plane, takes it
// in. Loops are short, one an axis, so that the processor has several of their turns in hand at
// once.
#include <voxkern/filters/diffuse.hpp>

#include <cpu/filters/block.hpp>
#include <cpu/filters/exp.hpp>

#include <vector>

namespace voxkern::cpu {

namespace {

template <class C>
struct Axis {
  i64 step;  // to the next voxel
  C scale;   // one over the spacing
};

// The difference of the voxels beside a vector of them.
template <class C>
Vec<C> central(const C* at, Axis<C> axis) {
  return simd::load(at + axis.step) - simd::load(at - axis.step);
}

// What flows from n voxels of a row to the next ones along `to`; p and q are the other axes.
template <Flow flow, class C>
void flows(const C* row, C* out, i64 n, Axis<C> to, Axis<C> p, Axis<C> q, C by) {
  using V = Vec<C>;
  // Across the face: the mean of the central differences at both of its voxels.
  const auto across = [](const C* a, const C* b, Axis<C> axis) {
    return (central(a, axis) + central(b, axis)) * V(C(0.25) * axis.scale);
  };
  for (i64 i = 0; i < n; i += V::lanes) {
    const C *at = row + i, *next = at + to.step;
    const V ahead = (simd::load(next) - simd::load(at)) * V(to.scale);
    V square = ahead * ahead;
    if constexpr (flow != Flow::plain) {
      const V u = across(at, next, p), v = across(at, next, q);
      square = simd::fma(v, v, simd::fma(u, u, square));
    }
    V flown = ahead * simd::exp2(square * V(by));
    if constexpr (flow == Flow::curvature) flown = flown / simd::sqrt(square + V(C(1e-10)));
    if constexpr (flow == Flow::plain) flown = flown * V(to.scale);
    simd::store(out + i, flown);
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
        z_{block_.plane(), C(scale.z)},
        y_{block_.pitch(), C(scale.y)},
        x_{1, C(scale.x)},
        by_(by),
        step_(step),
        fz_((size.y + 1) * block_.pitch()),
        fy_(2 * block_.pitch()),
        fx_(block_.pitch() + Block<C>::lanes),
        speed_(block_.pitch()) {
    block_.read(in, from, size, Edge::nearest);
  }

  void run(View<C> out) {
    const i64 pitch = block_.pitch();
    // What a row has taken in makes room for what flows out of it.
    C *spare = fz_.data() + size_.y * pitch, *from = fy_.data(), *into = from + pitch;
    std::vector<C*> fz(size_.y);
    for (i64 y = 0; y < size_.y; ++y) {
      fz[y] = fz_.data() + y * pitch;
      flows<flow>(block_.row(-1, y), fz[y], size_.x, z_, y_, x_, by_);
    }
    for (i64 z = 0; z < size_.z; ++z) {
      flows<flow>(block_.row(z, -1), into, size_.x, y_, z_, x_, by_);
      for (i64 y = 0; y < size_.y; ++y) {
        const C* at = block_.row(z, y);
        flows<flow>(at, spare, size_.x, z_, y_, x_, by_);
        flows<flow>(at, from, size_.x, y_, z_, x_, by_);
        flows<flow>(at - 1, fx_.data(), size_.x + 1, x_, z_, y_, by_);
        step_row(at, fz[y], spare, into, from, out.row(from_.z + z, from_.y + y) + from_.x);
        std::swap(fz[y], spare);
        std::swap(from, into);
      }
    }
  }

 private:
  using V = Vec<C>;

  void step_row(const C* at, const C* above, const C* below, const C* before, const C* next,
                C* to) const {
    // Copies: for all the compiler knows, what is written might be the members.
    const Axis<C> z = z_, y = y_, x = x_;
    const V step = step_, zero = C(0);
    const i64 n = size_.x;
    const C* fx = fx_.data();
    C* speeds = speed_.data();
    for (i64 i = 0; i < n; i += V::lanes)
      simd::store(speeds + i, (simd::load(below + i) - simd::load(above + i)) +
                                  (simd::load(next + i) - simd::load(before + i)) +
                                  (simd::load(fx + i + 1) - simd::load(fx + i)));
    for (i64 i = 0; i < n; i += V::lanes) {
      const V u = simd::load(at + i);
      V speed = simd::load(speeds + i);
      if constexpr (flow == Flow::curvature) {
        // Upwind: what is higher counts where the level rises, what is lower where it falls.
        using Bits = typename V::Mask;
        using Lane = typename Bits::Lane;
        const Bits turned = ~(speed > zero) & Bits(std::numeric_limits<Lane>::min());
        V square = zero;
        const auto add = [&](const C* beside, C scale) {
          const V higher = (simd::load(beside + i) - u) * V(scale);
          const V a = simd::max(simd::bits_as<C>(simd::bits_as<Lane>(higher) ^ turned), zero);
          square = simd::fma(a, a, square);
        };
        add(at - z.step, z.scale), add(at + z.step, z.scale);
        add(at - y.step, y.scale), add(at + y.step, y.scale);
        add(at - x.step, x.scale), add(at + x.step, x.scale);
        speed = speed * simd::sqrt(square);
      }
      simd::store(to + i, simd::fma(speed, step, u), int(std::min<i64>(V::lanes, n - i)));
    }
  }

  Size from_, size_;
  Block<C> block_;
  Axis<C> z_, y_, x_;
  C by_, step_;
  Scratch<C> fz_, fy_, fx_, speed_;
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
