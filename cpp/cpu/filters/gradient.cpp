// One pass: a row's differences are made while its neighbours are in cache.
#include <voxkern/filters/gradient.hpp>
#include <voxkern/simd.hpp>

#include <cpu/parallel.hpp>

#include <algorithm>
#include <vector>

namespace voxkern::cpu {
namespace {

constexpr i64 streamed_bytes = 8 << 20;  // from here on the output goes around the cache

template <class U>
void put(U* p, Vec<U> v, int n, bool past) {
  past&& n == simd::lanes<U> ? simd::stream(p, v) : simd::store(p, v, n);
}

template <class T, class U>
class Rows {
 public:
  Rows(View<const T> in, View<U> out, Vec3 scale, f64 face, bool magnitude)
      : in_(in), out_(out), scale_{scale.z, scale.y, scale.x}, face_(face), magnitude_(magnitude) {
    past_ = in.size.count() * i64(sizeof(U)) >= streamed_bytes;
  }

  void run(i64 begin, i64 end) const {
    const i64 n = in_.size.x;
    constexpr i64 step = simd::lanes<U>;
    std::vector<U> room(size_t(2 * (n + 2 * step)));
    U *line = room.data() + step, *along = line + n + 2 * step;
    for (i64 i = begin; i < end; ++i) one(i / in_.size.y, i % in_.size.y, line, along);
    if (past_) simd::stream_fence();
  }

 private:
  const View<const T> in_;
  const View<U> out_;
  const f64 scale_[3], face_;
  const bool magnitude_;
  bool past_;

  // Two rows on either side, and what their difference counts.
  struct Pair {
    const T *before, *after;
    U weight;
  };
  Pair pair(i64 at, i64 n, int axis, i64 z, i64 y) const {
    const i64 a = std::max<i64>(at - 1, 0), b = std::min(at + 1, n - 1);
    const f64 weight = scale_[axis] * (b - a == 2 ? 0.5 : face_);
    if (axis == 0) return {in_.row(a, y), in_.row(b, y), U(weight)};
    return {in_.row(z, a), in_.row(z, b), U(weight)};
  }

  void one(i64 z, i64 y, U* line, U* along) const {
    using V = Vec<U>;
    constexpr int step = V::lanes;
    const Size size = in_.size;
    const i64 n = size.x;
    if (scale_[2] != 0) along_x(in_.row(z, y), line, along);
    const Pair pairs[2] = {pair(z, size.z, 0, z, y), pair(y, size.y, 1, z, y)};
    U* outs[3];
    i64 count = 0;
    for (int axis = 0; axis < 3; ++axis)
      outs[axis] = scale_[axis] != 0 || magnitude_
                       ? out_.row((magnitude_ ? 0 : count++ * size.z) + z, y)
                       : nullptr;
    bool past = past_;
    for (const U* out : outs) past = past && reinterpret_cast<u64>(out) % simd::bytes == 0;
    for (i64 x = 0; x < n; x += step) {
      const int lanes = int(std::min<i64>(step, n - x));
      V sum = U(0);
      const auto take = [&](int axis, V d) {
        if (magnitude_)
          sum += d * d;
        else
          put(outs[axis] + x, d, lanes, past);
      };
      for (int axis = 0; axis < 2; ++axis) {
        if (scale_[axis] == 0) continue;
        const V before = simd::load_as<U>(pairs[axis].before + x, lanes);
        const V after = simd::load_as<U>(pairs[axis].after + x, lanes);
        take(axis, (after - before) * V(pairs[axis].weight));
      }
      if (scale_[2] != 0) take(2, simd::load(along + x));
      if (magnitude_) put(outs[0] + x, simd::sqrt(sum), lanes, past);
    }
  }

  void along_x(const T* row, U* line, U* along) const {
    using V = Vec<U>;
    constexpr i64 step = V::lanes;
    const i64 n = in_.size.x;
    for (i64 x = 0; x < n; x += step)
      simd::store(line + x, simd::load_as<U>(row + x, int(std::min(step, n - x))));
    const V weight(U(scale_[2] * 0.5));
    for (i64 x = 0; x < n; x += step)
      simd::store(along + x, (simd::load(line + x + 1) - simd::load(line + x - 1)) * weight);
    const U face = U(scale_[2] * face_);
    along[0] = (line[std::min<i64>(1, n - 1)] - line[0]) * face;
    along[n - 1] = (line[n - 1] - line[std::max<i64>(n - 2, 0)]) * face;
  }
};

}  // namespace

template <class T, class U>
void gradient(On on, View<const T> in, View<U> out, Vec3 scale, f64 face, i64 magnitude) {
  if (in.size.count() == 0) return;
  const Rows<T, U> rows(in, out, scale, face, magnitude != 0);
  parallel_slabs(on, in.size.z * in.size.y, std::max<i64>(1, 16384 / in.size.x),
                 [&](i64 begin, i64 end) { rows.run(begin, end); });
}

template <class T>
void length(On on, View<const T> in, View<T> out) {
  const Size n = out.size;
  if (n.count() == 0) return;
  const i64 count = in.size.z / n.z;
  parallel_slabs(on, n.z * n.y, std::max<i64>(1, 16384 / n.x), [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i)
      for (i64 x = 0; x < n.x; x += simd::lanes<T>) {
        const int lanes = int(std::min<i64>(simd::lanes<T>, n.x - x));
        Vec<T> sum = T(0);
        for (i64 c = 0; c < count; ++c) {
          const auto part = simd::load(in.row(c * n.z + i / n.y, i % n.y) + x, lanes);
          sum += part * part;
        }
        simd::store(out.row(i / n.y, i % n.y) + x, simd::sqrt(sum), lanes);
      }
  });
}

template void gradient(On, View<const u8>, View<f32>, Vec3, f64, i64);
template void gradient(On, View<const i16>, View<f32>, Vec3, f64, i64);
template void gradient(On, View<const u16>, View<f32>, Vec3, f64, i64);
template void gradient(On, View<const i32>, View<f64>, Vec3, f64, i64);
template void gradient(On, View<const f32>, View<f32>, Vec3, f64, i64);
template void gradient(On, View<const f64>, View<f64>, Vec3, f64, i64);
template void length(On, View<const f32>, View<f32>);
template void length(On, View<const f64>, View<f64>);

}  // namespace voxkern::cpu
