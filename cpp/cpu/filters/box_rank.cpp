// Ranks of bytes in boxes by histograms: the time hardly grows with the box (Perreault and Hebert
// 2007, "Median filtering in constant time", https://doi.org/10.1109/TIP.2007.902329, carried to
// 3-D). Every column keeps a histogram of the rows and planes of the box; that of the box is the
// sum of those of its columns. A coarse one of sixteen bins says where to look, and only the
// sixteen fine bins there are brought up to date.
#include <cpu/filters/rank.hpp>
#include <cpu/memory.hpp>

#include <algorithm>
#include <array>
#include <vector>

namespace voxkern::cpu {
namespace {

// C counts what a box holds.
template <class C>
class Histograms {
  using Bins = std::array<C, 16>;
  struct Column {
    Bins coarse;
    Bins fine[16];
  };

 public:
  Histograms(const KeyImage<u8>& image, Size box, Size first, i64 rank)
      : image_(image),
        box_(box),
        first_(first),
        rank_(rank),
        places_(image.size.x + box.x - 1),
        columns_(places_),
        row_(places_),
        out_(image.size.x) {}

  void run(i64 z, i64 y0, i64 y1) {
    std::fill(columns_.begin(), columns_.end(), Column{});
    for (i64 y = y0 + first_.y; y < y0 + first_.y + box_.y - 1; ++y) count(z, y, 1);
    for (i64 y = y0; y < y1; ++y) {
      count(z, y + first_.y + box_.y - 1, 1);
      find_row();
      image_.write(z, y, 0, image_.size.x, out_.data());
      count(z, y + first_.y, -1);
    }
  }

 private:
  const KeyImage<u8>& image_;
  const Size box_, first_;
  const i64 rank_, places_;
  Scratch<Column> columns_;
  Scratch<u8> row_, out_;

  // Counts the rows at y in, or out.
  void count(i64 z, i64 y, int by) {
    for (i64 k = 0; k < box_.z; ++k) {
      image_.read(z + first_.z + k, y, first_.x, places_, row_.data());
      const u8* const row = row_.data();
      Column* const columns = columns_.data();
      const i64 places = places_;
      for (i64 x = 0; x < places; ++x) {
        columns[x].coarse[row[x] >> 4] += C(by);
        columns[x].fine[row[x] >> 4][row[x] & 15] += C(by);
      }
    }
  }

  // The bin in which the rank-th lies, and how many lie below it.
  static int bin_of(const Bins& bins, i64 rank, i64& below) {
    int bin = 0;
    while (below + bins[bin] <= rank) below += bins[bin++];
    return bin;
  }
  static void add(Bins& to, const Bins& from) {
    for (int b = 0; b < 16; ++b) to[b] = C(to[b] + from[b]);
  }
  static void move(Bins& to, const Bins& in, const Bins& out) {
    for (int b = 0; b < 16; ++b) to[b] = C(to[b] + in[b] - out[b]);
  }

  void find_row() {
    Bins coarse{}, fine[16];
    i64 done[16];  // the place up to which fine bins are counted, with a whole box
    std::fill_n(done, 16, -box_.x);
    const Column* const columns = columns_.data();
    const i64 w = box_.x, n = image_.size.x, rank = rank_;
    u8* const out = out_.data();
    for (i64 x = 0; x < w - 1; ++x) add(coarse, columns[x].coarse);
    for (i64 x = 0; x < n; ++x) {
      add(coarse, columns[x + w - 1].coarse);
      i64 below = 0;
      const int high = bin_of(coarse, rank, below);
      Bins& bins = fine[high];
      if (2 * (x - done[high]) > w) {
        bins = Bins{};
        for (i64 c = x; c < x + w; ++c) add(bins, columns[c].fine[high]);
      } else {
        for (i64 c = done[high]; c < x; ++c)
          move(bins, columns[c + w].fine[high], columns[c].fine[high]);
      }
      done[high] = x;
      out[x] = u8(16 * high + bin_of(bins, rank, below));
      for (int b = 0; b < 16; ++b) coarse[b] = C(coarse[b] - columns[x].coarse[b]);
    }
  }
};

template <class C>
void with_counts(On on, const KeyImage<u8>& image, Size box, Size first, i64 rank) {
  const Size n = image.size;
  // A strip counts the rows of a whole box before its first answer.
  const i64 wanted = (4 * on.threads + n.z - 1) / n.z,
            longest = std::max<i64>(1, n.y / (4 * box.y));
  const i64 strips = on.threads == 1 ? 1 : std::clamp<i64>(wanted, 1, longest);
  parallel_for(on, n.z * strips, [&](i64 i) {
    const i64 s = i % strips;
    Histograms<C>(image, box, first, rank)
        .run(i / strips, s * n.y / strips, (s + 1) * n.y / strips);
  });
}

}  // namespace

void box_rank(On on, const KeyImage<u8>& image, Size box, Size first, i64 rank) {
  if (box.count() < 65536)
    with_counts<u16>(on, image, box, first, rank);
  else
    with_counts<i32>(on, image, box, first, rank);
}

}  // namespace voxkern::cpu
