// The hybrid algorithm (Vincent 1993, https://doi.org/10.1109/83.217222): one raster scan, one scan
// back, and a queue for what is left. Slabs of planes are done so side by side, every other one at
// a time, and again from their border planes until nothing changes. The answer is the one fixed
// point, whoever comes first. Dilation is done on keys; an erosion is one of keys with all bits
// turned.
#include <voxkern/bits.hpp>
#include <voxkern/morphology/reconstruction.hpp>

#include <cpu/keys.hpp>
#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <atomic>
#include <limits>
#include <vector>

namespace voxkern::cpu {
namespace {

struct Step {
  i64 z, y, x;
  bool before() const { return z < 0 || (z == 0 && (y < 0 || (y == 0 && x < 0))); }
};

std::vector<Step> steps_of(List<const i64> offsets) {
  std::vector<Step> steps;
  for (i64 i = 0; i + 2 < offsets.size; i += 3)
    if (offsets[i] || offsets[i + 1] || offsets[i + 2])
      steps.push_back({offsets[i], offsets[i + 1], offsets[i + 2]});
  return steps;
}

template <class T>
class Reconstructor {
  using K = Key<T>;

 public:
  Reconstructor(On on, View<const T> mask, List<const i64> offsets, K flip)
      : on_(on),
        n_(mask.size),
        mask_(mask),
        flip_(flip),
        steps_(steps_of(offsets)),
        value_(n_.count()) {}

  void run(View<const T> seed, View<T> y) {
    each_row([&](i64 z, i64 row) {
      const T* from = seed.row(z, row);
      K* to = at(z, row);
      for (i64 x = 0; x < n_.x; ++x) to[x] = key(from[x]);
    });
    const i64 slabs = std::clamp<i64>(on_.threads == 1 ? 1 : 4 * on_.threads, 1, (n_.z + 3) / 4);
    std::vector<u8> changed(std::size_t(slabs), 1);
    for (bool first = true;; first = false) {
      std::vector<u8> now(std::size_t(slabs), 0);
      for (i64 odd = 0; odd < 2; ++odd)
        parallel_for(on_, (slabs + 1 - odd) / 2, [&](i64 i) {
          const i64 s = 2 * i + odd, from = s * n_.z / slabs, to = (s + 1) * n_.z / slabs;
          const auto beside = [&](i64 other) {
            return 0 <= other && other < slabs &&
                   (changed[std::size_t(other)] || (odd && now[std::size_t(other)]));
          };
          if (first)
            now[std::size_t(s)] = scan(from, to);
          else if (beside(s - 1) || beside(s + 1))
            now[std::size_t(s)] = settle(from, to, true);
        });
      if (slabs == 1 || std::none_of(now.begin(), now.end(), [](u8 c) { return c; })) break;
      changed = now;
    }
    each_row([&](i64 z, i64 row) {
      const K* from = at(z, row);
      T* to = y.row(z, row);
      for (i64 x = 0; x < n_.x; ++x) from_rank_key(K(from[x] ^ flip_), to[x]);
    });
  }

 private:
  const On on_;
  const Size n_;
  const View<const T> mask_;
  const K flip_;
  const std::vector<Step> steps_;
  Scratch<K> value_;

  K key(T v) const { return K(rank_key(v) ^ flip_); }
  K* at(i64 z, i64 y) const { return value_.data() + (z * n_.y + y) * n_.x; }

  template <class F>
  void each_row(F task) const {
    parallel_slabs(on_, n_.z * n_.y, std::max<i64>(1, 65536 / n_.x), [&](i64 begin, i64 end) {
      for (i64 row = begin; row < end; ++row) task(row / n_.y, row % n_.y);
    });
  }

  // line[x] becomes the greatest of itself and the neighbours of x that `which` picks.
  template <class F>
  void gather(i64 z, i64 y, K* line, F which) const {
    for (const Step& s : steps_) {
      if (!which(s) || z + s.z < 0 || z + s.z >= n_.z || y + s.y < 0 || y + s.y >= n_.y) continue;
      const K* row = at(z + s.z, y + s.y) + s.x;
      const i64 from = std::max<i64>(0, -s.x), to = std::min(n_.x, n_.x - s.x);
      for (i64 x = from; x < to; ++x) line[x] = std::max(line[x], row[x]);
    }
  }
  void limits(i64 z, i64 y, K* line) const {
    const T* row = mask_.row(z, y);
    for (i64 x = 0; x < n_.x; ++x) line[x] = key(row[x]);
  }

