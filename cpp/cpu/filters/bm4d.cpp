// Distances are of a row of cubes at a time, a lane each; spectra are of all cubes of a group at
// once, a lane each too. Nothing is fused, and sums have one order, so that which cubes are alike
// and what is cut off do not depend on the machine.
#include <voxkern/filters/bm4d.hpp>
#include <voxkern/simd.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>

namespace voxkern::cpu {

namespace {

constexpr int side = 4, cube = side * side * side, largest = 32;

// The cubes of a group, and their spectrum: `of` has a row for each voxel of a cube.
template <class T>
struct Group {
  alignas(64) T of[cube * largest];

  void read(View<const T> x, const Size* place, int count) {
    for (int m = 0; m < count; ++m)
      for (int row = 0; row < side * side; ++row) {
        const T* from = x.row(place[m].z + row / side, place[m].y + row % side) + place[m].x;
        std::copy(from, from + side, cubes + m * cube + row * side);
      }
  }
  // Haar's wavelet across cubes, whose mean comes first, and `basis` along the axes of each.
  void transform(int count, const T* basis) {
    for (int by = 1; by < count; by *= 2) pairs(count, by);
    for (int m = 0; m < count; ++m)
      for (int p = 0; p < cube; ++p) of[p * largest + m] = cubes[m * cube + p];
    for (int by = side * side; by > 0; by /= side) along(count, by, basis);
  }
  void restore(int count, const T* basis) {
    for (int by = 1; by < cube; by *= side) along(count, by, basis);
    for (int m = 0; m < count; ++m)
      for (int p = 0; p < cube; ++p) cubes[m * cube + p] = of[p * largest + m];
    for (int by = count / 2; by > 0; by /= 2) pairs(count, by);
  }
  const T* row(int m, int n) const { return cubes + m * cube + n * side; }

 private:
  alignas(64) T cubes[largest * cube] = {};

  void pairs(int count, int by) {
    constexpr T share = T(0.70710678118654752);
    for (int m = 0; m < count; ++m) {
      if (m & by) continue;
      T *first = cubes + m * cube, *second = first + by * cube;
      for (int p = 0; p < cube; ++p) {
        const T a = first[p], b = second[p];
        first[p] = share * (a + b);
        second[p] = share * (a - b);
      }
    }
  }
  void along(int count, int by, const T* basis) {
    for (int p = 0; p < cube; ++p) {
      if (p / by % side) continue;
      T* fibre = of + p * largest;
      if (count >= Vec<T>::lanes)
        for (int m = 0; m < count; m += Vec<T>::lanes) multiply<Vec<T>>(fibre + m, by, basis);
      else
        for (int m = 0; m < count; ++m) multiply<T>(fibre + m, by, basis);
    }
  }
  template <class N>
  static void multiply(T* at, int by, const T* basis) {
    N v[side];
    for (int i = 0; i < side; ++i) get(v[i], at + i * by * largest);
    for (int k = 0; k < side; ++k) {
      N sum = N(basis[side * k]) * v[0];
      for (int i = 1; i < side; ++i) sum = sum + N(basis[side * k + i]) * v[i];
      put(at + k * by * largest, sum);
    }
  }
  static void get(T& v, const T* at) { v = *at; }
  static void get(Vec<T>& v, const T* at) { v = simd::load(at); }
  static void put(T* at, T v) { *at = v; }
  static void put(T* at, Vec<T> v) { simd::store(at, v); }
};

struct Range {
  i64 from, to;
};

// A copy of an image with room behind its rows for a vector to run into.
template <class T>
struct Wide {
  i64 rows, pitch;
  Scratch<T> data;

  Wide(On on, View<const T> x)
      : rows(x.size.y), pitch(x.size.x + 16), data(x.size.z * x.size.y * pitch + 16) {
    parallel_for(on, x.size.z, [&](i64 z) {
      for (i64 y = 0; y < rows; ++y) {
        T* to = data.data() + (z * rows + y) * pitch;
        std::copy(x.row(z, y), x.row(z, y) + x.size.x, to);
        std::fill(to + x.size.x, to + pitch, T(0));
      }
    });
    std::fill(data.end() - 16, data.end(), T(0));
  }
  const T* at(Size s) const { return data.data() + (s.z * rows + s.y) * pitch + s.x; }
};

// The cubes most like one, the best first.
template <class T>
struct Alike {
  int count = 0;
  T apart[largest];
  Size place[largest];

  // Whether a cube so far apart would come in, of `most` at most.
  T bound(int most, T limit) const { return count == most ? apart[count - 1] : limit; }

