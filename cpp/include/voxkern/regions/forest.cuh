// Union-find among the voxels of a volume, for CUDA kernels. Node i + 1 is voxel i; node 0 is for
// what a kernel joins by other ways than touching. A voxel in no region has -1 for its parent, for
// good.
#pragma once
#include <voxkern/launch.cuh>

namespace voxkern {

template <class I>
__device__ __forceinline__ I root_of(const I* parent, I a) {
  for (I up = load_relaxed(&parent[a]); up != a; up = load_relaxed(&parent[a])) a = up;
  return a;
}

// Hangs the larger root under the smaller. Where somebody was faster, goes on from what they left.
template <class I>
__device__ __forceinline__ void unite(I* parent, I a, I b) {
  for (;;) {
    a = root_of(parent, a);
    b = root_of(parent, b);
    if (a == b) return;
    const I high = most(a, b), low = least(a, b);
    const I before = atomic_min(&parent[high], low);
    if (before == high) return;
    a = before;
    b = low;
  }
}

}  // namespace voxkern
