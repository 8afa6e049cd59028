// The hybrid algorithm (Vincent 1993, https://doi.org/10.1109/83.217222): a raster scan, a scan
// back, the same again while many voxels rise, and a queue for what is left. Slabs of planes are
// done so side by side, every other one at a time, and again from their border planes until nothing
// changes. The answer is the one fixed point, whoever comes first. Dilation is done on keys; an
// erosion is one of keys with all bits turned.
#include <voxkern/bits.hpp>
#include <voxkern/morphology/reconstruction.hpp>

#include <cpu/keys.hpp>
#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <map>
#include <type_traits>
#include <utility>
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
        across_(n_.x + 2),
        plane_((n_.y + 2) * across_),
        value_(n_.z * plane_) {}

  void run(View<const T> seed, View<T> y) {
    each_row([&](i64 z, i64 row) {
      const T* from = seed.row(z, row);
      K* to = at(z, row);
      const i64 nx = n_.x;  // bytes that are written might be anything that is not a local
      const K flip = flip_;
      for (i64 x = 0; x < nx; ++x) to[x] = K(rank_key(from[x]) ^ flip);
      to[-1] = to[nx] = highest;
    });
    for (i64 z = 0; z < n_.z; ++z)
      for (i64 row : {i64(-1), n_.y}) std::fill_n(at(z, row) - 1, across_, highest);
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
            now[std::size_t(s)] = settle(from, to);
        });
      if (slabs == 1 || std::none_of(now.begin(), now.end(), [](u8 c) { return c; })) break;
      changed = now;
    }
    each_row([&](i64 z, i64 row) {
      const K* from = at(z, row);
      T* to = y.row(z, row);
      const i64 nx = n_.x;
      const K flip = flip_;
      for (i64 x = 0; x < nx; ++x) from_rank_key(K(from[x] ^ flip), to[x]);
    });
  }

 private:
  const On on_;
  const Size n_;
  const View<const T> mask_;
  const K flip_;
  const std::vector<Step> steps_;
  // Planes have a margin that nothing can raise, so that the queue asks for no borders.
  static constexpr K highest = std::numeric_limits<K>::max();
  const i64 across_, plane_;
  Scratch<K> value_;

  K key(T v) const { return K(rank_key(v) ^ flip_); }
  K* at(i64 z, i64 y) const { return value_.data() + z * plane_ + (y + 1) * across_ + 1; }

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
    const i64 nx = n_.x;
    const K flip = flip_;
    for (i64 x = 0; x < nx; ++x) line[x] = K(rank_key(row[x]) ^ flip);
  }

  bool scan(i64 from, i64 to) {
    // Beyond this, scanning all once more costs less than the queue.
    const std::size_t many = std::size_t((to - from) * n_.y * n_.x / 128);
    std::vector<i64> queue;
    for (int turn = 0; turn < 16; ++turn) {
      sweep<true>(from, to);
      sweep<false>(from, to);
      queue.clear();
      raise(from, to, false, queue);
      if (queue.size() <= many) break;
    }
    spread(from, to, queue);
    return true;
  }

  template <bool forward>
  void sweep(i64 from, i64 to) {
    const bool along = std::any_of(steps_.begin(), steps_.end(),
                                   [](const Step& s) { return !s.z && !s.y && s.x; });
    Scratch<K> limit(n_.x);
    for (i64 i = 0; i < (to - from) * n_.y; ++i) {
      const i64 row = forward ? from * n_.y + i : to * n_.y - 1 - i, z = row / n_.y, y = row % n_.y;
      K* line = at(z, y);
      limits(z, y, limit.data());
      gather(z, y, line, [&](const Step& s) {
        return s.before() == forward && (s.z || s.y) && from <= z + s.z && z + s.z < to;
      });
      const i64 nx = n_.x;
      const K* most = limit.data();
      K last = std::numeric_limits<K>::min();
      for (i64 c = 0; c < nx; ++c) {
        const i64 x = forward ? c : nx - 1 - c;
        const K best = along ? std::max(line[x], last) : line[x];
        line[x] = last = std::min(best, most[x]);
      }
    }
  }

  // Raises what neighbours can still raise, until nothing changes: in the border planes of a slab,
  // by what lies beyond.
  bool settle(i64 from, i64 to) {
    std::vector<i64> queue;
    raise(from, to, true, queue);
    const bool changed = !queue.empty();
    spread(from, to, queue);
    return changed;
  }

  // Raises every voxel once, all of a slab by each other or those of its border planes by all
  // around, and lists what rose.
  void raise(i64 from, i64 to, bool borders, std::vector<i64>& queue) {
    const i64 nx = n_.x;
    Scratch<K> limit(nx), line(nx);
    for (i64 z = from; z < to; ++z) {
      if (borders && z != from && z != to - 1) continue;
      for (i64 y = 0; y < n_.y; ++y) {
        limits(z, y, limit.data());
        K* here = at(z, y);
        std::copy_n(here, n_.x, line.begin());
        gather(z, y, line.data(),
               [&](const Step& s) { return borders || (from <= z + s.z && z + s.z < to); });
        const i64 start = here - value_.data();
        for (i64 x = 0; x < nx; x += Vec<K>::lanes) {
          const int some = int(std::min<i64>(Vec<K>::lanes, nx - x));
          const Vec<K> best =
              min(simd::load(line.data() + x, some), simd::load(limit.data() + x, some));
          u64 rose = simd::bits(best > simd::load(here + x, some)) & bits::first(some);
          if (!rose) continue;
          simd::store(here + x, max(best, simd::load(here + x, some)), some);
          for (; rose; rose &= rose - 1) queue.push_back(start + x + bits::lowest(rose));
        }
      }
    }
  }

  void spread(i64 from, i64 to, std::vector<i64>& queue) {
    std::vector<i64> ways, next;
    for (const Step& s : steps_) ways.push_back(s.z * plane_ + s.y * across_ + s.x);
    const u64 start = u64(from * plane_), size = u64((to - from) * plane_);
    for (; !queue.empty(); queue.swap(next), next.clear())
      for (const i64 p : queue) {
        const K value = value_[p];
        for (const i64 way : ways) {
          const i64 q = p + way;
          if (u64(q) - start >= size || value <= value_[q]) continue;
          const i64 z = q / plane_, y = q % plane_ / across_ - 1, x = q % plane_ % across_ - 1;
          const K best = std::min(value, key(mask_(z, y, x)));
          if (best <= value_[q]) continue;
          value_[q] = best;
          next.push_back(q);
        }
      }
  }
};

}  // namespace

