// Cholesky's decomposition within the envelope: of each row from its first number that is not zero.
#include <voxkern/filters/mend.hpp>
#include <voxkern/simd.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace voxkern::cpu {
namespace {

f64 dot(const f64* a, const f64* b, i64 n) {
  using V = Vec<f64>;
  constexpr int L = V::lanes;
  V sum[2] = {f64(0), f64(0)};
  i64 i = 0;
  for (; i + 2 * L <= n; i += 2 * L)
    for (int k = 0; k < 2; ++k)
      sum[k] = simd::fma(simd::load(a + i + k * L), simd::load(b + i + k * L), sum[k]);
  for (; i < n; i += L) {
    const int rest = int(std::min<i64>(L, n - i));
    sum[0] = simd::fma(simd::load(a + i, rest), simd::load(b + i, rest), sum[0]);
  }
  return simd::reduce_sum(sum[0] + sum[1]);
}

// Calls add(place, weight) for the voxels that make up the Laplacian at `at`, itself first.
template <class F>
void laplacian(Size n, i64 at, f64 weight, F add) {
  const i64 x = at % n.x, y = at / n.x % n.y, z = at / n.x / n.y;
  const i64 plane = n.x * n.y;
  const i64 near[] = {z > 0 ? -plane : 0,    z + 1 < n.z ? plane : 0, y > 0 ? -n.x : 0,
                      y + 1 < n.y ? n.x : 0, x > 0 ? -1 : 0,          x + 1 < n.x ? 1 : 0};
  f64 neighbours = 0;
  for (i64 by : near) neighbours += by != 0;
  add(at, weight * neighbours);
  for (i64 by : near)
    if (by) add(at + by, -weight);
}

template <class F>
void equation(Size n, i64 at, bool bent, F add) {
  if (bent)
    laplacian(n, at, 1, [&](i64 near, f64 weight) { laplacian(n, near, weight, add); });
  else
    laplacian(n, at, 1, add);
}

}  // namespace

template <class T>
void mend(On on, View<const T> x, List<const i32> number, List<const i64> places,
          List<const i64> starts, i64 bent, i64 most, List<f64> filled, List<i64> done) {
  const Size size = x.size;
  parallel_for(on, starts.size - 1, [&](i64 hole) {
    const i64* at = places.data + starts[hole];
    f64* u = filled.data + starts[hole];
    const i64 n = starts[hole + 1] - starts[hole];
    // Where each row begins in `matrix`, less the number of its first column.
    std::vector<i64> first(size_t(n), 0), row(size_t(n), 0);
    i64 room = 0, products = 0;
    for (i64 i = 0; i < n; ++i) {
      i64 least = i;
      equation(size, at[i], bent, [&](i64 place, f64) {
        if (number[place] >= 0) least = std::min<i64>(least, number[place]);
      });
      first[size_t(i)] = least;
      row[size_t(i)] = room - least;
      room += i - least + 1;
      products += (i - least + 1) * (i - least + 1);
    }
    done[hole] = products <= most;
    if (products > most) return;

    Scratch<f64> matrix(room);
    std::fill(matrix.begin(), matrix.end(), 0.0);
    for (i64 i = 0; i < n; ++i) {
      u[i] = 0;
      equation(size, at[i], bent, [&](i64 place, f64 weight) {
        const i64 j = number[place];
        if (j < 0)
          u[i] -= weight * f64(x(place / size.x / size.y, place / size.x % size.y, place % size.x));
        else if (j <= i)
          matrix[row[size_t(i)] + j] += weight;
      });
    }
    for (i64 i = 0; i < n; ++i) {
      f64* mine = matrix.data() + row[size_t(i)];
      const i64 begin = first[size_t(i)];
      for (i64 j = begin; j < i; ++j) {
        const f64* other = matrix.data() + row[size_t(j)];
        const i64 from = std::max(begin, first[size_t(j)]);
        mine[j] = (mine[j] - dot(mine + from, other + from, j - from)) * other[j];
      }
      mine[i] = 1 / std::sqrt(mine[i] - dot(mine + begin, mine + begin, i - begin));
      u[i] = (u[i] - dot(mine + begin, u + begin, i - begin)) * mine[i];
    }
    for (i64 i = n - 1; i >= 0; --i) {
      const f64* mine = matrix.data() + row[size_t(i)];
      u[i] *= mine[i];
      for (i64 j = first[size_t(i)]; j < i; ++j) u[j] -= mine[j] * u[i];
    }
  });
}

#define MEND(T)                                                                                    \
  template void mend<T>(On, View<const T>, List<const i32>, List<const i64>, List<const i64>, i64, \
                        i64, List<f64>, List<i64>);
MEND(u8)
MEND(i16)
MEND(u16)
MEND(i32)
MEND(f32)
MEND(f64)
#undef MEND

}  // namespace voxkern::cpu