  bool scan(i64 from, i64 to) {
    const bool along = std::any_of(steps_.begin(), steps_.end(),
                                   [](const Step& s) { return !s.z && !s.y && s.x; });
    Scratch<K> limit(n_.x);
    for (i64 row = from * n_.y; row < to * n_.y; ++row) {
      const i64 z = row / n_.y, y = row % n_.y;
      K* line = at(z, y);
      limits(z, y, limit.data());
      gather(z, y, line,
             [&](const Step& s) { return s.before() && (s.z || s.y) && z + s.z >= from; });
      K last = std::numeric_limits<K>::min();
      for (i64 x = 0; x < n_.x; ++x) {
        const K best = along ? std::max(line[x], last) : line[x];
        line[x] = last = std::min(best, limit[x]);
      }
    }
    for (i64 row = to * n_.y - 1; row >= from * n_.y; --row) {
      const i64 z = row / n_.y, y = row % n_.y;
      K* line = at(z, y);
      limits(z, y, limit.data());
      gather(z, y, line,
             [&](const Step& s) { return !s.before() && (s.z || s.y) && z + s.z < to; });
      K last = std::numeric_limits<K>::min();
      for (i64 x = n_.x - 1; x >= 0; --x) {
        const K best = along ? std::max(line[x], last) : line[x];
        line[x] = last = std::min(best, limit[x]);
      }
    }
    settle(from, to, false);
    return true;
  }

