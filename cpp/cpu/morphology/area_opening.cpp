// Union-find over the voxels from the highest down (Meijster and Wilkinson 2002,
// https://doi.org/10.1109/34.993556): a region that is large enough is not joined any further.
#include <voxkern/morphology/area_opening.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <limits>
#include <type_traits>
#include <vector>

namespace voxkern::cpu {
namespace {

// The places of n keys from the greatest down, of equal ones the first first: a radix sort.
template <class K, class I>
Scratch<I> from_above(const K* keys, i64 n) {
  using U = std::make_unsigned_t<K>;
  constexpr int digit = sizeof(K) == 1 ? 8 : 11, bits = 8 * int(sizeof(K));
  Scratch<I> order(n), next(bits > digit ? n : 0);
  for (i64 i = 0; i < n; ++i) order[i] = I(i);
  constexpr U flip = std::is_signed_v<K> ? U(std::numeric_limits<K>::max()) : U(~U(0));
  for (int shift = 0; shift < bits; shift += digit) {
    std::vector<i64> start((1 << digit) + 1, 0);
    const auto place = [&](i64 i) { return (U(keys[i]) ^ flip) >> shift & U((1 << digit) - 1); };
    for (i64 i = 0; i < n; ++i) ++start[std::size_t(place(i)) + 1];
    for (std::size_t d = 1; d < start.size(); ++d) start[d] += start[d - 1];
    if (bits > digit) {
      for (i64 i = 0; i < n; ++i) next[start[std::size_t(place(i64(order[i])))]++] = order[i];
      std::swap(order, next);
    } else {
      for (i64 i = 0; i < n; ++i) order[start[std::size_t(place(i))]++] = I(i);
    }
  }
  return order;
}

template <class I>
I root_of(I* parent, I at) {
  I root = at;
  while (parent[root] >= 0) root = parent[root];
  while (parent[at] >= 0) {
    const I next = parent[at];
    parent[at] = root;
    at = next;
  }
  return root;
}

template <class T, class I>
void open(View<const T> x, View<T> y, List<const i64> offsets, i64 area, Key<T> flip) {
  using K = Key<T>;
  const Size n = x.size;
  const i64 count = n.count();
  Scratch<K> keys(count);
  for (i64 z = 0, i = 0; z < n.z; ++z)
    for (i64 r = 0; r < n.y; ++r)
      for (i64 c = 0; c < n.x; ++c) keys[i++] = K(rank_key(x(z, r, c)) ^ flip);
  const auto order = from_above<K, I>(keys.data(), count);
  // A root holds minus the size of its region.
  const I enough = I(std::min<i64>(area, count + 1));
  Scratch<I> parent(count);
  const I unseen = std::numeric_limits<I>::min();
  std::fill(parent.begin(), parent.end(), unseen);
  for (i64 i = 0; i < count; ++i) {
    const I p = order[i];
    parent[p] = -1;
    const i64 c = p % n.x, r = p / n.x % n.y, z = p / n.x / n.y;
    for (i64 o = 0; o + 2 < offsets.size; o += 3) {
      const i64 zz = z + offsets[o], rr = r + offsets[o + 1], cc = c + offsets[o + 2];
      if (zz < 0 || zz >= n.z || rr < 0 || rr >= n.y || cc < 0 || cc >= n.x) continue;
      const I q = I((zz * n.y + rr) * n.x + cc);
      if (parent[q] == unseen) continue;
      const I root = root_of(parent.data(), q);
      if (root == p) continue;
      if (keys[root] == keys[p] || -parent[root] < enough) {
        parent[p] = std::max<I>(parent[p] + parent[root], -enough);
        parent[root] = p;
      } else {
        parent[p] = -enough;
      }
    }
  }
  for (i64 i = count - 1; i >= 0; --i) {
    const I p = order[i];
    if (parent[p] >= 0) keys[p] = keys[parent[p]];
  }
  for (i64 z = 0, i = 0; z < n.z; ++z)
    for (i64 r = 0; r < n.y; ++r)
      for (i64 c = 0; c < n.x; ++c) from_rank_key(K(keys[i++] ^ flip), y(z, r, c));
}

}  // namespace

template <class T>
void area_opening(On, View<const T> x, View<T> y, List<const i64> offsets, i64 area, i64 lower) {
  using K = Key<T>;
  const K flip = lower ? K(~K(0)) : K(0);
  if (x.size.count() < std::numeric_limits<i32>::max())
    open<T, i32>(x, y, offsets, area, flip);
  else
    open<T, i64>(x, y, offsets, area, flip);
}

using Offsets = List<const i64>;
template void area_opening(On, View<const u8>, View<u8>, Offsets, i64, i64);
template void area_opening(On, View<const i16>, View<i16>, Offsets, i64, i64);
template void area_opening(On, View<const u16>, View<u16>, Offsets, i64, i64);
template void area_opening(On, View<const i32>, View<i32>, Offsets, i64, i64);
template void area_opening(On, View<const f32>, View<f32>, Offsets, i64, i64);
template void area_opening(On, View<const f64>, View<f64>, Offsets, i64, i64);

}  // namespace voxkern::cpu
