// Whether a voxel may go depends on its 26 neighbours alone, so a voxel that may not is looked at
// again only once one of them has gone. The list of those to look at is kept in the order of the
// image, since the answer depends on it; whole scans are not needed.
#include <voxkern/morphology/skeleton.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace voxkern::cpu {
namespace {

// A neighbourhood has 27 bits in the order of the image; bit 13, the voxel itself, is 0.
constexpr u32 bit(int z, int y, int x) { return 1u << ((z + 1) * 9 + (y + 1) * 3 + (x + 1)); }

// The 26 corners, edges and faces of a voxel's cube: which neighbours touch each, and what it
// counts in Euler's sum.
struct Cells {
  std::array<u32, 26> touching{};
  std::array<int, 26> weight{};
  constexpr Cells() {
    int n = 0;
    for (int z = -1; z <= 1; ++z)
      for (int y = -1; y <= 1; ++y)
        for (int x = -1; x <= 1; ++x) {
          if (!z && !y && !x) continue;
          u32 all = 0;
          for (int k = 0; k < 8; ++k) all |= bit(k & 4 ? z : 0, k & 2 ? y : 0, k & 1 ? x : 0);
          touching[size_t(n)] = all & ~bit(0, 0, 0);
          weight[size_t(n)] = (z != 0) + (y != 0) + (x != 0) == 2 ? -1 : 1;
          ++n;
        }
  }
};
constexpr Cells cells;

// Without the voxel, its cube's inside goes, and the cells that no neighbour touches.
bool keeps_euler(u32 near) {
  int sum = 0;
  for (size_t n = 0; n < 26; ++n) sum += near & cells.touching[n] ? 0 : cells.weight[n];
  return sum == 1;
}

// Whether the neighbours hang together without the voxel.
bool is_simple(u32 near) {
  constexpr u32 low_x = 0x1249249, low_y = 0x1C0E07;  // the bits of x = -1, of y = -1
  u32 part = near & (0 - near);
  for (;;) {
    u32 more = part | (part & ~(low_x << 2)) << 1 | (part & ~low_x) >> 1;
    more |= (more & ~(low_y << 6)) << 3 | (more & ~low_y) >> 3;
    more = (more | more << 9 | more >> 9) & near;
    if (more == part) return part == near;
    part = more;
  }
}

bool may_go(u32 near) { return (near & (near - 1)) && keeps_euler(near) && is_simple(near); }

class Thinning {
 public:
  Thinning(View<const u8> in)
      : size_(in.size),
        row_(in.size.x + 2),
        plane_(row_ * (in.size.y + 2)),
        voxels_(plane_ * (in.size.z + 2) + 8) {
    std::memset(voxels_.data(), 0, size_t(voxels_.size()));
    for (i64 z = 0; z < size_.z; ++z)
      for (i64 y = 0; y < size_.y; ++y)
        for (i64 x = 0; x < size_.x; ++x) at(z, y)[x] = in(z, y, x) != 0;
    for (i64 z = 0; z < size_.z; ++z)
      for (i64 y = 0; y < size_.y; ++y) {
        const u8* row = at(z, y);
        for (i64 x = 0; x < size_.x; ++x)
          if (row[x] && at_border(row + x)) add(row + x - voxels_.data());
      }
  }

  void run() {
    const i64 sides[] = {-row_, row_, 1, -1, plane_, -plane_};
    for (bool changed = true; changed;) {
      changed = false;
      for (int side = 0; side < (size_.z == 1 ? 4 : 6); ++side)
        if (peel(sides[side])) changed = true;
    }
  }

  void write(View<u8> out) {
    for (i64 z = 0; z < size_.z; ++z)
      for (i64 y = 0; y < size_.y; ++y)
        for (i64 x = 0; x < size_.x; ++x) out(z, y, x) = at(z, y)[x] & 1;
  }

 private:
  static constexpr u8 listed = 2;
  const Size size_;
  const i64 row_, plane_;
  Scratch<u8> voxels_;  // with a border of zeros
  std::vector<i64> list_, fresh_, spare_, going_;

  u8* at(i64 z, i64 y) { return voxels_.data() + (z + 1) * plane_ + (y + 1) * row_ + 1; }

  bool at_border(const u8* p) const {
    return !(p[-1] & p[1] & p[-row_] & p[row_] & p[-plane_] & p[plane_] & 1);
  }

  void add(i64 place) {
    voxels_[place] |= listed;
    fresh_.push_back(place);
  }

  u32 near(i64 place) const {
    u32 all = 0;
    for (int z = 2; z >= 0; --z)
      for (int y = 2; y >= 0; --y) {
        u32 three;
        std::memcpy(&three, voxels_.data() + place + (z - 1) * plane_ + (y - 1) * row_ - 1, 4);
        three &= 0x010101;
        all = all << 3 | ((three | three >> 7 | three >> 14) & 7);
      }
    return all & ~bit(0, 0, 0);
  }

  // Takes away voxels that are open to one side; returns whether there were any.
  bool peel(i64 side) {
    std::sort(fresh_.begin(), fresh_.end());
    spare_.resize(list_.size() + fresh_.size());
    std::merge(list_.begin(), list_.end(), fresh_.begin(), fresh_.end(), spare_.begin());
    list_.swap(spare_);
    fresh_.clear();
    going_.clear();
    size_t kept = 0;
    for (const i64 place : list_) {
      if (!(voxels_[place] & 1)) continue;
      if (!(voxels_[place + side] & 1)) {
        if (!may_go(near(place))) {
          voxels_[place] = 1;
          continue;
        }
        going_.push_back(place);
      }
      list_[kept++] = place;
    }
    list_.resize(kept);
    bool changed = false;
    for (const i64 place : going_) {
      if (!is_simple(near(place))) continue;
      voxels_[place] = 0;
      changed = true;
      for (i64 z = -plane_; z <= plane_; z += plane_)
        for (i64 y = -row_; y <= row_; y += row_)
          for (i64 x = -1; x <= 1; ++x) {
            const i64 other = place + z + y + x;
            if (voxels_[other] == 1 && at_border(&voxels_[other])) add(other);
          }
    }
    return changed;
  }
};

}  // namespace

void skeleton(On, View<const u8> in, View<u8> out) {
  if (in.size.count() == 0) return;
  Thinning thinning(in);
  thinning.run();
  thinning.write(out);
}

}  // namespace voxkern::cpu
