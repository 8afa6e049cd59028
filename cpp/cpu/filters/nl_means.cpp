// For each shift the distances of all patches of a tile from those a shift away, as sums along one
// axis after the other; see Darbon et al., ISBI 2008. A pair of patches is looked at once.
//
// Everything about a tile is kept on one grid, that of the tile with its surroundings, so that a
// step to a neighbour is one number, and a plane is one long row. What is computed beyond the ends
// of the rows is not used.
#include <voxkern/filters/nl_means.hpp>

#include <cpu/filters/block.hpp>
#include <cpu/filters/exp.hpp>

#include <vector>

namespace voxkern::cpu {

namespace {

// The weights of a patch along one axis that are not 0, and where they stand.
template <class C>
struct Patch {
  std::vector<C> weights;
  std::vector<i64> at;
  i64 radius;
  f64 sum = 0;

  explicit Patch(List<const f64> list) : radius(list.size / 2) {
    for (i64 i = 0; i < list.size; ++i) {
      if (list[i] == 0) continue;
      weights.push_back(C(list[i]));
      at.push_back(i - radius);
      sum += list[i];
    }
  }
  i64 count() const { return i64(at.size()); }
};

// Calls use(N) with the number of weights as a constant where it is small, else with 0.
template <class C, class Use>
void by_count(const Patch<C>& patch, Use use) {
  switch (patch.count()) {
    case 1: return use(std::integral_constant<int, 1>{});
    case 2: return use(std::integral_constant<int, 2>{});
    case 3: return use(std::integral_constant<int, 3>{});
    default: use(std::integral_constant<int, 0>{});
  }
}

// to[x] = the weighted sum of from[x + at * step].
template <class C>
void combine(const C* from, const Patch<C>& patch, i64 step, C* to, i64 n) {
  using V = Vec<C>;
  by_count(patch, [&](auto count) {
    constexpr int N = decltype(count)::value;
    if constexpr (N > 0) {
      const C* rows[N];
      V weights[N];
      for (int i = 0; i < N; ++i) {
        rows[i] = from + patch.at[size_t(i)] * step;
        weights[i] = V(patch.weights[size_t(i)]);
      }
      for (i64 x = 0; x < n; x += V::lanes) {
        V sum = simd::load(rows[0] + x) * weights[0];
        for (int i = 1; i < N; ++i) sum = simd::fma(simd::load(rows[i] + x), weights[i], sum);
        simd::store(to + x, sum);
      }
    } else {
      const i64 many = patch.count();
      const i64* at = patch.at.data();
      const C* weights = patch.weights.data();
      for (i64 x = 0; x < n; x += V::lanes) {
        V sum = C(0);
        for (i64 i = 0; i < many; ++i)
          sum = simd::fma(simd::load(from + at[i] * step + x), weights[i], sum);
        simd::store(to + x, sum);
      }
    }
  });
}

template <int N>
Vec<f32, N> rough_exp(Vec<f32, N> distance) {
  const auto steps = simd::convert<i32>(distance * Vec<f32, N>(-1512775.3951951856938f));
  return simd::bits_as<f32>((steps + Vec<i32, N>(127 * (1 << 20) - 60801)) << 3);
}
template <int N>
Vec<f64, N> rough_exp(Vec<f64, N> distance) {
  const auto steps = simd::convert<i32>(distance * Vec<f64, N>(-1512775.3951951856938));
  const auto bits = (steps + Vec<i32, N>(127 * (1 << 20) - 60801)) << 3;
  return simd::convert<f64>(simd::bits_as<f32>(bits));
}

// The weights of patches from their distances plane by plane. N planes, or `many` where N is 0.
template <Likeness kind, int N, class C>
void weigh(const C* const* planes, const C* weights, i64 many, C noise, C* to, i64 n) {
  using V = Vec<C>;
  using M = typename V::Mask;
  const i64 count = N ? N : many;
  for (i64 x = 0; x < n; x += V::lanes) {
    V distance = C(0);
    M far(0);
    for (i64 i = 0; i < count; ++i) {
      if constexpr (kind == Likeness::stepped) far |= distance > V(C(nlm::cut));
      distance = simd::fma(simd::load(planes[i] + x) - V(noise), weights[i], distance);
    }
    // NaN is not near anything.
    const M near = distance <= V(C(kind == Likeness::cut ? nlm::cut : nlm::nothing));
    distance = simd::max(distance, C(0));
    V weight;
    if constexpr (kind == Likeness::plain)
      weight = simd::exp2(distance * V(C(-1.4426950408889634)));
    else
      weight = rough_exp(distance);
    simd::store(to + x, simd::select(near & ~far, weight, C(0)));
  }
}

// total += w * v + w' * v', sum += w + w'.
template <class C>
void accumulate(const C* w, const C* v, const C* w_back, const C* v_back, C* total, C* sum, i64 n) {
  using V = Vec<C>;
  for (i64 x = 0; x < n; x += V::lanes) {
    const V a = simd::load(w + x), b = simd::load(w_back + x);
    V t = simd::fma(a, simd::load(v + x), simd::load(total + x));
    t = simd::fma(b, simd::load(v_back + x), t);
    simd::store(total + x, t);
    simd::store(sum + x, simd::load(sum + x) + (a + b));
  }
}

Size plus(Size a, Size b) { return {a.z + b.z, a.y + b.y, a.x + b.x}; }

template <class C>
class Tile {
 public:
  template <class T>
  Tile(View<const T> in, Size from, Size size, const Patch<C>& pz, const Patch<C>& py,
       const Patch<C>& px, Size reach, Likeness kind, f64 noise)
      : all_(in.size),
        from_(from),
        size_(size),
        reach_(reach),
        pz_(pz),
        py_(py),
        px_(px),
        kind_(kind),
        noise_(C(noise)),
        bias_(C(kind == Likeness::plain ? 0 : noise * py.sum * px.sum)),
        image_(size, plus(reach, {pz.radius, py.radius, px.radius})),
        plane_(image_.plane()),
        pitch_(image_.pitch()),
        corner_(image_.row(0, 0) - image_.begin(0)),
        depth_(pz.at.back() - pz.at.front() + 1),
        squares_(plane_ + slack),
        sums_(plane_ + slack),
        totals_(size.count() / size.x * pitch_ + slack),
        counts_(size.count() / size.x * pitch_ + slack),
        distances_(depth_ * (plane_ + slack)),
        weights_((reach.z + 1) * (plane_ + slack)) {
    image_.read(in, from, size, Edge::mirror);
    std::fill(totals_.begin(), totals_.end(), C(0));
    std::fill(counts_.begin(), counts_.end(), C(0));
    if (kind == Likeness::plain || image_.has_nan(first(), last())) make_values();
  }

