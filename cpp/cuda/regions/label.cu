// Connected regions by union-find, numbered by the prefix sums of their roots.
#include <voxkern/regions/forest.cuh>

namespace voxkern::kernel {

// Every voxel that is not the background is a region of its own.
template <class T, class I>
__global__ void label_begin(const T* x, I* parent, i64 n, i64 background) {
  if (first() == 0) parent[0] = 0;
  for (i64 i = first(); i < n; i += step())
    parent[i + 1] = x[i] == T(background) ? I(-1) : I(i + 1);
}

// Joins neighbours, within planes alone where these are apart, and of one value if `multivalued`.
template <class T, class I>
__global__ void label_join(const T* x, I* parent, Size size, i64 connectivity, i64 planes_apart,
                           i64 multivalued) {
  for (i64 i = first(); i < size.count(); i += step()) {
    if (load_relaxed(&parent[i + 1]) < 0) continue;
    const Size at = place(i, size);
    for (int n = planes_apart ? 9 : 0; n < 13; ++n) {  // those before it in raster order
      const i64 dz = n / 9 - 1, dy = n / 3 % 3 - 1, dx = n % 3 - 1;
      if (dz * dz + dy * dy + dx * dx > connectivity) continue;
      const Size near{at.z + dz, at.y + dy, at.x + dx};
      if (!contains(size, near)) continue;
      const i64 other = offset(near, size);
      if (load_relaxed(&parent[other + 1]) < 0 || (multivalued && x[i] != x[other])) continue;
      unite(parent, I(i + 1), I(other + 1));
    }
  }
}

// Points every node at its root.
template <class I>
__global__ void label_flatten(I* parent, i64 nodes) {
  for (i64 i = first(); i < nodes; i += step())
    if (load_relaxed(&parent[i]) >= 0) store_relaxed(&parent[i], root_of(parent, I(i)));
}

// How many roots each block's share of `share` voxels holds.
template <class I>
__global__ void label_count(const I* parent, i64* counts, i64 n, i64 share) {
  VOXKERN_SHARED(i64, room, 32);
  for (i64 from = blockIdx.x * share; from < n; from += gridDim.x * share) {
    i64 own = 0;
    for (i64 i = from + threadIdx.x; i < least(from + share, n); i += blockDim.x)
      own += parent[i + 1] == I(i + 1);
    own = block_sum(own, room);
    if (threadIdx.x == 0) counts[from / share] = own;
  }
}

// Writes each root's number into its voxel; `before` counts the roots before each share.
template <class I, class L>
__global__ void label_number(const I* parent, const i64* before, L* y, i64 n, i64 share) {
  VOXKERN_SHARED(i64, sums, 256);
  for (i64 from = blockIdx.x * share; from < n; from += gridDim.x * share) {
    i64 number = before[from / share];
    for (i64 start = from; start < from + share; start += 256) {
      const i64 i = start + threadIdx.x;
      const bool root = i < n && parent[i + 1] == I(i + 1);
      sums[threadIdx.x] = root;
      __syncthreads();
      for (int far = 1; far < 256; far *= 2) {
        const i64 more = int(threadIdx.x) >= far ? sums[threadIdx.x - far] : 0;
        __syncthreads();
        sums[threadIdx.x] += more;
        __syncthreads();
      }
      if (root) y[i] = L(number + sums[threadIdx.x]);
      number += sums[255];
      __syncthreads();
    }
  }
}

// Copies the roots' numbers to all others. Roots are read only, all others written only.
template <class I, class L>
__global__ void label_write(const I* parent, L* y, i64 n) {
  for (i64 i = first(); i < n; i += step()) {
    const I root = parent[i + 1];
    if (root < 0)
      y[i] = 0;
    else if (root != I(i + 1))
      y[i] = y[root - 1];
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
static const voxkern::cuda::Exports exports{
    {"label_begin<u8,i32>",
     voxkern::cuda::launcher<voxkern::kernel::label_begin<voxkern::u8, voxkern::i32>>},
    {"label_begin<u8,i64>",
     voxkern::cuda::launcher<voxkern::kernel::label_begin<voxkern::u8, voxkern::i64>>},
    {"label_begin<u16,i32>",
     voxkern::cuda::launcher<voxkern::kernel::label_begin<voxkern::u16, voxkern::i32>>},
    {"label_begin<u16,i64>",
     voxkern::cuda::launcher<voxkern::kernel::label_begin<voxkern::u16, voxkern::i64>>},
    {"label_begin<i32,i32>",
     voxkern::cuda::launcher<voxkern::kernel::label_begin<voxkern::i32, voxkern::i32>>},
    {"label_begin<i32,i64>",
     voxkern::cuda::launcher<voxkern::kernel::label_begin<voxkern::i32, voxkern::i64>>},
    {"label_begin<i64,i32>",
     voxkern::cuda::launcher<voxkern::kernel::label_begin<voxkern::i64, voxkern::i32>>},
    {"label_begin<i64,i64>",
     voxkern::cuda::launcher<voxkern::kernel::label_begin<voxkern::i64, voxkern::i64>>},
    {"label_join<u8,i32>",
     voxkern::cuda::launcher<voxkern::kernel::label_join<voxkern::u8, voxkern::i32>>},
    {"label_join<u8,i64>",
     voxkern::cuda::launcher<voxkern::kernel::label_join<voxkern::u8, voxkern::i64>>},
    {"label_join<u16,i32>",
     voxkern::cuda::launcher<voxkern::kernel::label_join<voxkern::u16, voxkern::i32>>},
    {"label_join<u16,i64>",
     voxkern::cuda::launcher<voxkern::kernel::label_join<voxkern::u16, voxkern::i64>>},
    {"label_join<i32,i32>",
     voxkern::cuda::launcher<voxkern::kernel::label_join<voxkern::i32, voxkern::i32>>},
    {"label_join<i32,i64>",
     voxkern::cuda::launcher<voxkern::kernel::label_join<voxkern::i32, voxkern::i64>>},
    {"label_join<i64,i32>",
     voxkern::cuda::launcher<voxkern::kernel::label_join<voxkern::i64, voxkern::i32>>},
    {"label_join<i64,i64>",
     voxkern::cuda::launcher<voxkern::kernel::label_join<voxkern::i64, voxkern::i64>>},
    {"label_flatten<i32>", voxkern::cuda::launcher<voxkern::kernel::label_flatten<voxkern::i32>>},
    {"label_flatten<i64>", voxkern::cuda::launcher<voxkern::kernel::label_flatten<voxkern::i64>>},
    {"label_count<i32>", voxkern::cuda::launcher<voxkern::kernel::label_count<voxkern::i32>>},
    {"label_count<i64>", voxkern::cuda::launcher<voxkern::kernel::label_count<voxkern::i64>>},
    {"label_number<i32,i32>",
     voxkern::cuda::launcher<voxkern::kernel::label_number<voxkern::i32, voxkern::i32>>},
    {"label_number<i32,i64>",
     voxkern::cuda::launcher<voxkern::kernel::label_number<voxkern::i32, voxkern::i64>>},
    {"label_number<i64,i32>",
     voxkern::cuda::launcher<voxkern::kernel::label_number<voxkern::i64, voxkern::i32>>},
    {"label_number<i64,i64>",
     voxkern::cuda::launcher<voxkern::kernel::label_number<voxkern::i64, voxkern::i64>>},
    {"label_write<i32,i32>",
     voxkern::cuda::launcher<voxkern::kernel::label_write<voxkern::i32, voxkern::i32>>},
    {"label_write<i32,i64>",
     voxkern::cuda::launcher<voxkern::kernel::label_write<voxkern::i32, voxkern::i64>>},
    {"label_write<i64,i32>",
     voxkern::cuda::launcher<voxkern::kernel::label_write<voxkern::i64, voxkern::i32>>},
    {"label_write<i64,i64>",
     voxkern::cuda::launcher<voxkern::kernel::label_write<voxkern::i64, voxkern::i64>>},
};
#endif
