// Chambolle's steps are taken in place and two at a time, so that the field comes from memory once
// for both. A part of the planes is swept in strips of rows, and down the planes in each; the
// second step follows a plane and a row behind the first and finds all it needs in the cache. The
// images of the planes at which parts begin are made before anything moves: then parts need nothing
// that their neighbours change.
#include <voxkern/filters/tv.hpp>

#include <voxkern/simd.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace voxkern::cpu {

namespace {

template <class C>
constexpr int L = simd::lanes<C>;

// The lanes at x of a row and those before them, with 0 before the row.
template <class C>
Vec<C> before(const C* row, i64 x, int n) {
  if (x > 0) return simd::load(row + x - 1, n);
  C lanes[L<C>] = {};
  for (int i = 1; i < n; ++i) lanes[i] = row[i - 1];
  return simd::load(lanes);
}
// Those behind them, with the last of the row again behind it.
template <class C>
Vec<C> behind(const C* row, i64 x, i64 size) {
  if (x + L<C> < size) return simd::load(row + x + 1);
  C lanes[L<C>];
  for (int i = 0; i < L<C>; ++i) lanes[i] = row[std::min(x + i + 1, size - 1)];
  return simd::load(lanes);
}

// Minus the divergence of a field, at n lanes of a row.
template <class R>
struct Field {
  View<R> z, y, x;
  const std::remove_const_t<R>* nothing;  // a row of zeros

  auto inflow(i64 k, i64 j, i64 i, int n) const {
    const auto* above = k > 0 ? z.row(k - 1, j) : nothing;
    const auto* left = j > 0 ? y.row(k, j - 1) : nothing;
    const auto* row = x.row(k, j);
    using C = std::remove_const_t<R>;
    return simd::load<C>(above + i, n) - simd::load<C>(z.row(k, j) + i, n) +
           (simd::load<C>(left + i, n) - simd::load<C>(y.row(k, j) + i, n)) +
           (before<C>(row, i, n) - simd::load<C>(row + i, n));
  }
};

template <class R>
Scratch<R> zeros(i64 n) {
  Scratch<R> row(n);
  std::fill(row.begin(), row.end(), R(0));
  return row;
}

// The gradient of u at n lanes of a row: forward differences, 0 at the far borders, where a row is
// its own neighbour.
template <class R>
struct Slopes {
  Vec<R> z, y, x;
  Slopes(const R* row, const R* below, const R* next, i64 i, i64 size, int n) {
    const Vec<R> here = simd::load(row + i, n);
    z = simd::load(below + i, n) - here;
    y = simd::load(next + i, n) - here;
    x = behind(row, i, size) - here;
  }
};

// The first n lanes, 0 in the others.
template <class C>
Vec<C> only(Vec<C> v, int n) {
  C lanes[L<C>];
  simd::store(lanes, v);
  return simd::load(lanes, n);
}

// Calls f(i, how many) for the vectors of a row.
template <class C, class F>
void by_lanes(i64 n, F f) {
  i64 i = 0;
  for (; i + L<C> <= n; i += L<C>) f(i, L<C>);
  if (i < n) f(i, int(n - i));
}

// A step of Chambolle's for one row after another.
template <class T, class R>
struct Projection {
  View<const T> x;
  Field<R> p;
  Vec3 pace;  // the step over the squares of a voxel's lengths
  R grow;
  f64 unit;  // turns a length taken with `pace` into one without the step

