// Sums: every voxel once, and the same bits for any number of threads.
#include <cpu/parallel.hpp>
#include <voxkern/simd.hpp>

#include <cmath>

#include "check.hpp"

using namespace voxkern;

const Size shapes[] = {{0, 0, 0},      {1, 1, 1},    {1, 1, 7},     {3, 5, 1},
                       {7, 1, 33},     {5, 40, 100}, {1, 1, 32767}, {1, 1, 32768},
                       {2, 1, 100003}, {0, 4, 4},    {4, 4, 0}};

void blocks_cover_every_voxel_once() {
  for (Size s : shapes) {
    std::vector<int> hits(size_t(s.count()), 0);
    const Blocks blocks(s);
    for (i64 i = 0; i < blocks.count(); ++i) {
      const Block b = blocks[i];
      CHECK(b.begin < b.end && b.from < b.to);
      CHECK((b.end - b.begin) * (b.to - b.from) < 2 * 16384);
      for (i64 row = b.begin; row < b.end; ++row)
        for (i64 x = b.from; x < b.to; ++x) ++hits[size_t(row * s.x + x)];
    }
    for (int h : hits) CHECK(h == 1);
  }
}

void threads_do_not_change_a_bit() {
  for (Size s : shapes) {
    std::vector<f32> x(size_t(s.count()));
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = f32(std::sin(double(i)) * 1e3 + 1e-3 * double(i % 77));
    long double truth[2] = {0, 0};
    for (f32 v : x) truth[0] += v, truth[1] += (long double)v * v;
    const auto sums = [&](int threads) {
      return cpu::parallel_sum<Sums<2>>(
          {threads}, s, [&](i64 z, i64 y, i64 from, i64 to, Sums<2>& sum) {
            const f32* row = x.data() + (z * s.y + y) * s.x;
            LaneSum one, square;
            for (i64 at = from; at < to; at += simd::lanes<f32>) {
              const auto v = simd::load(row + at, int(least(to - at, i64(simd::lanes<f32>))));
              one.add(v);
              square.add(v * v);
            }
            sum[0] += one.total();
            sum[1] += square.total();
          });
    };
    const Sums<2> first = sums(1);
    CHECK(std::abs(first[0] - (f64)truth[0]) <= 1e-9 * std::sqrt((f64)truth[1] * 1e5) + 1e-12);
    // Each square is rounded to float32 once.
    CHECK(std::abs(first[1] - (f64)truth[1]) <= 6e-8 * (f64)truth[1]);
    for (int threads : {2, 3, 5}) {
      const Sums<2> other = sums(threads);
      CHECK(!std::memcmp(&first, &other, sizeof first));
    }
  }
}

void sums_of_many_small_numbers_stay_exact() {
  const std::vector<f64> parts(100001, 0.1);
  CHECK(std::abs(added_up(parts) - 10000.1) < 1e-11);
  CHECK(added_up(std::vector<f64>{}) == 0);
  CHECK(added_up(std::vector<f64>{1, 2, 4, 8, 16}) == 31);
}

#define CASE(name) {#name, name}
int main(int count, char** arguments) {
  return run({CASE(blocks_cover_every_voxel_once), CASE(threads_do_not_change_a_bit),
              CASE(sums_of_many_small_numbers_stay_exact)},
             count, arguments);
}
