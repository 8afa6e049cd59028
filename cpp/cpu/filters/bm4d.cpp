// Distances are of a row of cubes at a time, a lane each; spectra are plain loops over the 64
// numbers of a cube, which the compiler turns into vectors. Nothing is fused or reordered, so that
// which cubes are alike does not depend on the machine.
#include <voxkern/filters/bm4d.hpp>
#include <voxkern/simd.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <vector>

namespace voxkern::cpu {

namespace {

constexpr int side = 4, cube = side * side * side, largest = 32;

// Orthonormal cosines of four numbers that are `by` apart, and back, for `n` columns.
template <class T>
struct Cosines {
  static constexpr T half = T(0.5), p = T(0.6532814824381883), q = T(0.27059805007309849);

  static void forward(T* v, int by, int n) {
    for (int i = 0; i < n; ++i) {
      const T a = v[i], b = v[by + i], c = v[2 * by + i], d = v[3 * by + i];
      const T s = a + d, t = b + c, e = a - d, f = b - c;
      v[i] = half * (s + t);
      v[by + i] = p * e + q * f;
      v[2 * by + i] = half * (s - t);
      v[3 * by + i] = q * e - p * f;
    }
  }
  static void back(T* v, int by, int n) {
    for (int i = 0; i < n; ++i) {
      const T a = v[i], b = v[by + i], c = v[2 * by + i], d = v[3 * by + i];
      const T s = half * (a + c), t = half * (a - c), e = p * b + q * d, f = q * b - p * d;
      v[i] = s + e;
      v[by + i] = t + f;
      v[2 * by + i] = t - f;
      v[3 * by + i] = s - e;
    }
  }
};

// The cubes of a group, their spectrum, and back.
template <class T>
struct Group {
  alignas(64) T of[largest * cube];
  alignas(64) T room[largest * cube];

  T* row(int m, int n) { return of + cube * m + side * n; }

  void transform(int count) {
    for (int m = 0; m < count; ++m) {
      Cosines<T>::forward(row(m, 0), 16, 16);
      for (int z = 0; z < side; ++z) Cosines<T>::forward(row(m, 4 * z), 4, 4);
      for (int n = 0; n < 16; ++n) Cosines<T>::forward(row(m, n), 1, 1);
    }
    for (int n = count; n > 1; n /= 2) {
      for (int m = 0; m < n / 2; ++m)
        for (int i = 0; i < cube; ++i) {
          const T a = of[2 * cube * m + i], b = of[2 * cube * m + cube + i];
          room[cube * m + i] = share * (a + b);
          room[cube * (n / 2 + m) + i] = share * (a - b);
        }
      std::copy(room, room + n * cube, of);
    }
  }
  void restore(int count) {
    for (int n = 2; n <= count; n *= 2) {
      for (int m = 0; m < n / 2; ++m)
        for (int i = 0; i < cube; ++i) {
          const T a = of[cube * m + i], b = of[cube * (n / 2 + m) + i];
          room[2 * cube * m + i] = share * (a + b);
          room[2 * cube * m + cube + i] = share * (a - b);
        }
      std::copy(room, room + n * cube, of);
    }
    for (int m = 0; m < count; ++m) {
      for (int n = 0; n < 16; ++n) Cosines<T>::back(row(m, n), 1, 1);
      for (int z = 0; z < side; ++z) Cosines<T>::back(row(m, 4 * z), 4, 4);
      Cosines<T>::back(row(m, 0), 16, 16);
    }
  }

