// All derivatives in one pass over memory: orders share their sums along z, and pairs of orders
// those along y. A Hessian takes 3 + 6 + 6 lines of sums, not 18, and its eigenvalues never meet
// memory before they are written.
#include <voxkern/filters/jet.hpp>

#include <cpu/filters/separable.hpp>

namespace voxkern::cpu {
namespace {

template <class V>
struct Symmetric {
  V zz, zy, zx, yy, yx, xx;
};

// See jet.hpp. V is a vector of f64.
template <int steps, class V>
Eigenvalues<V> eigenvalues(const Symmetric<V>& m) {
  const V mean = (m.zz + m.yy + m.xx) * V(1.0 / 3.0);
  const V zz = m.zz - mean, yy = m.yy - mean, xx = m.xx - mean;
  const V off = m.zy * m.zy + m.zx * m.zx + m.yx * m.yx;
  const V p = simd::sqrt((zz * zz + yy * yy + xx * xx + V(2.0) * off) * V(1.0 / 6.0));
  const V scale = V(1.0) / simd::max(p, V(1e-150));
  const V a = zz * scale, b = m.zy * scale, c = m.zx * scale, d = yy * scale, e = m.yx * scale,
          f = xx * scale;
  const V half = V(0.5) * (a * (d * f - e * e) - b * (b * f - e * c) + c * (b * e - d * c));
  const V u = simd::max(V(1.0) - simd::abs(half), V(0.0));
  V w = u * (V(0.11109175) + u * (V(0.01682435) + u * (V(0.00278882) + u * V(0.00324404))));
  for (int step = 0; step < steps; ++step)
    w -= (w * (V(9.0) + w * (V(4.0) * w - V(12.0))) - u) / (V(9.0) + w * (V(12.0) * w - V(24.0)));
  const V side = p * simd::sqrt(V(3.0) * w * (V(2.0) - w)), root = V(1.0) - w;
  const V outer = V(2.0) * p * root, near = p * root;
  const auto up = half >= V(0.0);  // whether the outermost is the highest
  const V sign = simd::select(up, V(1.0), V(-1.0));
  const V far = mean + sign * outer, one = mean - sign * near - side,
          two = mean - sign * near + side;
  return {simd::select(up, one, far), simd::select(up, two, one), simd::select(up, far, two)};
}

template <class T>
class Derivatives {
 public:
  using C = sum_of<T>;
  using Line = axes::Line<C>;

  Derivatives(View<const T> in, View<T> out, List<const f64> wz, List<const f64> wy,
              List<const f64> wx, Jet kind, Edge ez, Edge ey, Edge ex)
      : planes_(in.size.z), out_(out), kind_(kind) {
    const int order = kind == Jet::gradient || kind == Jet::magnitude ? 1 : 2;
    const List<const f64> lists[3] = {wz, wy, wx};
    std::vector<Line> lines[3];
    for (int axis = 0; axis < 3; ++axis) {
      const List<const f64> w = lists[axis];
      const i64 size = w.size / (order + 1);
      for (int n = 0; n <= order && (w.size || n == 0); ++n)
        lines[axis].emplace_back(Taps{{w.data + n * size, size}, size / 2, ez});
    }
    x_ = lines[2];
    stages_.radius_x = x_[0].radius;
    stages_.edge[0] = ez, stages_.edge[1] = ey, stages_.edge[2] = ex;
    stages_.z = lines[0];
    const auto axes_of = [&](int p, int q) {
      int orders[3] = {0, 0, 0};
      ++orders[p];
      if (order == 2) ++orders[q];
      for (int axis = 0; axis < 3; ++axis)
        if (orders[axis] && !lists[axis].size) return;
      stages_.y.push_back({orders[0], lines[1][size_t(orders[1])]});
      orders_x_.push_back(orders[2]);
    };
    for (int p = 0; p < 3; ++p)
      for (int q = p; q < 3; ++q)
        if ((order == 2 && kind != Jet::laplacian) || p == q) axes_of(p, q);
    stages_.spare = int(orders_x_.size());
  }

