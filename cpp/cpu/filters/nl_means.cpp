// For each shift the distances of all patches of a tile from those a shift away, as sums along one
// axis after the other; see Darbon et al., ISBI 2008. A pair of patches is looked at once.
//
// Strip by strip of a few rows, down all planes, with all shifts along x together: what is made of
// a strip stays in the cache, and a voxel's sums are read and written once for all of these shifts.
// Everything is kept on one grid, that of the tile with its surroundings, so that rows are one long
// row. What is computed beyond the ends of the rows is not used.
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
  // Whether the sum over it is that of two numbers, or that of a number and those beside it.
  bool is_pair() const { return at == std::vector<i64>{0, 1} && weights[0] == weights[1]; }
  bool is_three() const { return at == std::vector<i64>{-1, 0, 1} && weights[0] == weights[2]; }
};

// Calls use(N) with a number of weights as a constant where it is small, else with 0.
template <class Use>
void by_count(i64 count, Use use) {
  switch (count) {
    case 1: return use(std::integral_constant<int, 1>{});
    case 2: return use(std::integral_constant<int, 2>{});
    case 3: return use(std::integral_constant<int, 3>{});
    default: use(std::integral_constant<int, 0>{});
  }
}

// to[x] = the weighted sum of value(from + x + at * step) over the places of a patch.
template <class C, class Value>
void add_up(const C* from, const Patch<C>& patch, i64 step, C* to, i64 n, Value value) {
  using V = Vec<C>;
  const i64 count = patch.count();
  const i64* at = patch.at.data();
  const C* weights = patch.weights.data();
  by_count(count, [&](auto constant) {
    constexpr int N = decltype(constant)::value;
    if constexpr (N > 0) {
      const C* rows[N];
      V w[N];
      for (int i = 0; i < N; ++i) rows[i] = from + at[i] * step, w[i] = V(weights[i]);
      for (i64 x = 0; x < n; x += V::lanes) {
        V sum = value(rows[0] + x) * w[0];
        for (int i = 1; i < N; ++i) sum = simd::fma(value(rows[i] + x), w[i], sum);
        simd::store(to + x, sum);
      }
    } else {
      for (i64 x = 0; x < n; x += V::lanes) {
        V sum = C(0);
        for (i64 i = 0; i < count; ++i)
          sum = simd::fma(value(from + at[i] * step + x), V(weights[i]), sum);
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

// The weight of patches at a distance, nothing where a part of it says that they are far or NaN.
template <Likeness kind, class C>
Vec<C> weight_of(Vec<C> distance, Vec<C> part) {
  using V = Vec<C>;
  const auto near = kind == Likeness::cut ? distance <= V(C(nlm::cut))
                    : kind == Likeness::stepped
                        ? (part <= V(C(nlm::cut))) & (distance <= V(C(nlm::nothing)))
                        : distance <= V(C(nlm::nothing));
  distance = simd::max(distance, C(0));
  V weight;
  if constexpr (kind == Likeness::plain)
    weight = simd::exp2(distance * V(C(-1.4426950408889634)));
  else
    weight = rough_exp(distance);
  return simd::select(near, weight, C(0));
}

// The weights of patches from their distances plane by plane. N planes, or `many` where N is 0.
template <Likeness kind, int N, class C>
void weigh(const C* const* planes, const C* weights, i64 many, C noise, C* to, i64 n) {
  using V = Vec<C>;
  const i64 count = N ? N : many;
  const C* rows[N ? N : 1];
  V by[N ? N : 1];
  for (int i = 0; i < N; ++i) rows[i] = planes[i], by[i] = V(weights[i]);
  for (i64 x = 0; x < n; x += V::lanes) {
    V distance = C(0);
    V part = C(0);
    for (i64 i = 0; i < count; ++i) {
      part = simd::max(part, distance);
      const V here = simd::load((N ? rows[i] : planes[i]) + x) - V(noise);
      distance = simd::fma(here, N ? by[i] : V(weights[i]), distance);
    }
    simd::store(to + x, weight_of<kind>(distance, part));
  }
}

// What a patch of 2^3 or 3^3 voxels is summed by: along x and y in units of what the middle weighs.
template <int taps, class C>
struct Sides {
  Vec<C> x, y, z[taps], noise;
};

// The sum along an axis.
template <int taps, class C>
Vec<C> sum_at(const C* p, i64 step, Vec<C> side) {
  if constexpr (taps == 2) return simd::load(p) + simd::load(p + step);
  return simd::fma(simd::load(p - step) + simd::load(p + step), side, simd::load(p));
}

// Sums squared differences along x, a row ahead, and along y, and keeps these less the noise in
// `last`; then the weights of patches as above, from those and from the planes before. One loop:
// what it reads again is in the nearest cache.
template <Likeness kind, int taps, bool weighs, class C>
void look(const C* squares, C* sums, i64 pitch, const Sides<taps, C>& sides, const C* const* planes,
          C* last, C* to, i64 n) {
  using V = Vec<C>;
  const Sides<taps, C> by = sides;
  const C *first = planes[0], *second = planes[taps - 2];
  for (i64 x = taps == 2 ? 0 : -pitch; x < pitch; x += V::lanes)
    simd::store(sums + x, sum_at<taps>(squares + x, 1, by.x));
  for (i64 x = 0; x < n; x += V::lanes) {
    const V ahead = sum_at<taps>(squares + x + pitch, 1, by.x);
    simd::store(sums + x + pitch, ahead);
    V here = simd::load(sums + x);
    if constexpr (taps == 2)
      here = here + ahead;
    else
      here = simd::fma(simd::load(sums + x - pitch) + ahead, by.y, here);
    if constexpr (kind != Likeness::plain) here = here - by.noise;
    simd::store(last + x, here);
    if constexpr (weighs) {
      const V one = simd::load(first + x) * by.z[0];
      V two = one;
      if constexpr (taps == 3) two = simd::fma(simd::load(second + x), by.z[1], one);
      const V distance = simd::fma(here, by.z[taps - 1], two);
      simd::store(to + x, weight_of<kind>(distance, simd::max(one, two)));
    }
  }
}

// total += w * v and sum += w for `count` rows of weights and values, each a step behind the other.
template <class C>
void accumulate(const C* w, i64 w_step, const C* v, i64 v_step, i64 count, C* total, C* sum,
                i64 n) {
  using V = Vec<C>;
  constexpr int group = 64 / simd::bytes;  // as rows are padded
  for (i64 x = 0; x < n; x += group * V::lanes) {
    V t[group], s[group];
    for (int g = 0; g < group; ++g) {
      t[g] = simd::load(total + x + g * V::lanes);
      s[g] = simd::load(sum + x + g * V::lanes);
    }
    for (i64 i = 0; i < count; ++i)
      for (int g = 0; g < group; ++g) {
        const V a = simd::load(w + i * w_step + x + g * V::lanes);
        t[g] = simd::fma(a, simd::load(v + i * v_step + x + g * V::lanes), t[g]);
        s[g] += a;
      }
    for (int g = 0; g < group; ++g) {
      simd::store(total + x + g * V::lanes, t[g]);
      simd::store(sum + x + g * V::lanes, s[g]);
    }
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
        taps_(taps_of(kind, pz, py, px)),
        room_((high + 2 * py.radius) * pitch_ + slack),
        depth_(pz.at.back() - pz.at.front() + 1),
        squares_(room_),
        sums_(room_),
        distances_(together * depth_ * room_),
        weights_(together * room_),
        totals_(size.z * size.y * pitch_ + slack),
        counts_(size.z * size.y * pitch_ + slack) {
    image_.read(in, from, size, Edge::mirror);
    std::fill(totals_.begin(), totals_.end(), C(0));
    std::fill(counts_.begin(), counts_.end(), C(0));
    if (kind == Likeness::plain || image_.has_nan(first(), last())) make_values();
  }

  void run(View<C> out) {
    for (i64 a = 0; a <= reach_.z; ++a)
      for (i64 b = a ? -reach_.y : 0; b <= reach_.y; ++b)
        for (i64 c = a || b ? -reach_.x : 1; c <= reach_.x; c += together)
          add({a, b, c}, std::min(together, reach_.x - c + 1));
    finish(out);
  }

 private:
  static constexpr i64 slack = Block<C>::slack;
  static constexpr i64 together = 8, high = 8;  // shifts along x, and rows

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

  // `count` shifts along x from t on. Weights are made for the rows of the tile, and for those from
  // which a shift leads into it.
  void add(Size t, i64 count) {
    const i64 x0 = std::min<i64>(0, 1 - t.x - count), wide = size_.x + std::max<i64>(0, -t.x) - x0;
    const i64 step = t.y * pitch_ + t.x, last = size_.y + std::max<i64>(0, -t.y);
    for (i64 y = std::min<i64>(0, -t.y); y < last; y += high) {
      const i64 end = std::min(y + high, last), n = (end - y - 1) * pitch_ + wide;
      const i64 first_back = std::max<i64>(y + t.y, 0), last_back = std::min(end + t.y, size_.y);
      const i64 first_ahead = std::max<i64>(y, 0), last_ahead = std::min(end, size_.y);
      // On the grid, where y is the row at which weights begin.
      const C* w = weights_.data() - x0 - y * pitch_;
      i64 made = -t.z + pz_.at.front();
      for (i64 z = -t.z; z < size_.z; ++z) {
        const bool ahead = z >= 0 && first_ahead < last_ahead;
        const bool back = z + t.z < size_.z && first_back < last_back;
        const bool at_once = taps_ && (ahead || back);  // the last plane, and weights
        for (; made <= z + pz_.at.back() - at_once; ++made)
          for (i64 i = 0; i < count; ++i) {
            const Size shift{t.z, t.y, t.x + i};
            if (taps_)
              look_at(made, y, x0, n, shift, i, nullptr);
            else
              measure(made, y, x0, n, shift, distances(i, made));
          }
        for (i64 i = 0; i < count && (ahead || back); ++i) {
          C* to = weights_.data() + i * room_;
          if (at_once)
            look_at(made, y, x0, n, {t.z, t.y, t.x + i}, i, to);
          else
            weigh_rows(z, i, to, n);
          if (kind_ == Likeness::stepped)
            leave_out(z, y, end, x0, x0 + wide, {t.z, t.y, t.x + i}, to - x0);
        }
        made += at_once;
        if (ahead)
          put(z, first_ahead, last_ahead, w, room_, values(z + t.z) + corner_ + step, 1, count);
        if (back)
          put(z + t.z, first_back, last_back, w - step, room_ - 1, values(z) + corner_ - step, -1,
              count);
      }
    }
  }

  // Rows of the tile get their shares.
  void put(i64 z, i64 y, i64 end, const C* w, i64 w_step, const C* v, i64 v_step, i64 count) {
    const i64 at = z * size_.y * pitch_, from = y * pitch_;
    accumulate(w + from, w_step, v + from, v_step, count, totals_.data() + at + from,
               counts_.data() + at + from, (end - y - 1) * pitch_ + size_.x);
  }

  // A few planes at a time are kept of these.
  C* distances(i64 i, i64 z) const {
    return distances_.data() + (i * depth_ + (z - 2 * first()) % depth_) * room_;
  }

  // The squared differences from what lies a shift away, summed along x and y, for n voxels of the
  // long row from (z, y, x) on.
  void measure(i64 z, i64 y, i64 x, i64 n, Size shift, C* to) {
    const i64 step = shift.z * plane_ + shift.y * pitch_ + shift.x;
    const i64 low_x = px_.at.front(), low_y = py_.at.front() * pitch_;
    const i64 all = n + py_.at.back() * pitch_ - low_y;
    const C* p = image_.row(z, y) + x + low_y;
    const auto square = [step](const C* here) {
      const Vec<C> d = simd::load(here) - simd::load(here + step);
      return d * d;
    };
    const auto read = [](const C* here) { return simd::load(here); };
    if (px_.count() <= 3) {  // few enough to make them anew at each place
      add_up(p, px_, 1, sums_.data(), all, square);
    } else {
      for (i64 i = 0; i < all + px_.at.back() - low_x; i += Vec<C>::lanes)
        simd::store(squares_.data() + i, square(p + low_x + i));
      add_up(squares_.data() - low_x, px_, 1, sums_.data(), all, read);
    }
    add_up(sums_.data() - low_y, py_, pitch_, to, n, read);
  }

  // How many voxels a patch has along each axis, if it is one that look() knows, else 0.
  static int taps_of(Likeness kind, const Patch<C>& pz, const Patch<C>& py, const Patch<C>& px) {
    if (kind == Likeness::cut) return pz.is_pair() && py.is_pair() && px.is_pair() ? 2 : 0;
    return pz.is_three() && py.is_three() && px.is_three() ? 3 : 0;
  }
  void look_at(i64 z, i64 y, i64 x, i64 n, Size shift, i64 i, C* to) {
    if (kind_ == Likeness::cut)
      look_by<Likeness::cut, 2>(z, y, x, n, shift, i, to);
    else if (kind_ == Likeness::stepped)
      look_by<Likeness::stepped, 3>(z, y, x, n, shift, i, to);
    else
      look_by<Likeness::plain, 3>(z, y, x, n, shift, i, to);
  }
  // Sums of plane z of patches, and their weights where that is their last plane and there is `to`.
  template <Likeness kind, int taps>
  void look_by(i64 z, i64 y, i64 x, i64 n, Size shift, i64 i, C* to) {
    constexpr i64 before = taps - 2;  // of the voxel in the patch along each axis
    const i64 lead = before * (pitch_ + 1);
    const C* p = image_.row(z, y) + x - lead;
    const C* q = p + shift.z * plane_ + shift.y * pitch_ + shift.x;
    // Copies: for all the compiler knows, what is written might be the members.
    const i64 pitch = pitch_, all = n + (taps - 1) * (pitch + 1);
    C *squares = squares_.data(), *sums = sums_.data() + before * pitch;
    for (i64 k = 0; k < all; k += Vec<C>::lanes) {
      const Vec<C> d = simd::load(p + k) - simd::load(q + k);
      simd::store(squares + k, d * d);
    }
    squares += lead;
    Sides<taps, C> by;
    const C middle_x = px_.weights[before], middle_y = py_.weights[before];
    by.x = px_.weights[0] / middle_x, by.y = py_.weights[0] / middle_y;
    for (int k = 0; k < taps; ++k) by.z[k] = pz_.weights[k] * middle_y * middle_x;
    by.noise = bias_ / (middle_y * middle_x);
    const C* planes[taps - 1];
    for (int k = 0; k + 1 < taps; ++k) planes[k] = distances(i, z - taps + 1 + k);
    if (to)
      look<kind, taps, true>(squares, sums, pitch, by, planes, distances(i, z), to, n);
    else
      look<kind, taps, false>(squares, sums, pitch, by, planes, distances(i, z), to, n);
  }

  void weigh_rows(i64 z, i64 i, C* to, i64 n) {
    for (size_t p = 0; p < planes_.size(); ++p) planes_[p] = distances(i, z + pz_.at[p]);
    by_count(pz_.count(), [&](auto count) {
      constexpr int N = decltype(count)::value;
      const C* w = pz_.weights.data();
      if (kind_ == Likeness::cut)
        weigh<Likeness::cut, N>(planes_.data(), w, pz_.count(), bias_, to, n);
      else if (kind_ == Likeness::stepped)
        weigh<Likeness::stepped, N>(planes_.data(), w, pz_.count(), bias_, to, n);
      else
        weigh<Likeness::plain, N>(planes_.data(), w, pz_.count(), bias_, to, n);
    });
  }

  // No weight to pairs of which one lies outside the image: of the rows from y0 on, which begin at
  // `row`.
  void leave_out(i64 z, i64 y0, i64 y1, i64 x0, i64 x1, Size shift, C* row) {
    const auto range = [](i64 from, i64 size, i64 t) {
      return std::pair{std::max<i64>(0, -t) - from, size - std::max<i64>(0, t) - from};
    };
    const auto [z_low, z_high] = range(from_.z, all_.z, shift.z);
    const auto [y_low, y_high] = range(from_.y, all_.y, shift.y);
    const auto [x_low, x_high] = range(from_.x, all_.x, shift.x);
    if (z >= z_low && z < z_high && y0 >= y_low && y1 <= y_high && x0 >= x_low && x1 <= x_high)
      return;
    for (i64 y = y0; y < y1; ++y, row += pitch_) {
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
  i64 plane_, pitch_, corner_;
  int taps_;
  i64 room_, depth_;
  std::vector<const C*> planes_ = std::vector<const C*>(pz_.at.size());
  Scratch<C> squares_, sums_, distances_, weights_, totals_, counts_, values_;
};

}  // namespace

template <class T, class R>
void nl_means(On on, View<const T> x, View<R> y, List<const f64> wz, List<const f64> wy,
              List<const f64> wx, Size reach, i64 likeness, f64 noise) {
  const Patch<R> pz(wz), py(wy), px(wx);
  const bool wide = most(reach.z, most(reach.y, reach.x)) > 5;
  const Size tile = fitted(wide ? Size{24, 32, 128} : Size{16, 32, 128}, x.size);
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
