// A thread a voxel. A step is two launches, since the second reads the flow at neighbours.
#include <voxkern/filters/srad.hpp>
#include <voxkern/launch.cuh>

namespace voxkern::kernel {

// The places of a voxel's neighbours: before it along z, y, x, and behind it. At a border itself.
struct Beside {
  i64 before[3], behind[3];
  __device__ Beside(i64 i, Size at, Size size) {
    const i64 plane = size.y * size.x;
    before[0] = at.z > 0 ? i - plane : i;
    before[1] = at.y > 0 ? i - size.x : i;
    before[2] = at.x > 0 ? i - 1 : i;
    behind[0] = at.z + 1 < size.z ? i + plane : i;
    behind[1] = at.y + 1 < size.y ? i + size.x : i;
    behind[2] = at.x + 1 < size.x ? i + 1 : i;
  }
};

template <class T>
__global__ void srad_flow(const T* x, T* c, Size size, f64 noise, Vec3 share) {
  const T shares[3] = {T(share.z), T(share.y), T(share.x)};
  for (i64 i = first(); i < size.count(); i += step()) {
    const Beside at(i, place(i, size), size);
    T shift = 0, squares = 0;
    for (int axis = 0; axis < 3; ++axis) {
      const T a = x[at.before[axis]] - x[i], b = x[at.behind[axis]] - x[i];
      shift += shares[axis] * (a + b);
      squares += shares[axis] * (a * a + b * b);
    }
    c[i] = speckle_flow(x[i] + shift, T(2) * squares, shift, T(noise));
  }
}

template <class T>
__global__ void srad_move(const T* x, const T* c, T* y, Size size, f64 length, Vec3 share) {
  const T shares[3] = {T(share.z), T(share.y), T(share.x)};
  for (i64 i = first(); i < size.count(); i += step()) {
    const Beside at(i, place(i, size), size);
    T moved = 0;
    for (int axis = 0; axis < 3; ++axis) {
      const T before = x[at.before[axis]] - x[i], behind = x[at.behind[axis]] - x[i];
      moved += shares[axis] * (c[i] * before + c[at.behind[axis]] * behind);
    }
    y[i] = x[i] + T(length) * moved;
  }
}

}  // namespace voxkern::kernel

#ifndef __CUDACC_RTC__
#include "../export.hpp"
namespace voxkern::cuda {
static const Exports srad{
    {"srad_flow<f32>", launcher<kernel::srad_flow<f32>>},
    {"srad_flow<f64>", launcher<kernel::srad_flow<f64>>},
    {"srad_move<f32>", launcher<kernel::srad_move<f32>>},
    {"srad_move<f64>", launcher<kernel::srad_move<f64>>},
};
}  // namespace voxkern::cuda
#endif