  // Raises what neighbours can still raise, until nothing changes: all rows of a slab are looked
  // at, or those of its border planes with what lies beyond.
  bool settle(i64 from, i64 to, bool borders) {
    std::vector<i64> queue;
    Scratch<K> limit(n_.x), line(n_.x);
    for (i64 z = from; z < to; ++z) {
      if (borders && z != from && z != to - 1) continue;
      for (i64 y = 0; y < n_.y; ++y) {
        limits(z, y, limit.data());
        K* here = at(z, y);
        std::copy_n(here, n_.x, line.begin());
        gather(z, y, line.data(),
               [&](const Step& s) { return borders || (from <= z + s.z && z + s.z < to); });
        for (i64 x = 0; x < n_.x; ++x) {
          const K best = std::min(line[x], limit[x]);
          if (best > here[x]) {
            here[x] = best;
            queue.push_back((z * n_.y + y) * n_.x + x);
          }
        }
      }
    }
    const bool changed = !queue.empty();
    std::vector<i64> next;
    for (; !queue.empty(); queue.swap(next), next.clear())
      for (const i64 p : queue) {
        const i64 x = p % n_.x, y = p / n_.x % n_.y, z = p / n_.x / n_.y;
        const K value = value_[p];
        for (const Step& s : steps_) {
          const i64 zz = z + s.z, yy = y + s.y, xx = x + s.x;
          if (zz < from || zz >= to || yy < 0 || yy >= n_.y || xx < 0 || xx >= n_.x) continue;
          K& other = at(zz, yy)[xx];
          if (value <= other) continue;
          const K best = std::min(value, key(mask_(zz, yy, xx)));
          if (best > other) {
            other = best;
            next.push_back((zz * n_.y + yy) * n_.x + xx);
          }
        }
      }
    return changed;
  }
};

}  // namespace

template <class T>
void reconstruction(On on, View<const T> seed, View<const T> mask, View<T> y,
                    List<const i64> offsets, i64 lower) {
  using K = Key<T>;
  Reconstructor<T>(on, mask, offsets, lower ? K(~K(0)) : K(0)).run(seed, y);
}

template <class T>
void local_extrema(On on, View<const T> x, View<u8> y, List<const i64> offsets, i64 lower,
                   i64 borders) {
  using K = Key<T>;
  const Size n = x.size;
  const K flip = lower ? K(~K(0)) : K(0);
  const std::vector<Step> steps = steps_of(offsets);
  const auto key = [&](i64 z, i64 row, i64 column) {
    return K(rank_key(x(z, row, column)) ^ flip);
  };
  const auto at_end = [](i64 i, i64 size) { return size > 1 && (i == 0 || i == size - 1); };
  // 1: may be one. 0: has a higher neighbour, or lies at the end.
  parallel_slabs(on, n.z * n.y, std::max<i64>(1, 16384 / n.x), [&](i64 begin, i64 end) {
    for (i64 line = begin; line < end; ++line) {
      const i64 z = line / n.y, row = line % n.y;
      u8* out = y.row(z, row);
      std::vector<const T*> there;  // beside the row's first voxel
      std::vector<const Step*> inner;
      for (const Step& s : steps) {
        if (z + s.z < 0 || z + s.z >= n.z || row + s.y < 0 || row + s.y >= n.y) continue;
        there.push_back(x.row(z + s.z, row + s.y) + s.x);
        inner.push_back(&s);
      }
      const T* here = x.row(z, row);
      const auto one = [&](i64 c) {
        bool highest = true;
        for (std::size_t i = 0; i < there.size(); ++i)
          if (c + inner[i]->x >= 0 && c + inner[i]->x < n.x)
            highest &= K(rank_key(there[i][c]) ^ flip) <= K(rank_key(here[c]) ^ flip);
        out[c] = highest;
      };
      using V = Vec<K>;
      i64 c = 0;
      for (; c < std::min<i64>(1, n.x); ++c) one(c);
      for (; c + V::lanes < n.x; c += V::lanes) {
        const V own = as_keys<T>(simd::load(here + c)) ^ V(flip);
        V most = own;
        for (const T* p : there) most = max(most, as_keys<T>(simd::load(p + c)) ^ V(flip));
        const u64 highest = simd::bits(most == own);
        for (int b = 0; b < V::lanes; b += 8)
          std::memcpy(out + c + b, &bits::bytes_of[highest >> b & 255], least(V::lanes - b, 8));
      }
      for (; c < n.x; ++c) one(c);
      if (borders) continue;
      if (at_end(z, n.z) || at_end(row, n.y)) std::fill_n(out, n.x, u8(0));
      if (n.x > 1) out[0] = out[n.x - 1] = 0;
    }
  });
  // What hangs together with a 0 at the same height is none either. Few voxels may still be one.
  std::vector<Size> queue;
  const auto each_like = [&](Size p, auto f) {
    const K here = key(p.z, p.y, p.x);
    for (const Step& s : steps) {
      const Size q{p.z + s.z, p.y + s.y, p.x + s.x};
      if (q.z < 0 || q.z >= n.z || q.y < 0 || q.y >= n.y || q.x < 0 || q.x >= n.x) continue;
      if (key(q.z, q.y, q.x) == here) f(q, y(q.z, q.y, q.x));
    }
  };
  bool any_zero = false;
  for (i64 z = 0; z < n.z; ++z)
    for (i64 row = 0; row < n.y; ++row) {
      u8* const out = y.row(z, row);
      any_zero = any_zero || std::find(out, out + n.x, u8(0)) != out + n.x;
      for (u8* at = std::find(out, out + n.x, u8(1)); at != out + n.x;
           at = std::find(at + 1, out + n.x, u8(1))) {
        const Size p{z, row, at - out};
        bool beside_zero = false;
        each_like(p, [&](Size, u8 flag) { beside_zero |= !flag; });
        if (!beside_zero) continue;
        *at = 0;
        for (queue.push_back(p); !queue.empty();) {
          const Size from = queue.back();
          queue.pop_back();
          each_like(from, [&](Size q, u8& flag) {
            if (flag) queue.push_back(q);
            flag = 0;
          });
        }
      }
    }
  if (!any_zero)
    for (i64 z = 0; z < n.z; ++z)
      for (i64 row = 0; row < n.y; ++row) std::fill_n(y.row(z, row), n.x, u8(0));
}

using Offsets = List<const i64>;
template void reconstruction(On, View<const u8>, View<const u8>, View<u8>, Offsets, i64);
template void reconstruction(On, View<const i16>, View<const i16>, View<i16>, Offsets, i64);
template void reconstruction(On, View<const u16>, View<const u16>, View<u16>, Offsets, i64);
template void reconstruction(On, View<const i32>, View<const i32>, View<i32>, Offsets, i64);
template void reconstruction(On, View<const f32>, View<const f32>, View<f32>, Offsets, i64);
template void reconstruction(On, View<const f64>, View<const f64>, View<f64>, Offsets, i64);

template void local_extrema(On, View<const u8>, View<u8>, Offsets, i64, i64);
template void local_extrema(On, View<const i16>, View<u8>, Offsets, i64, i64);
template void local_extrema(On, View<const u16>, View<u8>, Offsets, i64, i64);
template void local_extrema(On, View<const i32>, View<u8>, Offsets, i64, i64);
template void local_extrema(On, View<const f32>, View<u8>, Offsets, i64, i64);
template void local_extrema(On, View<const f64>, View<u8>, Offsets, i64, i64);

}  // namespace voxkern::cpu