  const axes::Stages<C>& stages() const { return stages_; }

  void operator()(const axes::Fields<C>& row) const {
    const int terms = int(orders_x_.size());
    const bool apart = kind_ == Jet::gradient || kind_ == Jet::hessian || terms == 1;
    if (apart && kind_ != Jet::magnitude) {
      for (int n = 0; n < terms; ++n) sums(row, n, place(row, n), row.past);
      return;
    }
    C* found[6];
    for (int n = 0; n < terms; ++n) {
      found[n] = row.spare + n * row.pitch;
      sums(row, n, found[n], false);
    }
    if (kind_ == Jet::eigenvalues) return spectra(row, found, terms);
    T* out = place(row, 0);
    const bool past = row.past && reinterpret_cast<u64>(out) % simd::bytes == 0;
    const bool squares = kind_ == Jet::magnitude;
    for (i64 x = 0; x < row.count; x += simd::lanes<C>) {
      Vec<C> sum = C(0);
      for (int n = 0; n < terms; ++n) {
        const Vec<C> term = simd::load(found[n] + x);
        sum += squares ? term * term : term;
      }
      write(out + x, squares ? simd::sqrt(sum) : sum, row.count - x, past);
    }
  }

 private:
  const i64 planes_;
  const View<T> out_;
  const Jet kind_;
  axes::Stages<C> stages_;
  std::vector<Line> x_;
  std::vector<int> orders_x_;

  T* place(const axes::Fields<C>& row, int component) const {
    return out_.row(component * planes_ + row.z, row.y) + row.x;
  }

  void sums(const axes::Fields<C>& row, int n, C* out, bool past) const {
    axes::along(row.fields[n], out, row.count, x_[size_t(orders_x_[size_t(n)])], row.most, past);
  }

  static void write(T* at, Vec<C> v, i64 left, bool past) {
    if (left < simd::lanes<C>)
      simd::store(at, v, int(left));
    else
      past ? simd::stream(at, v) : simd::store(at, v);
  }

  void spectra(const axes::Fields<C>& row, C* const (&m)[6], int terms) const {
    using V = Vec<f64>;
    constexpr int step = V::lanes;
    T* outs[3] = {place(row, 0), place(row, 1), terms == 6 ? place(row, 2) : nullptr};
    for (i64 x = 0; x < row.count; x += step) {
      const int n = int(std::min<i64>(step, row.count - x));
      const auto load = [&](int i) { return simd::load_as<f64>(m[i] + x); };
      const auto put = [&](int i, V v) { simd::store(outs[i] + x, simd::convert<T>(v), n); };
      if (terms == 6) {
        const auto e = eigenvalues<sizeof(T) / 4>(
            Symmetric<V>{load(0), load(1), load(2), load(3), load(4), load(5)});
        put(0, e.low), put(1, e.middle), put(2, e.high);
      } else {
        const V mean = V(0.5) * (load(0) + load(2)), half = V(0.5) * (load(0) - load(2));
        const V side = simd::sqrt(half * half + load(1) * load(1));
        put(0, mean - side), put(1, mean + side);
      }
    }
  }
};

}  // namespace

template <class T>
void jet(On on, View<const T> in, View<T> out, List<const f64> wz, List<const f64> wy,
         List<const f64> wx, i64 kind, Edge ez, Edge ey, Edge ex, f64 fill) {
  if (in.size.count() == 0) return;
  const Derivatives<T> derivatives(in, out, wz, wy, wx, Jet(kind), ez, ey, ex);
  const auto finish = [&](const axes::Fields<sum_of<T>>& row) { derivatives(row); };
  axes::Schedule<T, decltype(finish)>(on, in, derivatives.stages(), fill, finish).run();
}

using W = List<const f64>;
template void jet(On, View<const f32>, View<f32>, W, W, W, i64, Edge, Edge, Edge, f64);
template void jet(On, View<const f64>, View<f64>, W, W, W, i64, Edge, Edge, Edge, f64);

}  // namespace voxkern::cpu