  void run(View<C> out) {
    for (i64 a = 0; a <= reach_.z; ++a)
      for (i64 b = a ? -reach_.y : 0; b <= reach_.y; ++b)
        for (i64 c = a || b ? -reach_.x : 1; c <= reach_.x; ++c) add(a, b, c);
    finish(out);
  }

 private:
  static constexpr i64 slack = Block<C>::slack;

  i64 first() const { return -reach_.z - pz_.radius; }
  i64 last() const { return size_.z + reach_.z + pz_.radius; }

  // What is averaged: the squares, or the image with NaN as 0, since 0 times NaN would be NaN.
  void make_values() {
    values_ = Scratch<C>((last() - first()) * plane_ + slack);
    const C* from = image_.begin(first());
    for (i64 i = 0; i < values_.size() - slack; ++i) {
      const C v = kind_ == Likeness::plain ? from[i] * from[i] : from[i];
      values_[i] = v == v ? v : C(0);
    }
  }
  const C* values(i64 z) const {
    return values_.size() ? values_.data() + (z - first()) * plane_ : image_.begin(z);
  }

  // A few planes at a time are kept of these.
  C* distances(i64 z) const {
    return distances_.data() + (z - 2 * first()) % depth_ * (plane_ + slack);
  }
  C* weights(i64 z) const {
    return weights_.data() + (z + reach_.z + 1) % (reach_.z + 1) * (plane_ + slack);
  }

  // The pairs that are (a, b, c) apart. Weights are made for the tile and for the tile moved back.
  void add(i64 a, i64 b, i64 c) {
    const i64 y0 = std::min<i64>(0, -b), y1 = size_.y + std::max<i64>(0, -b);
    const i64 x0 = std::min<i64>(0, -c), x1 = size_.x + std::max<i64>(0, -c);
    const i64 begin = corner_ + y0 * pitch_ + x0, n = (y1 - y0 - 1) * pitch_ + x1 - x0;
    const i64 inner = (size_.y - 1) * pitch_ + size_.x, step = b * pitch_ + c;
    i64 made = -a + pz_.at.front();
    std::vector<const C*> planes(pz_.at.size());
    for (i64 z = -a; z < size_.z; ++z) {
      for (; made <= z + pz_.at.back(); ++made) measure(made, a, step, begin, n);
      for (i64 i = 0; i < pz_.count(); ++i) planes[i] = distances(z + pz_.at[i]) + begin;
      weigh_plane(planes.data(), weights(z) + begin, n);
      if (kind_ == Likeness::stepped) leave_out(z, {a, b, c}, y0, y1, x0, x1);
      if (z < 0) continue;
      const i64 at = z * size_.y * pitch_;
      accumulate(weights(z) + corner_, values(z + a) + corner_ + step,
                 weights(z - a) + corner_ - step, values(z - a) + corner_ - step,
                 totals_.data() + at, counts_.data() + at, inner);
    }
  }