  // Writes a row of the image and returns the squares of what it moved.
  f64 make(i64 k, i64 j, R* to) const {
    const T* from = x.row(k, j);
    LaneSum squares;
    by_lanes<R>(x.size.x, [&](i64 i, int n) {
      const Vec<R> d = p.inflow(k, j, i, n);
      simd::store(to + i, simd::load_as<R>(from + i, n) + d, n);
      squares.add(d * d);
    });
    return squares.total();
  }
  // Moves a row of the field along the slopes of the image and returns their lengths.
  f64 move(i64 k, i64 j, const R* here, const R* below, const R* next) const {
    using V = Vec<R>;
    R *z = p.z.row(k, j), *y = p.y.row(k, j), *w = p.x.row(k, j);
    const V tz = R(pace.z), ty = R(pace.y), tx = R(pace.x);
    LaneSum lengths;
    by_lanes<R>(x.size.x, [&](i64 i, int n) {
      const Slopes<R> g(here, below, next, i, x.size.x, n);
      const V a = tz * g.z, b = ty * g.y, c = tx * g.x;
      const V length = simd::sqrt(a * g.z + b * g.y + c * g.x);
      const V shrink = V(R(1)) / (length * V(grow) + V(R(1)));
      simd::store(z + i, (simd::load(z + i, n) - a) * shrink, n);
      simd::store(y + i, (simd::load(y + i, n) - b) * shrink, n);
      simd::store(w + i, (simd::load(w + i, n) - c) * shrink, n);
      lengths.add(n < L<R> ? only(length, n) : length);
    });
    return unit * lengths.total();
  }
};

// One step or two. What a step sums is kept for each piece of a plane and added up at the end.
template <class T, class R>
class Sweep {
 public:
  Sweep(const Projection<T, R>& step, View<R> u, bool two, i64 parts)
      : of_(step),
        u_(u),
        n_(u.size),
        two_(two),
        parts_(parts),
        high_(std::clamp<i64>(4096 / n_.x, 2, 32)),
        strips_((n_.y + high_ - 1) / high_),
        seams_(two ? (parts - 1) * n_.y * n_.x : 0) {
    for (auto& one : sums_) one.resize(size_t(n_.z * strips_));
  }

  void run(On on) {
    parallel_for(on, parts_ - 1, [&](i64 i) { two_ ? make_seam_twice(i) : make_seam(i); });
    parallel_for(on, parts_, [&](i64 i) { run_part(i); });
  }
  Sums<2> sums(int step) { return added_up(std::move(sums_[step])); }

 private:
  i64 begin(i64 part) const { return n_.z * part / parts_; }
  Sums<2>& sum(int step, i64 k, i64 j) { return sums_[step][size_t(k * strips_ + j / high_)]; }
  R* seam(i64 i, i64 j) const { return seams_.data() + (i * n_.y + j) * n_.x; }

  // The image where a part ends and the next begins: of the last step, ...
  void make_seam(i64 i) {
    const i64 k = begin(i + 1);
    for (i64 j = 0; j < n_.y; ++j) sum(two_, k, j)[0] += of_.make(k, j, u_.row(k, j));
  }
  // ... and of both, the second from a copy of the field that is moved.
  void make_seam_twice(i64 i) {
    const i64 k = begin(i + 1), plane = n_.y * n_.x;
    Scratch<R> before(plane), behind(k + 1 < n_.z ? plane : 0), field(3 * 2 * plane);
    const auto copied = [&](View<R> from, i64 axis) {
      const View<R> to{field.data() + axis * 2 * plane, {2, n_.y, n_.x}, {plane, n_.x, 1}};
      for (i64 z = 0; z < 2; ++z)
        for (i64 j = 0; j < n_.y; ++j) std::copy_n(from.row(k - 1 + z, j), n_.x, to.row(z, j));
      return to;
    };
    Projection<T, R> own = of_;
    own.x.data = of_.x.row(k - 1, 0);
    own.p.z = copied(of_.p.z, 0), own.p.y = copied(of_.p.y, 1), own.p.x = copied(of_.p.x, 2);
    for (i64 j = 0; j < n_.y; ++j) {
      of_.make(k - 1, j, before.data() + j * n_.x);
      sum(0, k, j)[0] += of_.make(k, j, seam(i, j));
      if (k + 1 < n_.z) of_.make(k + 1, j, behind.data() + j * n_.x);
    }
    for (i64 j = 0; j < n_.y; ++j) {
      const i64 next = std::min(j + 1, n_.y - 1);
      const R* above = before.data();
      own.move(0, j, above + j * n_.x, seam(i, j), above + next * n_.x);
      own.move(1, j, seam(i, j), k + 1 < n_.z ? behind.data() + j * n_.x : seam(i, j),
               seam(i, next));
    }
    for (i64 j = 0; j < n_.y; ++j) sum(1, k, j)[0] += own.make(1, j, u_.row(k, j));
  }

