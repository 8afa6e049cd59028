// Every weight in turn, over stretches of a row that stay in registers. A task makes a strip of
// rows of one plane; the rows that they need, with what lies beside them, are copied once each into
// a ring.
#include <voxkern/filters/correlate.hpp>
#include <voxkern/filters/separable.hpp>
#include <voxkern/simd.hpp>

#include <cpu/filters/shorts.hpp>
#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <type_traits>
#include <vector>

namespace voxkern::cpu {
namespace {

template <class T, class C>
void put(T* p, Vec<C> sum, int n) {
  if constexpr (std::is_floating_point_v<T>)
    simd::store(p, sum, n);
  else
    simd::store(p, wrapped<T>(sum), n);
}

// A weight, the line of the neighbourhood that it looks at, and how far along it.
template <class C>
struct Term {
  C weight;
  i64 line, along;
};

template <class T>
class Strips {
 public:
  using C = sum_of<T>;

  Strips(View<const T> in, View<T> out, List<const f64> weights, Size box, Size before, Edge edge,
         f64 fill)
      : in_(in), out_(out), box_(box), before_(before), edge_(edge), fill_(C(fill)) {
    for (i64 i = 0; i < weights.size; ++i)
      if (weights[i] != 0) terms_.push_back({C(weights[i]), i / box.x, i % box.x});
    constexpr i64 lanes = simd::lanes<C>;
    pitch_ = (in.size.x + box.x - 1 + group * lanes + lanes) / lanes * lanes;
  }

  i64 strips() const { return (in_.size.y + rows - 1) / rows; }

  void run(i64 z, i64 strip) const {
    const i64 from = strip * rows, to = std::min(in_.size.y, from + rows);
    const i64 lines = to - from + box_.y - 1;
    Scratch<C> room(box_.z * lines * pitch_);
    std::fill(room.begin(), room.end(), C(0));
    for (i64 dz = 0; dz < box_.z; ++dz)
      for (i64 dy = 0; dy < lines; ++dy)
        copy(inside(z + dz - before_.z, in_.size.z, edge_),
             inside(from + dy - before_.y, in_.size.y, edge_),
             room.data() + (dz * lines + dy) * pitch_);
    std::vector<const C*> at(terms_.size());
    for (i64 y = from; y < to; ++y) {
      for (size_t i = 0; i < terms_.size(); ++i) {
        const i64 dz = terms_[i].line / box_.y, dy = terms_[i].line % box_.y;
        at[i] = room.data() + (dz * lines + y - from + dy) * pitch_ + terms_[i].along;
      }
      one(at.data(), out_.row(z, y));
    }
  }

 private:
  static constexpr i64 rows = 16;  // of a strip
  static constexpr int group = 8;  // vectors of sums in registers
  const View<const T> in_;
  const View<T> out_;
  const Size box_, before_;
  const Edge edge_;
  const C fill_;
  std::vector<Term<C>> terms_;
  i64 pitch_;

  // A row of the image with what lies beside it.
  void copy(i64 z, i64 y, C* line) const {
    const i64 n = in_.size.x, length = n + box_.x - 1;
    if (z < 0 || y < 0) {
      std::fill(line, line + length, fill_);
      return;
    }
    const T* row = in_.row(z, y);
    const auto beside = [&](i64 x) {
      const i64 other = inside(x, n, edge_);
      return other < 0 ? fill_ : C(row[other]);
    };
    for (i64 x = 0; x < before_.x; ++x) line[x] = beside(x - before_.x);
    for (i64 x = 0; x < n; ++x) line[before_.x + x] = C(row[x]);
    for (i64 x = before_.x + n; x < length; ++x) line[x] = beside(x - before_.x);
  }

  void one(const C* const* at, T* out) const {
    using V = Vec<C>;
    constexpr int step = V::lanes;
    const size_t count = terms_.size();
    const i64 n = in_.size.x;
    for (i64 x = 0; x < n; x += group * step) {
      V sum[group];
      for (int g = 0; g < group; ++g) sum[g] = V(C(0));
      for (size_t i = 0; i < count; ++i) {
        const V weight(terms_[i].weight);
        const C* p = at[i] + x;
        for (int g = 0; g < group; ++g) {
          if constexpr (std::is_integral_v<T>)
            sum[g] += simd::load(p + g * step) * weight;
          else
            sum[g] = simd::fma(simd::load(p + g * step), weight, sum[g]);
        }
      }
      for (int g = 0; g < group && x + g * step < n; ++g)
        put<T, C>(out + x + g * step, sum[g], int(std::min<i64>(step, n - x - g * step)));
    }
  }
};

}  // namespace

template <class T>
void correlate(On on, View<const T> in, View<T> out, List<const f64> weights, Size box, Size before,
               Edge edge, f64 fill) {
  if (in.size.count() == 0) return;
  const Strips<T> all(in, out, weights, box, before, edge, fill);
  parallel_for(on, in.size.z * all.strips(),
               [&](i64 i) { all.run(i / all.strips(), i % all.strips()); });
}

using W = List<const f64>;
template void correlate(On, View<const u8>, View<u8>, W, Size, Size, Edge, f64);
template void correlate(On, View<const i16>, View<i16>, W, Size, Size, Edge, f64);
template void correlate(On, View<const u16>, View<u16>, W, Size, Size, Edge, f64);
template void correlate(On, View<const i32>, View<i32>, W, Size, Size, Edge, f64);
template void correlate(On, View<const f32>, View<f32>, W, Size, Size, Edge, f64);
template void correlate(On, View<const f64>, View<f64>, W, Size, Size, Edge, f64);

}  // namespace voxkern::cpu
