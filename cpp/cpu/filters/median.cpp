// Boxes of 3 and 5 go through sorting networks: box_median.hpp; in other large boxes voxels are
// counted: box_rank.cpp. Every other footprint and rank is found by bisection, an output in each
// lane: the answer's bits from the highest down, each by counting how many neighbours lie below,
// until all but one are ruled out.
#include <voxkern/filters/median.hpp>
#include <voxkern/simd.hpp>

#include <cpu/filters/rank.hpp>
#include <cpu/keys.hpp>
#include <cpu/memory.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <map>
#include <vector>

namespace voxkern::cpu {
namespace {

// Keys with a sign wherever they have two bytes or more, so that fewer types need code.
template <class T>
using Signed = std::conditional_t<std::is_same_v<T, u16>, i16, Key<T>>;

template <class T>
Vec<Signed<T>> signed_keys(Vec<T> v) {
  if constexpr (std::is_same_v<T, u16>)
    return simd::bits_as<i16>(v ^ Vec<u16>(u16(0x8000)));
  else
    return as_keys<T>(v);
}
template <class T>
Signed<T> signed_key(T v) {
  return signed_keys(Vec<T>(v))[0];
}

template <class T>
void to_keys(const T* from, Signed<T>* to, i64 n) {
  constexpr i64 L = Vec<T>::lanes;
  i64 i = 0;
  for (; i + L <= n; i += L) simd::store(to + i, signed_keys(simd::load(from + i)));
  if (i < n) simd::store(to + i, signed_keys(simd::load(from + i, int(n - i))), int(n - i));
}
// `past` says to go around the cache.
template <class T>
void from_keys(const Signed<T>* from, T* to, i64 n, bool past) {
  constexpr i64 L = Vec<T>::lanes;
  const auto numbers = [](Vec<Signed<T>> k) {
    if constexpr (std::is_same_v<T, u16>)
      return simd::bits_as<u16>(k) ^ Vec<u16>(u16(0x8000));
    else
      return as_numbers<T>(k);
  };
  i64 i = 0;
  if (past) {
    const i64 ahead = i64(-reinterpret_cast<u64>(to) % simd::bytes / sizeof(T));
    i = std::min(n, ahead);
    if (i > 0) simd::store(to, numbers(simd::load(from, int(i))), int(i));
    for (; i + L <= n; i += L) simd::stream(to + i, numbers(simd::load(from + i)));
  }
  for (; i + L <= n; i += L) simd::store(to + i, numbers(simd::load(from + i)));
  if (i < n) simd::store(to + i, numbers(simd::load(from + i, int(n - i))), int(n - i));
}

template <class T>
KeyImage<Signed<T>> keys_of(View<const T> in, View<T> out, Edge edge, T fill) {
  using K = Signed<T>;
  const auto read = [=](i64 z, i64 y, i64 x, i64 count, K* keys) {
    const i64 zz = inside(z, in.size.z, edge), yy = inside(y, in.size.y, edge);
    if (zz < 0 || yy < 0) {
      std::fill_n(keys, count, signed_key(fill));
      return;
    }
    const T* row = in.row(zz, yy);
    const i64 from = std::clamp<i64>(-x, 0, count), to = std::clamp(in.size.x - x, from, count);
    const auto outside = [&](i64 i) {
      const i64 at = inside(x + i, in.size.x, edge);
      keys[i] = signed_key(at < 0 ? fill : row[at]);
    };
    for (i64 i = 0; i < from; ++i) outside(i);
    to_keys(row + x + from, keys + from, to - from);
    for (i64 i = to; i < count; ++i) outside(i);
  };
  const bool past = out.size.count() * i64(sizeof(T)) >= i64(32) << 20;
  const auto write = [=](i64 z, i64 y, i64 x, i64 count, const K* keys) {
    from_keys(keys, out.row(z, y) + x, count, past);
  };
  if constexpr (sizeof(K) == sizeof(T) && !std::is_same_v<T, u16>) {
    constexpr bool floats = std::is_floating_point_v<T>;
    K outside;
    std::memcpy(&outside, &fill, sizeof fill);
    const bool ordered = fill == fill && outside != std::numeric_limits<K>::min();
    if (!past && (ordered || !floats))
      return {out.size,
              read,
              write,
              {reinterpret_cast<const K*>(in.data), in.size, in.step},
              {reinterpret_cast<K*>(out.data), out.size, out.step},
              edge,
              outside,
              floats};
  }
  return {out.size, read, write};
}

// Boxes of so many voxels and more are sooner counted than bisected.
constexpr i64 many = 64;

// A signed integer that counts neighbours and orders like the key: bytes get room for the count.
template <class K>
using Wide = std::conditional_t<sizeof(K) == 1, i16, K>;

// For each lane the rank-th smallest of n vectors that hold numbers of at most `bits` bits. Keys
// are signed: the bits of the answer are found on the unsigned scale, compared on the signed.
template <class W>
Vec<W> bisect(const Vec<W>* keys, i64 n, i64 rank, int bits) {
  using V = Vec<W>;
  using U = std::make_unsigned_t<W>;
  const bool all_bits = bits == 8 * int(sizeof(W));
  const V flip = all_bits ? std::numeric_limits<W>::min() : W(0);
  V answer = W(0);               // on the unsigned scale
  V under = W(0), over = W(-1);  // how many lie below the answer's range, and below its end
  V end = std::numeric_limits<W>::max();
  for (int bit = bits - 1; bit >= 0; --bit) {
    const V tried = answer | V(W(U(1) << bit));
    const V limit = tried ^ flip;
    V below = W(0);
    for (i64 i = 0; i < n; ++i) below = below - simd::bits_as<W>(keys[i] < limit);
    const auto lower = simd::bits_as<W>(below > V(W(rank)));
    answer = simd::select(lower, answer, tried);
    over = simd::select(lower, below, over);
    end = simd::select(lower, limit, end);
    under = simd::select(lower, under, below);
    // One is left: the least from the answer on, or the greatest below its end.
    const auto least = under == V(W(rank)), most = over == V(W(rank + 1));
    if (bit > 2 && all(least | most)) {
      const V from = answer ^ flip;
      V low = std::numeric_limits<W>::max(), high = std::numeric_limits<W>::min();
      for (i64 i = 0; i < n; ++i) {
        low = min(low, simd::select(simd::bits_as<W>(keys[i] < from), low, keys[i]));
        high = max(high, simd::select(simd::bits_as<W>(keys[i] < end), keys[i], high));
      }
      return simd::select(simd::bits_as<W>(least), low, high);
    }
  }
  return answer ^ flip;
}

// A neighbour: a row of those that are read, and where in it.
struct Neighbour {
  i64 row, dx;
};

template <class W, class K>
void any_rank(On on, const KeyImage<K>& image, List<const i64> offsets, i64 rank) {
  using V = Vec<W>;
  constexpr int bits =
      sizeof(W) > sizeof(K) && std::is_unsigned_v<K> ? 8 * int(sizeof(K)) : 8 * int(sizeof(W));
  const Size size = image.size;
  const i64 n = offsets.size / 3;
  std::map<std::array<i64, 2>, i64> known;
  std::vector<std::array<i64, 2>> rows;
  std::vector<Neighbour> near;
  i64 low = 0, high = 0;
  for (i64 i = 0; i < n; ++i) {
    const std::array<i64, 2> row{offsets[3 * i], offsets[3 * i + 1]};
    const auto [at, added] = known.emplace(row, i64(rows.size()));
    if (added) rows.push_back(row);
    near.push_back({at->second, offsets[3 * i + 2]});
    low = std::min(low, near.back().dx);
    high = std::max(high, near.back().dx);
  }
  constexpr i64 stretch = std::max<i64>(4 * V::lanes, 64);
  const i64 places = stretch + high - low, tiles = (size.x + stretch - 1) / stretch;
  parallel_for(on, size.z * size.y, [&](i64 line) {
    const i64 z = line / size.y, y = line % size.y;
    Scratch<K> row(places);
    Scratch<W> staged(places * i64(rows.size()));
    Scratch<V> keys(n);
    W wide[stretch];
    K found[stretch];
    for (i64 tile = 0; tile < tiles; ++tile) {
      const i64 x0 = tile * stretch, count = std::min(stretch, size.x - x0);
      for (i64 i = 0; i < i64(rows.size()); ++i) {
        image.read(z + rows[i][0], y + rows[i][1], x0 + low, places, row.data());
        std::copy_n(row.begin(), places, staged.begin() + i * places);
      }
      for (i64 x = 0; x < count; x += V::lanes) {
        for (i64 i = 0; i < n; ++i)
          keys[i] = simd::load(staged.data() + near[i].row * places + x + near[i].dx - low);
        simd::store(wide + x, bisect<W>(keys.data(), n, rank, bits));
      }
      std::copy_n(wide, count, found);
      image.write(z, y, x0, count, found);
    }
    simd::stream_fence();
  });
}

}  // namespace

template <class T>
void median(On on, View<const T> in, View<T> out, List<const i64> offsets, Size box, i64 rank,
            Edge edge, T fill) {
  using K = Signed<T>;
  const KeyImage<K> image = keys_of(in, out, edge, fill);
  const bool middle = rank == box.count() / 2 && box.y == box.x;
  if (middle && box.x == 3 && (box.z == 1 || box.z == 3)) return median_3(on, image, box.z);
  if (middle && box.x == 5 && (box.z == 1 || box.z == 5)) return median_5(on, image, box.z);
  if (box.count() >= many && box_rank(on, image, box, {offsets[0], offsets[1], offsets[2]}, rank))
    return;
  if constexpr (sizeof(Wide<K>) == 2)
    if (offsets.size / 3 >= std::numeric_limits<i16>::max())
      return any_rank<i32>(on, image, offsets, rank);
  any_rank<Wide<K>>(on, image, offsets, rank);
}

template void median(On, View<const u8>, View<u8>, List<const i64>, Size, i64, Edge, u8);
template void median(On, View<const i16>, View<i16>, List<const i64>, Size, i64, Edge, i16);
template void median(On, View<const u16>, View<u16>, List<const i64>, Size, i64, Edge, u16);
template void median(On, View<const i32>, View<i32>, List<const i64>, Size, i64, Edge, i32);
template void median(On, View<const f32>, View<f32>, List<const i64>, Size, i64, Edge, f32);
template void median(On, View<const f64>, View<f64>, List<const i64>, Size, i64, Edge, f64);

}  // namespace voxkern::cpu
