// The mask as bits, 64 voxels to a word. Whether a voxel may go depends on its 26 neighbours alone,
// so a voxel that may not is looked at again only once one of them has gone. Which voxels of a side
// may go is asked on all threads; then they go one by one, since the answer depends on the order.
#include <voxkern/bits.hpp>
#include <voxkern/morphology/skeleton.hpp>

#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <cstring>

namespace voxkern::cpu {
namespace {

// A neighbourhood has 27 bits in the order of the image; bit 13, the voxel itself, is 0.
constexpr u32 bit(int z, int y, int x) { return 1u << ((z + 1) * 9 + (y + 1) * 3 + (x + 1)); }

// The neighbours that share a face with the voxel, by 1, an edge, by 2, or a corner.
constexpr u32 sharing(int axes) {
  u32 all = 0;
  for (int z = -1; z <= 1; ++z)
    for (int y = -1; y <= 1; ++y)
      for (int x = -1; x <= 1; ++x)
        if (z * z + y * y + x * x == axes) all |= bit(z, y, x);
  return all;
}

// Without the voxel, its cube's inside goes, and the faces, edges and corners that no neighbour
// touches; Euler's sum stays if they count one.
bool keeps_euler(u32 near) {
  constexpr u32 mid_x = 0x2492492, mid_y = 0xE07038, mid_z = 0x3FE00;  // x = 0, y = 0, z = 0
  u32 touched = near;
  touched |= (touched & mid_x) << 1 | (touched & mid_x) >> 1;
  touched |= (touched & mid_y) << 3 | (touched & mid_y) >> 3;
  touched |= (touched & mid_z) << 9 | (touched & mid_z) >> 9;
  return bits::count(~touched & (sharing(1) | sharing(3))) - bits::count(~touched & sharing(2)) ==
         1;
}

// Whether the neighbours hang together without the voxel.
bool is_simple(u32 near) {
  constexpr u32 low_x = 0x1249249, low_y = 0x1C0E07;  // the bits of x = -1, of y = -1
  u32 part = near & (0 - near);
  for (;;) {
    u32 more = part | (part & ~(low_x << 2)) << 1 | (part & ~low_x) >> 1;
    more |= (more & ~(low_y << 6)) << 3 | (more & ~low_y) >> 3;
    more = (more | more << 9 | more >> 9) & near;
    if (more == near) return true;
    if (more == part) return false;
    part = more;
  }
}

bool may_go(u32 near) { return (near & (near - 1)) && keeps_euler(near) && is_simple(near); }

class Thinning {
 public:
  Thinning(On on, View<const u8> in)
      : on_(on),
        size_(in.size),
        words_(bits::words(in.size.x)),
        pitch_(words_ + 1),
        across_(in.size.y + 2),
        rows_(across_ * (in.size.z + 2)),
        grain_(16384 / in.size.x + 1),
        voxels_(rows_ * pitch_ + 2),
        open_(rows_ * pitch_ + 2),
        going_(rows_ * pitch_ + 2),
        has_open_(rows_),
        has_going_(rows_) {
    for (const Scratch<u64>* room : {&voxels_, &open_, &going_})
      std::fill(room->begin(), room->end(), u64(0));
    for (const Scratch<u8>* room : {&has_open_, &has_going_})
      std::fill(room->begin(), room->end(), u8(0));
    each_row([&](i64 z, i64 y, i64 row) {
      const u8* from = in.row(z, y);
      for (i64 w = 0; w < words_; ++w)
        at(voxels_, row)[w] =
            bits::differs(from + w * bits::width, bits::voxels_in(w, size_.x), u8(0));
    });
    each_row([&](i64, i64, i64 row) {
      const u64* here = at(voxels_, row);
      u64 any = 0;
      for (i64 w = 0; w < words_; ++w) {
        u64 closed = here[w - 1] >> 63 | here[w] << 1;
        closed &= here[w + 1] << 63 | here[w] >> 1;
        for (const i64 by : {i64(1), across_})
          closed &= here[w - by * pitch_] & here[w + by * pitch_];
        any |= at(open_, row)[w] = here[w] & ~closed;
      }
      has_open_[row] = any != 0;
    });
  }

  void run() {
    const Side sides[] = {{-1, 0}, {1, 0}, {0, 1}, {0, -1}, {across_, 0}, {-across_, 0}};
    for (bool changed = true; changed;) {
      changed = false;
      for (int side = 0; side < (size_.z == 1 ? 4 : 6); ++side) {
        find(sides[side]);
        if (peel()) changed = true;
      }
    }
  }

  void write(View<u8> out) const {
    each_row([&](i64 z, i64 y, i64 row) {
      for (i64 w = 0; w < words_; ++w)
        bits::spread(out.row(z, y) + w * bits::width, at(voxels_, row)[w],
                     bits::voxels_in(w, size_.x));
    });
  }