  // The squared differences of a plane from the one a shift away, summed along x and y.
  void measure(i64 z, i64 a, i64 step, i64 begin, i64 n) {
    using V = Vec<C>;
    const i64 low = begin + py_.at.front() * pitch_;
    const i64 wide = n + (py_.at.back() - py_.at.front()) * pitch_;
    const C *p = image_.begin(z), *q = image_.begin(z + a) + step;
    const i64 last_x = low + wide + px_.at.back();
    const auto square = [p, q](i64 x) {
      const V d = simd::load(p + x) - simd::load(q + x);
      return d * d;
    };
    C* sums = sums_.data();
    if (px_.count() == 2) {  // the box of 3 without its first voxel: not worth another row
      const i64 left = px_.at[0], right = px_.at[1];
      const V first = px_.weights[0], second = px_.weights[1];
      for (i64 x = low; x < low + wide; x += V::lanes)
        simd::store(sums + x, simd::fma(square(x + left), first, square(x + right) * second));
    } else {
      C* squares = squares_.data();
      for (i64 x = low + px_.at.front(); x < last_x; x += V::lanes)
        simd::store(squares + x, square(x));
      combine(squares + low, px_, 1, sums + low, wide);
    }
    combine(sums_.data() + begin, py_, pitch_, distances(z) + begin, n);
  }

  void weigh_plane(const C* const* planes, C* to, i64 n) {
    by_count(pz_, [&](auto count) {
      constexpr int N = decltype(count)::value;
      const C* w = pz_.weights.data();
      if (kind_ == Likeness::cut)
        weigh<Likeness::cut, N>(planes, w, pz_.count(), bias_, to, n);
      else if (kind_ == Likeness::stepped)
        weigh<Likeness::stepped, N>(planes, w, pz_.count(), bias_, to, n);
      else
        weigh<Likeness::plain, N>(planes, w, pz_.count(), bias_, to, n);
    });
  }

  // No weight to pairs of which one lies outside the image.
  void leave_out(i64 z, Size shift, i64 y0, i64 y1, i64 x0, i64 x1) {
    const auto range = [](i64 from, i64 n, i64 t) {
      return std::pair{std::max<i64>(0, -t) - from, n - std::max<i64>(0, t) - from};
    };
    const auto [z_low, z_high] = range(from_.z, all_.z, shift.z);
    const auto [y_low, y_high] = range(from_.y, all_.y, shift.y);
    const auto [x_low, x_high] = range(from_.x, all_.x, shift.x);
    for (i64 y = y0; y < y1; ++y) {
      C* row = weights(z) + corner_ + y * pitch_;
      const bool in = z >= z_low && z < z_high && y >= y_low && y < y_high;
      for (i64 x = x0; x < (in ? std::min(x_low, x1) : x1); ++x) row[x] = C(0);
      for (i64 x = std::max(x_high, x0); x < x1; ++x) row[x] = C(0);
    }
  }

  void finish(View<C> out) {
    using V = Vec<C>;
    const bool squares = kind_ == Likeness::plain;
    const V own = squares ? C(1) : C(nlm::alike);
    for (i64 z = 0; z < size_.z; ++z)
      for (i64 y = 0; y < size_.y; ++y) {
        C* to = out.row(from_.z + z, from_.y + y) + from_.x;
        const i64 at = (z * size_.y + y) * pitch_;
        for (i64 x = 0; x < size_.x; x += V::lanes) {
          V v = simd::load(image_.row(z, y) + x);
          if (squares) v = v * v;
          V mean = simd::fma(own, v, simd::load(totals_.data() + at + x)) /
                   (simd::load(counts_.data() + at + x) + own);
          if (squares) mean = simd::select(mean < V(noise_), V(C(0)), simd::sqrt(mean - V(noise_)));
          simd::store(to + x, mean, int(std::min<i64>(V::lanes, size_.x - x)));
        }
      }
  }

  Size all_, from_, size_, reach_;
  const Patch<C>&pz_, &py_, &px_;
  Likeness kind_;
  C noise_, bias_;
  Block<C> image_;
  i64 plane_, pitch_, corner_, depth_;
  Scratch<C> squares_, sums_, totals_, counts_, distances_, weights_, values_;
};

}  // namespace

template <class T, class R>
void nl_means(On on, View<const T> x, View<R> y, List<const f64> wz, List<const f64> wy,
              List<const f64> wx, Size reach, i64 likeness, f64 noise) {
  const Patch<R> pz(wz), py(wy), px(wx);
  const bool wide = most(reach.z, most(reach.y, reach.x)) > 5;
  const Size tile = fitted(wide ? Size{24, 32, 128} : Size{8, 16, 128}, x.size);
  for_tiles(on, x.size, tile, [&](Size from, Size size) {
    Tile<R>(x, from, size, pz, py, px, reach, Likeness(likeness), noise).run(y);
  });
}

using Weights = List<const f64>;
template void nl_means(On, View<const u8>, View<f32>, Weights, Weights, Weights, Size, i64, f64);
template void nl_means(On, View<const i16>, View<f32>, Weights, Weights, Weights, Size, i64, f64);
template void nl_means(On, View<const u16>, View<f32>, Weights, Weights, Weights, Size, i64, f64);
template void nl_means(On, View<const i32>, View<f64>, Weights, Weights, Weights, Size, i64, f64);
template void nl_means(On, View<const f32>, View<f32>, Weights, Weights, Weights, Size, i64, f64);
template void nl_means(On, View<const f64>, View<f64>, Weights, Weights, Weights, Size, i64, f64);

}  // namespace voxkern::cpu