template <class T>
void reconstruction(On on, View<const T> seed, View<const T> mask, View<T> y,
                    List<const i64> offsets, i64 lower) {
  using K = Key<T>;
  Reconstructor<T>(on, mask, offsets, lower ? K(~K(0)) : K(0)).run(seed, y);
}

namespace {

// Which order a search for extrema has: what beats a value, and what is level with it.
template <class T, bool lower>
struct Order {
  using V = Vec<T>;
  using M = typename V::Mask;

  // Lanes that q beats. NaN is the highest of all.
  static M beats(V q, V own, M number) {
    if constexpr (!std::is_floating_point_v<T>)
      return lower ? q < own : q > own;
    else if constexpr (lower)
      return (q < own) | (~number & (q == q));
    else
      return ~(q <= own) & number;
  }
  static M level(V q, V own, M number) {
    if constexpr (!std::is_floating_point_v<T>)
      return q == own;
    else
      return (q == own) | (~number & (q != q));
  }
  static bool beats(T q, T own) {
    if (lower) return q < own || (own != own && q == q);
    return q > own || (q != q && own == own);
  }
  static bool level(T q, T own) { return q == own || (q != q && own != own); }
};

constexpr u8 beaten = 0, single = 1, plateau = 2;

// Rows around a voxel's: of some the voxel beside it is a neighbour, of others also those before
// and behind that one.
template <class T, bool lower>
class Around {
  using V = Vec<T>;

 public:
  Around(View<const T> x, const std::vector<Step>& steps)
      : x_(x), line_(x.size.x + 2), best_(x.size.x) {
    std::map<std::pair<i64, i64>, int> rows;
    for (const Step& s : steps) {
      if (s.x < -1 || s.x > 1) return;
      rows[{s.z, s.y}] |= 1 << (s.x + 1);
    }
    if (rows.count({0, 0})) rows[{0, 0}] |= 2;
    for (const auto& [at, which] : rows) {
      if (which != 2 && which != 7) return;
      (which == 2 ? ones_ : threes_).push_back({at.first, at.second, 0});
    }
    known_ = !threes_.empty() && x.size.x >= V::lanes;
  }

