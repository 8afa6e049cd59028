// One pass: a row is made from the rows above, below, before and behind it while they are in cache.
#include <voxkern/filters/laplace.hpp>
#include <voxkern/simd.hpp>

#include <cpu/filters/shorts.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <type_traits>
#include <vector>

namespace voxkern::cpu {
namespace {

constexpr i64 streamed_bytes = 8 << 20;  // from here on the output goes around the cache

// What a sum becomes in the image. Small integers are summed in i32, which wraps as SciPy does.
template <class T, class C>
void put(T* p, Vec<C> sum, int n, bool past) {
  if constexpr (std::is_same_v<T, C>) {
    if (n >= simd::lanes<C>)
      past ? simd::stream(p, sum) : simd::store(p, sum);
    else
      simd::store(p, sum, n);
  } else {
    simd::store(p, wrapped<T>(sum), n);
  }
}

template <class T, class C>
class Rows {
 public:
  Rows(View<const T> in, View<T> out, Vec3 scale, Edge ez, Edge ey, Edge ex, f64 fill)
      : in_(in),
        out_(out),
        scale_{C(scale.z), C(scale.y), C(scale.x)},
        edge_{ez, ey, ex},
        fill_(fill),
        past_(in.size.count() * i64(sizeof(T)) >= streamed_bytes) {}

  void run(i64 begin, i64 end) const {
    const Size n = in_.size;
    std::vector<T> outside(static_cast<size_t>(n.x), T(fill_));
    std::vector<C> line(static_cast<size_t>(n.x + 2 + simd::lanes<C>));
    for (i64 i = begin; i < end; ++i) {
      const i64 z = i / n.y, y = i % n.y;
      const auto row = [&](i64 z, i64 y) {
        return z < 0 || y < 0 ? outside.data() : in_.row(z, y);
      };
      const T* beside[4] = {
          row(inside(z - 1, n.z, edge_[0]), y), row(inside(z + 1, n.z, edge_[0]), y),
          row(z, inside(y - 1, n.y, edge_[1])), row(z, inside(y + 1, n.y, edge_[1]))};
      one(in_.row(z, y), beside, line.data() + 1, out_.row(z, y));
    }
    if (past_) simd::stream_fence();
  }

 private:
  const View<const T> in_;
  const View<T> out_;
  const C scale_[3];
  const Edge edge_[3];
  const f64 fill_;
  const bool past_;

  void one(const T* row, const T* const (&beside)[4], C* line, T* out) const {
    using V = Vec<C>;
    constexpr int step = V::lanes;
    const i64 n = in_.size.x;
    i64 x = 0;
    for (; x + step <= n; x += step) simd::store(line + x, simd::load_as<C>(row + x));
    if (x < n) simd::store(line + x, simd::load_as<C>(row + x, int(n - x)));
    const i64 first = inside(-1, n, edge_[2]), last = inside(n, n, edge_[2]);
    const C left = first < 0 ? C(fill_) : line[first], right = last < 0 ? C(fill_) : line[last];
    line[-1] = left;
    line[n] = right;
    const bool past = past_ && reinterpret_cast<u64>(out) % simd::bytes == 0;
    for (x = 0; x < n; x += step) {
      const int count = int(std::min<i64>(step, n - x));
      const V voxel = simd::load(line + x);
      V sum = C(0);
      for (int axis = 0; axis < 2; ++axis) {
        if (scale_[axis] == C(0)) continue;
        const V before = simd::load_as<C>(beside[2 * axis] + x, count);
        const V after = simd::load_as<C>(beside[2 * axis + 1] + x, count);
        sum += ((before - voxel) + (after - voxel)) * V(scale_[axis]);
      }
      if (scale_[2] != C(0)) {
        const V before = simd::load(line + x - 1), after = simd::load(line + x + 1);
        sum += ((before - voxel) + (after - voxel)) * V(scale_[2]);
      }
      put<T, C>(out + x, sum, count, past);
    }
  }
};

template <class T, class C>
void all_rows(On on, View<const T> in, View<T> out, Vec3 scale, Edge ez, Edge ey, Edge ex,
              f64 fill) {
  if (in.size.count() == 0) return;
  const Rows<T, C> rows(in, out, scale, ez, ey, ex, fill);
  parallel_slabs(on, in.size.z * in.size.y, std::max<i64>(1, 16384 / in.size.x),
                 [&](i64 begin, i64 end) { rows.run(begin, end); });
}

bool plain(f64 scale) { return scale == 0 || scale == 1; }

}  // namespace

template <class T>
void laplace(On on, View<const T> in, View<T> out, Vec3 scale, Edge ez, Edge ey, Edge ex,
             f64 fill) {
  if constexpr (std::is_floating_point_v<T>)
    return all_rows<T, T>(on, in, out, scale, ez, ey, ex, fill);
  if constexpr (sizeof(T) <= 2)
    if (plain(scale.z) && plain(scale.y) && plain(scale.x))
      return all_rows<T, i32>(on, in, out, scale, ez, ey, ex, fill);
  if constexpr (std::is_integral_v<T>) all_rows<T, f64>(on, in, out, scale, ez, ey, ex, fill);
}

template void laplace(On, View<const u8>, View<u8>, Vec3, Edge, Edge, Edge, f64);
template void laplace(On, View<const i16>, View<i16>, Vec3, Edge, Edge, Edge, f64);
template void laplace(On, View<const u16>, View<u16>, Vec3, Edge, Edge, Edge, f64);
template void laplace(On, View<const i32>, View<i32>, Vec3, Edge, Edge, Edge, f64);
template void laplace(On, View<const f32>, View<f32>, Vec3, Edge, Edge, Edge, f64);
template void laplace(On, View<const f64>, View<f64>, Vec3, Edge, Edge, Edge, f64);

}  // namespace voxkern::cpu