 private:
  struct Side {
    i64 rows, x;  // to what lies beside a voxel there
  };
  const On on_;
  const Size size_;
  // Rows have a word of zeros between them, and planes and the volume rows of zeros around them.
  const i64 words_, pitch_, across_, rows_, grain_;
  // The mask; what may be found open to a side and has not been refused since a neighbour went; and
  // what is to go.
  Scratch<u64> voxels_, open_, going_;
  Scratch<u8> has_open_, has_going_;  // whether a row has any

  u64* at(const Scratch<u64>& of, i64 row) const { return &of[row * pitch_ + 1]; }

  template <class F>
  void each_row(F task) const {
    parallel_slabs(on_, size_.z * size_.y, grain_, [&](i64 begin, i64 end) {
      for (i64 i = begin; i < end; ++i) {
        const i64 z = i / size_.y, y = i % size_.y;
        task(z, y, (z + 1) * across_ + y + 1);
      }
    });
  }

  // Calls task(row) for the rows of [begin, end) that are flagged.
  template <class F>
  static void each_flagged(const Scratch<u8>& flags, i64 begin, i64 end, F task) {
    for (i64 row = begin; row < end; ++row) {
      const void* next = std::memchr(&flags[row], 1, std::size_t(end - row));
      if (!next) return;
      row = static_cast<const u8*>(next) - flags.data();
      task(row);
    }
  }

  u32 near(i64 row, i64 x) const {
    const u8* bytes = reinterpret_cast<const u8*>(at(voxels_, row)) + ((x - 1) >> 3);
    u32 all = 0;
    for (int z = 2; z >= 0; --z)
      for (int y = 2; y >= 0; --y) {
        u32 some;
        std::memcpy(&some, bytes + ((z - 1) * across_ + y - 1) * pitch_ * 8, 4);
        all = all << 3 | (some >> ((x - 1) & 7) & 7);
      }
    return all & ~bit(0, 0, 0);
  }

  // Finds the voxels open to one side that may go.
  void find(Side side) {
    const i64 first = across_;  // not the planes of zeros
    parallel_slabs(on_, rows_ - 2 * first, grain_, [&](i64 begin, i64 end) {
      each_flagged(has_open_, first + begin, first + end, [&](i64 row) {
        const u64 *here = at(voxels_, row), *there = here + side.rows * pitch_;
        u64 *open = at(open_, row), *going = at(going_, row), any_open = 0, any_going = 0;
        for (i64 w = 0; w < words_; ++w) {
          open[w] &= here[w];
          going[w] = 0;
          if (!open[w]) continue;
          u64 beside = there[w];
          if (side.x > 0) beside = here[w + 1] << 63 | here[w] >> 1;
          if (side.x < 0) beside = here[w - 1] >> 63 | here[w] << 1;
          for (u64 rest = open[w] & ~beside; rest; rest &= rest - 1) {
            const bool may = may_go(near(row, w * bits::width + bits::lowest(rest)));
            (may ? going[w] : open[w]) ^= rest & -rest;
          }
          any_open |= open[w];
          any_going |= going[w];
        }
        has_open_[row] = any_open != 0;
        has_going_[row] = any_going != 0;
      });
    });
  }

  // Takes away what may still go; returns whether anything did.
  bool peel() {
    bool changed = false;
    each_flagged(has_going_, 0, rows_, [&](i64 row) {
      has_going_[row] = 0;
      u64 *here = at(voxels_, row), *going = at(going_, row), any = 0;
      for (i64 w = 0; w < words_; ++w) {
        for (u64 rest = going[w]; rest; rest &= rest - 1) {
          const u64 own = rest & -rest;
          (is_simple(near(row, w * bits::width + bits::lowest(rest))) ? here : going)[w] ^= own;
        }
        any |= going[w];
      }
      if (!any) return;
      changed = true;
      u64 before = 0;
      for (i64 w = 0; w < words_; ++w) {  // with their neighbours along x
        const u64 own = going[w];
        going[w] = own << 1 | own | own >> 1 | before >> 63 | going[w + 1] << 63;
        before = own;
      }
      for (i64 z = -across_; z <= across_; z += across_)
        for (i64 other = row + z - 1; other <= row + z + 1; ++other) {
          has_open_[other] = 1;
          u64* open = at(open_, other);
          for (i64 w = 0; w < words_; ++w) open[w] |= going[w];
        }
    });
    return changed;
  }
};

}  // namespace

void skeleton(On on, View<const u8> in, View<u8> out) {
  if (in.size.count() == 0) return;
  Thinning thinning(on, in);
  thinning.run();
  thinning.write(out);
}

}  // namespace voxkern::cpu