  // The highest, or the lowest, of each voxel of a row and its neighbours; null if there is NaN, or
  // the neighbours are others.
  const T* best(i64 z, i64 y) {
    if (!known_) return nullptr;
    T* const line = line_.data();
    find(threes_, z, y);
    bool nan = sweep(line + 1, [&](i64 c, auto add) {
      add(simd::load(x_.row(z, y) + c));
      for (const T* p : rows_) add(simd::load(p + c));
    });
    line[0] = line[1];
    line[x_.size.x + 1] = line[x_.size.x];
    find(ones_, z, y);
    nan |= sweep(best_.data(), [&](i64 c, auto add) {
      for (i64 i = 0; i < 3; ++i) add(simd::load(line + c + i));
      for (const T* p : rows_) add(simd::load(p + c));
    });
    return nan ? nullptr : best_.data();
  }

 private:
  const View<const T> x_;
  bool known_ = false;
  std::vector<Step> ones_, threes_;
  std::vector<const T*> rows_;
  Scratch<T> line_, best_;

  // Writes the best of what `each` adds for the voxels from c on; returns whether any was NaN.
  template <class F>
  bool sweep(T* out, F each) const {
    using Limits = std::numeric_limits<T>;
    constexpr T least = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
    constexpr T most = Limits::has_infinity ? Limits::infinity() : Limits::max();
    typename V::Mask nan(0);
    for (i64 from = 0; from < x_.size.x; from += V::lanes) {
      const i64 c = std::min(from, x_.size.x - V::lanes);
      V all = lower ? most : least;
      typename V::Mask not_one(0);
      each(c, [&](V v) {
        if constexpr (std::is_floating_point_v<T>) not_one |= v != v;
        all = lower ? min(all, v) : max(all, v);
      });
      simd::store(out + c, all);
      nan |= not_one;
    }
    return simd::bits(nan) != 0;
  }

