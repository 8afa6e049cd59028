// What the schedules of rank filters share: an image as rows of signed keys.
#pragma once
#include <voxkern/filters/keys.hpp>

#include <cpu/parallel.hpp>

#include <functional>
#include <type_traits>

namespace voxkern::cpu {

// An image whose numbers are seen as keys, whatever their type: u8, i16, i32 or i64.
template <class K>
struct KeyImage {
  Size size;
  // The keys of the columns from x on, of a row that may lie outside.
  std::function<void(i64 z, i64 y, i64 x, i64 count, K* keys)> read;
  // Writes the columns from x on of a row of the answer.
  std::function<void(i64 z, i64 y, i64 x, i64 count, const K* keys)> write;
  // The images themselves, where their numbers are keys, or floats as long, and the answer goes
  // through the cache; and what lies outside.
  View<const K> in{};
  View<K> out{};
  Edge edge{};
  K fill{};
  bool floats = false;
};

// The middle of boxes of depth x 3 x 3 and depth x 5 x 5 voxels; the depth is 1 or that of a cube.
template <class K>
void median_3(On, const KeyImage<K>&, i64 depth);
template <class K>
void median_5(On, const KeyImage<K>&, i64 depth);

// Any rank in a box whose lowest corner is `first` from its voxel; false, and nothing done, if the
// box is too long for it.
template <class K>
bool box_rank(On, const KeyImage<K>&, Size box, Size first, i64 rank);

}  // namespace voxkern::cpu