 private:
  static constexpr T share = T(0.70710678118654752);
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
void search(const Wide<T>& guide, Size n, Size at, i64 reach, int most, T limit, Alike<T>& found) {
  using V = Vec<T>;
  const auto range = [reach](i64 i, i64 size) {
    return Range{std::max<i64>(i - reach, 0), std::min(i + reach, size - side)};
  };
  const Range rz = range(at.z, n.z), ry = range(at.y, n.y), rx = range(at.x, n.x);
  T own[cube];
  for (int z = 0; z < side; ++z)
    for (int y = 0; y < side; ++y) {
      const T* row = guide.at({at.z + z, at.y + y, at.x});
      std::copy(row, row + side, own + 16 * z + 4 * y);
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
              const V d = simd::load(row + i) - V(own[16 * k + 4 * j + i]);
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

}  // namespace

template <class T>
void bm4d(On on, View<const T> x, View<const T> guide, View<T> total, View<T> weight, f64 level,
          f64 limit, i64 wiener, i64 most, i64 reach, i64 step, i64 colour) {
  const Size n = x.size;
  const auto cubes = [step](i64 size) { return (size - side + step - 1) / step + 1; };
  const Size grid{cubes(n.z), cubes(n.y), cubes(n.x)};
  const i64 tile = (2 * reach + side + step - 1) / step;
  const i64 deep = (grid.z + tile - 1) / tile, high = (grid.y + tile - 1) / tile;
  const i64 tiles_z = (deep + 1 - colour / 2) / 2, tiles_y = (high + 1 - colour % 2) / 2;
  const Wide<T> wide(on, guide);
  // Kaiser's window with beta 2.
  const T edge = T(0.43867653850536854), inner = T(0.9243092270823633);
  const T window[side] = {edge, inner, inner, edge};
  const T cut = T(level), power = cut * cut;
  parallel_for(on, tiles_z * tiles_y, [&](i64 i) {
    const i64 tz = 2 * (i / tiles_y) + colour / 2, ty = 2 * (i % tiles_y) + colour % 2;
    Group<T> noisy, clean;
    Alike<T> found;
    Size place[largest];
    for (i64 gz = tz * tile; gz < std::min((tz + 1) * tile, grid.z); ++gz)
      for (i64 gy = ty * tile; gy < std::min((ty + 1) * tile, grid.y); ++gy)
        for (i64 gx = 0; gx < grid.x; ++gx) {
          const Size at{std::min(gz * step, n.z - side), std::min(gy * step, n.y - side),
                        std::min(gx * step, n.x - side)};
          search(wide, n, at, reach, int(most) - 1, T(limit), found);
          int count = 1;
          while (2 * count <= found.count + 1) count *= 2;
          place[0] = at;
          std::copy(found.place, found.place + count - 1, place + 1);
          for (int m = 0; m < count; ++m)
            for (int row = 0; row < 16; ++row) {
              const i64 z = place[m].z + row / 4, y = place[m].y + row % 4, first = place[m].x;
              std::copy(x.row(z, y) + first, x.row(z, y) + first + side, noisy.row(m, row));
              if (wiener) {
                const T* from = wide.at({z, y, first});
                std::copy(from, from + side, clean.row(m, row));
              }
            }
          noisy.transform(count);
          T* spectrum = noisy.of;
          T share;
          if (wiener) {
            clean.transform(count);
            T sum = 1;  // the mean stays
            for (int k = 1; k < count * cube; ++k) {
              const T b = clean.of[k] * clean.of[k], f = b / (b + power);
              spectrum[k] *= f;
              sum += f * f;
            }
            share = T(1) / sum;
          } else {
            i64 kept = 1;
            for (int k = 1; k < count * cube; ++k) {  // the mean stays
              if (spectrum[k] <= cut && spectrum[k] >= -cut)
                spectrum[k] = T(0);
              else
                ++kept;
            }
            share = T(1) / T(kept);
          }
          noisy.restore(count);
          for (int m = 0; m < count; ++m)
            for (int row = 0; row < 16; ++row) {
              const i64 z = place[m].z + row / 4, y = place[m].y + row % 4, first = place[m].x;
              const T* from = noisy.row(m, row);
              T *to = total.row(z, y) + first, *by = weight.row(z, y) + first;
              const T part = share * window[row / 4] * window[row % 4];
              for (int k = 0; k < side; ++k) {
                const T w = part * window[k];
                to[k] += w * from[k];
                by[k] += w;
              }
            }
        }
  });
}

template void bm4d(On, View<const f32>, View<const f32>, View<f32>, View<f32>, f64, f64, i64, i64,
                   i64, i64, i64);
template void bm4d(On, View<const f64>, View<const f64>, View<f64>, View<f64>, f64, f64, i64, i64,
                   i64, i64, i64);

}  // namespace voxkern::cpu