  void find(const std::vector<Step>& steps, i64 z, i64 y) {
    rows_.clear();
    for (const Step& s : steps)
      if (0 <= z + s.z && z + s.z < x_.size.z && 0 <= y + s.y && y + s.y < x_.size.y)
        rows_.push_back(x_.row(z + s.z, y + s.y));
  }
};

// Finds out which voxels of a row have no higher neighbour, and which of these one as high.
// `there` are the rows around, each from the neighbour of the first voxel on, and `by` how far
// that is along the row. `best` is what Around says of the row.
template <class T, bool lower>
void mark(const T* here, const std::vector<const T*>& there, const std::vector<i64>& by,
          const T* best, i64 n, u8* out) {
  using O = Order<T, lower>;
  using V = Vec<T>;
  using M = typename V::Mask;
  const auto one = [&](i64 c) {
    bool beats = best && O::beats(best[c], here[c]), level = false;
    for (std::size_t i = 0; i < there.size() && !beats; ++i) {
      if (c + by[i] < 0 || c + by[i] >= n) continue;
      beats = O::beats(there[i][c], here[c]);
      level |= O::level(there[i][c], here[c]);
    }
    out[c] = beats ? beaten : level ? plateau : single;
  };
  const auto many = [&](i64 c) {
    const V own = simd::load(here + c);
    const M number = own == own;
    M beats = M(0);
    if (best)
      beats = O::beats(simd::load(best + c), own, number);
    else
      for (const T* p : there) beats |= O::beats(simd::load(p + c), own, number);
    const u64 highest = simd::bits(~beats);
    u64 shared = 0;
    if (highest && best)
      for (const T* p : there) shared |= simd::bits(simd::load(p + c) == own);
    else if (highest)
      for (const T* p : there) shared |= simd::bits(O::level(simd::load(p + c), own, number));
    shared &= highest;
    for (int b = 0; b < V::lanes; b += 8) {
      const u64 flags = bits::bytes_of[highest >> b & 255] + bits::bytes_of[shared >> b & 255];
      std::memcpy(out + c + b, &flags, least(V::lanes - b, 8));
    }
  };
  if (n < V::lanes + 2) {
    for (i64 c = 0; c < n; ++c) one(c);
    return;
  }
  one(0);
  for (i64 c = 1; c + V::lanes < n; c += V::lanes) many(c);
  many(n - 1 - V::lanes);
  one(n - 1);
}

template <class T, bool lower>
void find_extrema(On on, View<const T> x, View<u8> y, const std::vector<Step>& steps,
                  bool borders) {
  const Size n = x.size;
  const i64 grain = std::max<i64>(1, 16384 / n.x);
  const auto at_end = [](i64 i, i64 size) { return size > 1 && (i == 0 || i == size - 1); };
  const auto each_row = [&](auto f) {
    parallel_slabs(on, n.z * n.y, grain, [&](i64 begin, i64 end) {
      for (i64 row = begin; row < end; ++row) f(row / n.y, row % n.y);
    });
  };
  std::atomic<bool> any_beaten{false};
  Scratch<u8> has_plateau(n.z * n.y);
  parallel_slabs(on, n.z * n.y, grain, [&](i64 begin, i64 end) {
    Around<T, lower> around(x, steps);
    std::vector<const T*> there;
    std::vector<i64> by;
    for (i64 i = begin; i < end; ++i) {
      const i64 z = i / n.y, row = i % n.y;
      there.clear();
      by.clear();
      for (const Step& s : steps) {
        if (z + s.z < 0 || z + s.z >= n.z || row + s.y < 0 || row + s.y >= n.y) continue;
        there.push_back(x.row(z + s.z, row + s.y) + s.x);
        by.push_back(s.x);
      }
      u8* out = y.row(z, row);
      mark<T, lower>(x.row(z, row), there, by, around.best(z, row), n.x, out);
      if (!borders) {
        if (at_end(z, n.z) || at_end(row, n.y)) std::fill_n(out, n.x, beaten);
        if (n.x > 1) out[0] = out[n.x - 1] = beaten;
      }
      if (std::memchr(out, beaten, std::size_t(n.x))) any_beaten = true;
      has_plateau[i] = std::memchr(out, plateau, std::size_t(n.x)) != nullptr;
    }
  });
  if (!any_beaten) return each_row([&](i64 z, i64 row) { std::fill_n(y.row(z, row), n.x, u8(0)); });
  // What hangs together at one height with what is beaten is so too. Few voxels lie so.
  std::vector<Size> queue;
  const auto each_like = [&](Size p, u8 flag, auto f) {
    const T here = x(p.z, p.y, p.x);
    for (const Step& s : steps) {
      const Size q{p.z + s.z, p.y + s.y, p.x + s.x};
      if (q.z < 0 || q.z >= n.z || q.y < 0 || q.y >= n.y || q.x < 0 || q.x >= n.x) continue;
      if (y(q.z, q.y, q.x) == flag && Order<T, lower>::level(x(q.z, q.y, q.x), here)) f(q);
    }
  };
  for (i64 z = 0; z < n.z; ++z)
    for (i64 row = 0; row < n.y; ++row) {
      if (!has_plateau[z * n.y + row]) continue;
      for (i64 w = 0; w < bits::words(n.x); ++w) {
        u8* const out = y.row(z, row) + w * bits::width;
        const int some = bits::voxels_in(w, n.x);
        for (u64 set = ~bits::differs(out, some, plateau) & bits::first(some); set;
             set &= set - 1) {
          const int i = bits::lowest(set);
          if (out[i] != plateau) continue;
          const Size p{z, row, w * bits::width + i};
          bool lost = false;
          each_like(p, beaten, [&](Size) { lost = true; });
          if (!lost) continue;
          out[i] = beaten;
          for (queue.push_back(p); !queue.empty();) {
            const Size from = queue.back();
            queue.pop_back();
            each_like(from, plateau, [&](Size q) {
              y(q.z, q.y, q.x) = beaten;
              queue.push_back(q);
            });
          }
        }
      }
    }
  each_row([&](i64 z, i64 row) {
    if (!has_plateau[z * n.y + row]) return;
    u8* out = y.row(z, row);
    for (i64 i = 0; i < n.x; ++i) out[i] = out[i] != beaten;
  });
}

}  // namespace

template <class T>
void local_extrema(On on, View<const T> x, View<u8> y, List<const i64> offsets, i64 lower,
                   i64 borders) {
  const std::vector<Step> steps = steps_of(offsets);
  if (lower)
    find_extrema<T, true>(on, x, y, steps, borders != 0);
  else
    find_extrema<T, false>(on, x, y, steps, borders != 0);
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