  void add(T d, Size s, int most) {
    int i = count < most ? count++ : most - 1;
    for (; i > 0 && apart[i - 1] > d; --i) {
      apart[i] = apart[i - 1];
      place[i] = place[i - 1];
    }
    apart[i] = d;
    place[i] = s;
  }
};

template <class T>
void search(const Wide<T>& guide, Size n, Size at, Size reach, int most, T limit, Alike<T>& found) {
  using V = Vec<T>;
  const auto range = [](i64 i, i64 far, i64 size) {
    return Range{std::max<i64>(i - far, 0), std::min(i + far, size - side)};
  };
  const Range rz = range(at.z, reach.z, n.z), ry = range(at.y, reach.y, n.y),
              rx = range(at.x, reach.x, n.x);
  T own[cube];
  for (int row = 0; row < side * side; ++row) {
    const T* from = guide.at({at.z + row / side, at.y + row % side, at.x});
    std::copy(from, from + side, own + side * row);
  }
  found.count = 0;
  for (i64 z = rz.from; z <= rz.to; ++z)
    for (i64 y = ry.from; y <= ry.to; ++y)
      for (i64 x = rx.from; x <= rx.to; x += V::lanes) {
        const T* first = guide.at({z, y, x});
        const T before = found.bound(most, limit);
        V sum = T(0);
        bool near = true;
        for (int k = 0; k < side && near; ++k) {
          for (int j = 0; j < side; ++j) {
            const T* row = first + (k * guide.rows + j) * guide.pitch;
            for (int i = 0; i < side; ++i) {
              const V d = simd::load(row + i) - V(own[side * (side * k + j) + i]);
              sum = sum + d * d;
            }
          }
          near = simd::any(sum <= V(before));
        }
        if (!near) continue;
        T apart[V::lanes];
        simd::store(apart, sum);
        const i64 last = std::min<i64>(V::lanes - 1, rx.to - x);
        for (i64 i = 0; i <= last; ++i) {
          if (z == at.z && y == at.y && x + i == at.x) continue;
          if (apart[i] <= limit && (found.count < most || apart[i] < found.apart[most - 1]))
            found.add(apart[i], {z, y, x + i}, most);
        }
      }
}

// Cuts what is small off, but for the mean; returns one over the number of what is left.
template <class T>
T cut(Group<T>& group, int count, T level) {
  const T mean = group.of[0];
  int kept = 0;
  for (int p = 0; p < cube; ++p)
    for (int m = 0; m < count; ++m) {
      T& v = group.of[p * largest + m];
      const bool small = v <= level && v >= -level;
      kept += !small;
      v = small ? T(0) : v;
    }
  kept += mean <= level && mean >= -level;
  group.of[0] = mean;
  return T(1) / T(kept);
}

// Weighs all but the mean as the guide stands to the noise; returns one over the weights' power.
template <class T>
T weigh(Group<T>& group, const Group<T>& guide, int count, T power) {
  const T mean = group.of[0];
  T sums[largest] = {};
  for (int p = 0; p < cube; ++p)
    for (int m = 0; m < count; ++m) {
      const T g = guide.of[p * largest + m], b = g * g, f = p + m ? b / (b + power) : T(1);
      group.of[p * largest + m] *= f;
      sums[m] += f * f;
    }
  group.of[0] = mean;
  T sum = 0;
  for (int m = 0; m < count; ++m) sum += sums[m];
  return T(1) / sum;
}

}  // namespace

template <class T>
void bm4d(On on, View<const T> x, View<const T> guide, View<T> total, View<T> weight,
          List<const f64> basis, f64 level, f64 limit, i64 wiener, i64 most, Size reach, i64 step,
          i64 colour) {
  const Size n = x.size;
  const auto cubes = [step](i64 size) { return (size - side + step - 1) / step + 1; };
  const Size grid{cubes(n.z), cubes(n.y), cubes(n.x)};
  const auto tile = [step](i64 far) { return (2 * far + side + step - 1) / step; };
  const i64 deep = tile(reach.z), high = tile(reach.y);
  const i64 tiles_z = ((grid.z + deep - 1) / deep + 1 - colour / 2) / 2,
            tiles_y = ((grid.y + high - 1) / high + 1 - colour % 2) / 2;
  const Wide<T> wide(on, guide);
  T table[2 * side * side + side];
  std::transform(basis.data, basis.data + basis.size, table, [](f64 v) { return T(v); });
  const T *inverse = table + side * side, *window = inverse + side * side;
  const T edge = T(level);
  parallel_for(on, tiles_z * tiles_y, [&](i64 i) {
    const i64 tz = 2 * (i / tiles_y) + colour / 2, ty = 2 * (i % tiles_y) + colour % 2;
    Group<T> noisy, clean;
    Alike<T> found;
    Size place[largest];
    for (i64 gz = tz * deep; gz < std::min((tz + 1) * deep, grid.z); ++gz)
      for (i64 gy = ty * high; gy < std::min((ty + 1) * high, grid.y); ++gy)
        for (i64 gx = 0; gx < grid.x; ++gx) {
          const Size at{std::min(gz * step, n.z - side), std::min(gy * step, n.y - side),
                        std::min(gx * step, n.x - side)};
          search(wide, n, at, reach, int(most) - 1, T(limit), found);
          int count = 1;
          while (2 * count <= found.count + 1) count *= 2;
          place[0] = at;
          std::copy(found.place, found.place + count - 1, place + 1);
          noisy.read(x, place, count);
          noisy.transform(count, table);
          T share;
          if (wiener) {
            clean.read(guide, place, count);
            clean.transform(count, table);
            share = weigh(noisy, clean, count, edge * edge);
          } else {
            share = cut(noisy, count, edge);
          }
          noisy.restore(count, inverse);
          for (int m = 0; m < count; ++m)
            for (int row = 0; row < side * side; ++row) {
              const i64 z = place[m].z + row / side, y = place[m].y + row % side;
              const T* from = noisy.row(m, row);
              T *to = total.row(z, y) + place[m].x, *by = weight.row(z, y) + place[m].x;
              const T part = share * window[row / side] * window[row % side];
              for (int k = 0; k < side; ++k) {
                const T w = part * window[k];
                to[k] += w * from[k];
                by[k] += w;
              }
            }
        }
  });
}

template void bm4d(On, View<const f32>, View<const f32>, View<f32>, View<f32>, List<const f64>, f64,
                   f64, i64, i64, Size, i64, i64);
template void bm4d(On, View<const f64>, View<const f64>, View<f64>, View<f64>, List<const f64>, f64,
                   f64, i64, i64, Size, i64, i64);

}  // namespace voxkern::cpu