  void run_part(i64 part) {
    const i64 from = begin(part), end = begin(part + 1), x = n_.x;
    // The first step's image: two planes of a strip, and of all planes the row between two strips.
    Scratch<R> ring(two_ ? 2 * high_ * x : 0), edges(two_ ? 2 * (end - from) * x : 0);
    for (i64 s = 0; s < strips_; ++s) {
      const i64 top = s * high_, low = std::min(n_.y, top + high_);
      const auto first = [&](i64 k, i64 j) {
        if (k == end) return seam(part, j);
        if (k == from && part > 0) return seam(part - 1, j);
        if (j == low || (j == top && s > 0))
          return edges.data() + (((j == low) ^ (s & 1)) * (end - from) + k - from) * x;
        return ring.data() + ((k & 1) * high_ + j - top) * x;
      };
      const auto make_first = [&](i64 k) {
        for (i64 j = s > 0 ? top + 1 : 0; j <= std::min(low, n_.y - 1); ++j)
          sum(0, k, j)[0] += of_.make(k, j, first(k, j));
      };
      const i64 back = s > 0 ? top - 1 : 0, upto = low == n_.y ? low : low - 1;
      for (i64 k = from; k <= end; ++k) {
        if (two_ && k < end) {
          if (k == 0) make_first(k);
          if (k + 1 < end) make_first(k + 1);
          for (i64 j = top; j < low; ++j)
            sum(0, k, j)[1] += of_.move(k, j, first(k, j), first(std::min(k + 1, n_.z - 1), j),
                                        first(k, std::min(j + 1, n_.y - 1)));
        }
        if (k < end && (k > from || part == 0))
          for (i64 j = top; j < low; ++j) sum(two_, k, j)[0] += of_.make(k, j, u_.row(k, j));
        if (k > from)
          for (i64 j = back; j < upto; ++j)
            sum(two_, k - 1, j)[1] +=
                of_.move(k - 1, j, u_.row(k - 1, j), u_.row(std::min(k, n_.z - 1), j),
                         u_.row(k - 1, std::min(j + 1, n_.y - 1)));
      }
    }
  }

  Projection<T, R> of_;
  View<R> u_;
  Size n_;
  bool two_;
  i64 parts_, high_, strips_;
  Scratch<R> seams_;
  std::vector<Sums<2>> sums_[2];
};

}  // namespace

template <class T, class R>
void tv_project(On on, View<const T> x, View<R> pz, View<R> py, View<R> px, View<R> u,
                List<f64> energy, Vec3 scale, f64 weight, f64 step) {
  std::fill_n(energy.data, energy.size, 0.0);
  if (x.size.count() == 0) return;
  if (x.size.z < 32 && x.size.y > x.size.z) {  // parts are of planes: let there be many
    const auto turn = [](auto& v) {
      std::swap(v.size.z, v.size.y);
      std::swap(v.step.z, v.step.y);
    };
    turn(x), turn(pz), turn(py), turn(px), turn(u);
    std::swap(pz, py), std::swap(scale.z, scale.y);
  }
  const auto nothing = zeros<R>(x.size.x);
  const f64 unit = 1 / std::sqrt(step);
  const Projection<T, R> one{.x = x,
                             .p = {pz, py, px, nothing.data()},
                             .pace = {step * scale.z, step * scale.y, step * scale.x},
                             .grow = R(step / weight * unit),
                             .unit = unit};
  const i64 parts = on.threads > 1 ? std::clamp<i64>(x.size.z / 16, 1, 4 * on.threads) : 1;
  for (i64 done = 0; done < energy.size;) {
    const int steps = energy.size - done >= 4 ? 2 : 1;
    Sweep<T, R> sweep(one, u, steps == 2, parts);
    sweep.run(on);
    for (int i = 0; i < steps; ++i, done += 2) {
      const Sums<2> sums = sweep.sums(i);
      energy[done] = sums[0];
      energy[done + 1] = sums[1];
    }
  }
}

