// All derivatives of one order in one pass over memory: orders share their sums along z, and pairs
// of orders those along y. A Hessian takes 3 + 6 + 6 lines of sums, not 18, and what is made of it
// meets memory only when it is written.
#pragma once
#include <voxkern/filters/jet.hpp>

#include <cpu/filters/separable.hpp>

namespace voxkern::cpu {

// First (`order` 1) or second derivatives along the axes that have weights; second ones as zz, zy,
// zx, yy, yx, xx, or `straight` ones only. The weights of an axis are those of the orders 0, 1,
// ..., one after the other.
template <class T>
class Derivatives {
 public:
  using C = sum_of<T>;

  Derivatives(const List<const f64> (&weights)[3], const Edge (&edges)[3], int order,
              bool straight) {
    std::vector<axes::Line<C>> lines[3];
    for (int axis = 0; axis < 3; ++axis) {
      const List<const f64> w = weights[axis];
      const i64 size = w.size / (order + 1);
      for (int n = 0; n <= order && (w.size || n == 0); ++n)
        lines[axis].emplace_back(Taps{{w.data + n * size, size}, size / 2, edges[axis]});
      stages_.edge[axis] = edges[axis];
    }
    x_ = lines[2];
    stages_.radius_x = x_[0].radius;
    stages_.z = lines[0];
    for (int p = 0; p < 3; ++p)
      for (int q = p; q < 3; ++q) {
        int orders[3] = {0, 0, 0};
        ++orders[p];
        if (order == 2) ++orders[q];
        const bool wanted = p == q || (order == 2 && !straight);
        if (!wanted || !weights[p].size || !weights[q].size) continue;
        stages_.y.push_back({orders[0], lines[1][size_t(orders[1])]});
        orders_x_.push_back(orders[2]);
      }
    stages_.spare = count();
  }

  const axes::Stages<C>& stages() const { return stages_; }
  int count() const { return int(orders_x_.size()); }

  // Writes the sums along x of one derivative.
  void write(const axes::Fields<C>& row, int n, C* out, bool past) const {
    axes::along(row.fields[n], out, row.count, x_[size_t(orders_x_[size_t(n)])], row.most, past);
  }

  // All of a row, in the scratch that comes with it.
  struct Row {
    C* of[6];
    Vec<C> operator()(int n, i64 x) const { return simd::load(of[n] + x); }
  };
  Row all(const axes::Fields<C>& row) const {
    Row found{};
    for (int n = 0; n < count(); ++n) {
      found.of[n] = row.spare + n * row.pitch;
      write(row, n, found.of[n], false);
    }
    return found;
  }

 private:
  axes::Stages<C> stages_;
  std::vector<axes::Line<C>> x_;
  std::vector<int> orders_x_;
};

// Where one component of an answer has a row: components lie one after the other, each as many
// planes as the image.
template <class T>
struct Components {
  View<T> out;
  i64 planes;

  template <class C>
  T* operator()(const axes::Fields<C>& row, int component) const {
    return out.row(component * planes + row.z, row.y) + row.x;
  }
};

// A vector at the end of a row may be longer than what is left of it.
template <class T>
[[gnu::always_inline]] inline void write_some(T* at, Vec<T> v, i64 left, bool past) {
  if (left < simd::lanes<T>)
    simd::store(at, v, int(left));
  else
    past ? simd::stream(at, v) : simd::store(at, v);
}
template <class T>
bool streams(const T* out, bool past) {
  return past && reinterpret_cast<u64>(out) % simd::bytes == 0;
}

}  // namespace voxkern::cpu