template <class R>
void tv_dual(On on, View<const R> ahead, View<R> pz, View<R> py, View<R> px, Vec3 scale, f64 weight,
             f64 step) {
  using V = Vec<R>;
  const Size n = ahead.size;
  const V tz = R(step * scale.z), ty = R(step * scale.y), tx = R(step * scale.x);
  const V lz = R(1 / scale.z), ly = R(1 / scale.y), lx = R(1 / scale.x);
  parallel_slabs(on, n.z * n.y, 16, [&](i64 begin, i64 end) {
    for (i64 line = begin; line < end; ++line) {
      const i64 k = line / n.y, j = line % n.y;
      R *z = pz.row(k, j), *y = py.row(k, j), *x = px.row(k, j);
      const R *here = ahead.row(k, j), *below = ahead.row(std::min(k + 1, n.z - 1), j),
              *next = ahead.row(k, std::min(j + 1, n.y - 1));
      for (i64 i = 0; i < n.x; i += V::lanes) {
        const int some = int(std::min<i64>(V::lanes, n.x - i));
        const Slopes<R> g(here, below, next, i, n.x, some);
        const V a = simd::fma(g.z, tz, simd::load(z + i, some));
        const V b = simd::fma(g.y, ty, simd::load(y + i, some));
        const V c = simd::fma(g.x, tx, simd::load(x + i, some));
        const V length = simd::sqrt(a * a * lz + b * b * ly + c * c * lx);
        const V cut = V(R(1)) / simd::max(length * V(R(1 / weight)), R(1));
        simd::store(z + i, a * cut, some);
        simd::store(y + i, b * cut, some);
        simd::store(x + i, c * cut, some);
      }
    }
  });
}

template <class T, class R>
void tv_primal(On on, View<const T> x, View<const R> pz, View<const R> py, View<const R> px,
               View<R> u, View<R> ahead, List<f64> change, f64 step, f64 beyond) {
  using V = Vec<R>;
  const Size n = x.size;
  const auto nothing = zeros<R>(n.x);
  const Field<const R> field{pz, py, px, nothing.data()};
  const V by = R(step), share = R(1 / (1 + step)), more = R(beyond);
  std::vector<f64> parts(size_t(n.z * n.y));
  parallel_slabs(on, n.z * n.y, 16, [&](i64 begin, i64 end) {
    for (i64 line = begin; line < end; ++line) {
      const i64 k = line / n.y, j = line % n.y;
      R *to = u.row(k, j), *far = ahead.row(k, j);
      LaneSum squares;
      for (i64 i = 0; i < n.x; i += V::lanes) {
        const int some = int(std::min<i64>(V::lanes, n.x - i));
        const V was = simd::load(to + i, some);
        const V aim = simd::load_as<R>(x.row(k, j) + i, some) - field.inflow(k, j, i, some);
        const V now = simd::fma(by, aim, was) * share;
        simd::store(to + i, now, some);
        simd::store(far + i, simd::fma(more, now - was, now), some);
        squares.add((now - was) * (now - was));
      }
      parts[size_t(line)] = squares.total();
    }
  });
  change[0] = added_up(std::move(parts));
}

#define VOXKERN_INSTANCES(T, R)                                                                    \
  template void tv_project(On, View<const T>, View<R>, View<R>, View<R>, View<R>, List<f64>, Vec3, \
                           f64, f64);                                                              \
  template void tv_primal(On, View<const T>, View<const R>, View<const R>, View<const R>, View<R>, \
                          View<R>, List<f64>, f64, f64);
VOXKERN_INSTANCES(u8, f32)
VOXKERN_INSTANCES(i16, f32)
VOXKERN_INSTANCES(u16, f32)
VOXKERN_INSTANCES(i32, f64)
VOXKERN_INSTANCES(f32, f32)
VOXKERN_INSTANCES(f64, f64)
template void tv_dual(On, View<const f32>, View<f32>, View<f32>, View<f32>, Vec3, f64, f64);
template void tv_dual(On, View<const f64>, View<f64>, View<f64>, View<f64>, Vec3, f64, f64);

}  // namespace voxkern::cpu
