// Two schedules, both for minima: a maximum is the minimum of keys with all bits turned.
//
// A box is done along z, then y, then x in one pass over memory. A task owns a block of planes, a
// strip of rows and a tile of columns, and marches along y: it stages a row of all planes within
// reach, slides along z into a ring of rows that stays in the cache, along y from the ring into a
// few lines, along x from those into the image. Sliding takes about three comparisons a number
// whatever the window: the numbers before a cut and those behind it are each gathered once (van
// Herk 1992, https://doi.org/10.1016/0167-8655(92)90069-C). Along x the window doubles instead.
//
// Any other footprint falls into chords, runs along x. A row's minima over each length of chord are
// made once, by doubling; the answer is the least of these at other rows (Urbach and Wilkinson
// 2008, https://doi.org/10.1109/TIP.2007.912582).
#include <voxkern/filters/extreme.hpp>

#include <cpu/keys.hpp>
#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <vector>

namespace voxkern::cpu {
namespace {

// Along one axis: the voxels from v + first on, and what lies outside.
struct Window {
  i64 first, size;
  Edge edge;
  i64 last() const { return first + size - 1; }
  // Whether a number beyond the edge is one that the window holds anyway.
  bool closed() const {
    const i64 before = -first, behind = last();
    if (before < 0 || behind < 0) return false;
    if (edge == Edge::reflect) return before <= behind + 1 && behind <= before + 1;
    return edge == Edge::nearest || (edge == Edge::mirror && before == behind);
  }
};

// ---- lines of keys ----

// out[i] = the least of rows[i .. i + w - 1] at each column, for N lines; with W, w is W.
template <int N, int W, class K>
void few(const K* const* rows, i64 w, K* const* outs, i64 width) {
  using V = Vec<K>;
  constexpr int most = W ? W : 12;
  if constexpr (W > 0) w = W;
  const K* from[N + most];  // a store might change the pointers themselves
  K* to[N];
  for (i64 r = 0; r < N + w - 1; ++r) from[r] = rows[r];
  for (int i = 0; i < N; ++i) to[i] = outs[i];
  for (i64 x = 0; x < width; x += V::lanes) {
    const auto at = [&](i64 r) { return simd::load(from[r] + x); };
    V least[N];
    if constexpr (W == 3) {
      for (int i = 0; i < N; i += 2) {
        const V both = min(at(i + 1), at(i + 2));
        least[i] = min(at(i), both);
        least[i + 1] = min(both, at(i + 3));
      }
    } else {
      least[N - 1] = at(N - 1);
      for (i64 r = N; r < w; ++r) least[N - 1] = min(least[N - 1], at(r));
      for (int i = N - 2; i >= 0; --i) least[i] = min(least[i + 1], at(i));
      V behind = at(w);
      for (int i = 1; i < N; ++i) {
        least[i] = min(least[i], behind);
        if (i + 1 < N) behind = min(behind, at(w + i));
      }
    }
    for (int i = 0; i < N; ++i) simd::store(to[i] + x, least[i]);
  }
}

// The same for any number of lines from 1 to w, whose minima so far lie in the lines themselves.
template <class K>
void many(const K* const* rows, i64 w, K* const* outs, i64 count, i64 width) {
  using V = Vec<K>;
  for (i64 x = 0; x < width; x += V::lanes) {
    const auto at = [&](i64 r) { return simd::load(rows[r] + x); };
    V before = at(w - 1);
    for (i64 r = w - 2; r >= count; --r) before = min(before, at(r));
    for (i64 i = std::min(count, w - 1) - 1; i >= 0; --i) {
      before = min(before, at(i));
      simd::store(outs[i] + x, before);
    }
    if (count == w) simd::store(outs[w - 1] + x, at(w - 1));
    if (count < 2) continue;
    V behind = at(w);
    for (i64 i = 1; i < count; ++i) {
      simd::store(outs[i] + x, min(simd::load(outs[i] + x), behind));
      if (i + 1 < count) behind = min(behind, at(w + i));
    }
  }
}

constexpr i64 group = 4;
constexpr i64 short_window = 12;  // up to here lines are made by fours

template <class K>
void slide(const K* const* rows, i64 w, K* const* outs, i64 count, i64 width) {
  i64 i = 0;
  for (; i + group <= count && 3 <= w && w <= short_window; i += group) {
    if (w == 3)
      few<group, 3>(rows + i, w, outs + i, width);
    else if (w == 5)
      few<group, 5>(rows + i, w, outs + i, width);
    else
      few<group, 0>(rows + i, w, outs + i, width);
  }
  while (i < count) {
    const i64 n = std::min(count - i, w);
    many(rows + i, w, outs + i, n, width);
    i += n;
  }
}

// The least of n numbers at places 0, step, 2 step, ... but none beyond `most`.
template <int n, class K>
[[gnu::always_inline]] inline Vec<K> least(const K* p, i64 step, i64 most) {
  Vec<K> low = simd::load(p);
  for (int i = 1; i < n; ++i) low = min(low, simd::load(p + std::min(i * step, most)));
  return low;
}

// Writes keys to an image.
template <class T>
struct Writer {
  using V = Vec<Key<T>>;
  V flip;
  bool past;  // around the cache

  template <class F>
  void row(T* out, i64 count, F keys) const {
    i64 x = 0;
    if (past && reinterpret_cast<u64>(out) % simd::bytes == 0)
      for (; x + V::lanes <= count; x += V::lanes)
        simd::stream(out + x, as_numbers<T>(keys(x) ^ flip));
    for (; x + V::lanes <= count; x += V::lanes)
      simd::store(out + x, as_numbers<T>(keys(x) ^ flip));
    if (x < count) simd::store(out + x, as_numbers<T>(keys(x) ^ flip), int(count - x));
  }

  // By N vectors at a time: make(x, keys) may run so far beyond the last.
  template <int N, class F>
  void rows(T* out, i64 count, F make) const {
    const bool stream = past && reinterpret_cast<u64>(out) % simd::bytes == 0;
    V keys[N];
    for (i64 x = 0; x < count; x += N * V::lanes) {
      make(x, keys);
      for (int v = 0; v < N; ++v) {
        const i64 at = x + v * V::lanes;
        const auto numbers = as_numbers<T>(keys[v] ^ flip);
        if (at + V::lanes > count)
          at < count ? simd::store(out + at, numbers, int(count - at)) : void();
        else
          stream ? simd::stream(out + at, numbers) : simd::store(out + at, numbers);
      }
    }
  }
};

// out[x] = the least of line[x .. x + w - 1]; the line has room for a vector behind its last place.
template <class T, class K>
void along_x(K* line, T* out, i64 count, i64 w, const Writer<T>& writer) {
  i64 done = 1, places = count + w - 1;
  while (5 * done < w) {
    places -= 3 * done;
    for (i64 x = 0; x < places; x += Vec<K>::lanes)
      simd::store(line + x, least<4>(line + x, done, 3 * done));
    done *= 4;
  }
  const i64 step = done, most = w - done;
  if (most == 0)
    writer.row(out, count, [&](i64 x) { return simd::load(line + x); });
  else if (most <= step)
    writer.row(out, count, [&](i64 x) { return least<2>(line + x, step, most); });
  else if (most <= 2 * step)
    writer.row(out, count, [&](i64 x) { return least<3>(line + x, step, most); });
  else if (most <= 3 * step)
    writer.row(out, count, [&](i64 x) { return least<4>(line + x, step, most); });
  else
    writer.row(out, count, [&](i64 x) { return least<5>(line + x, step, most); });
}

// ---- what both schedules share ----

// Reads stretches of the image's rows as keys. Place 0 of a line is the image's column `first`.
template <class T>
class Reader {
 public:
  using K = Key<T>;
  using V = Vec<K>;

  Reader(View<const T> in, K fill, K flip, i64 first, i64 places, Edge edge, bool closed)
      : fill_(fill), flip_(flip), first_(first), places_(places) {
    const i64 n = in.size.x;
    begin_ = std::clamp<i64>(-first, 0, places);
    end_ = std::clamp(n - first, begin_, places);
    for (i64 p = 0; p < places; ++p) {
      if (begin_ <= p && p < end_) continue;
      const i64 from = closed ? -1 : inside(first + p, n, edge);
      borders_.push_back({p, from});
    }
    edge_ = closed ? std::numeric_limits<K>::max() : fill;
  }

  // The stretch of a row, or of what lies outside where there is no row. What is `soon` further on
  // is read before long.
  void read(const T* row, K* out, i64 soon) const {
    if (!row) {
      std::fill_n(out, places_, fill_);
      return;
    }
    const T* from = row + first_;
    const V flip = flip_;
    i64 p = begin_;
    for (; p + V::lanes <= end_; p += V::lanes) {
      simd::store(out + p, as_keys<T>(simd::load(from + p)) ^ flip);
      __builtin_prefetch(from + p + soon);
    }
    if (p < end_) {
      const int rest = int(end_ - p);
      simd::store(out + p, as_keys<T>(simd::load(from + p, rest)) ^ flip, rest);
    }
    for (const auto [to, at] : borders_) out[to] = at < 0 ? edge_ : K(rank_key(row[at]) ^ flip_);
  }

 private:
  struct Border {
    i64 to, from;
  };
  K fill_, flip_, edge_;
  i64 first_, places_, begin_, end_;
  std::vector<Border> borders_;
};

template <class T>
struct Job {
  using K = Key<T>;
  On on;
  View<const T> in;
  View<T> out;
  Window z, y, x;
  K fill, flip;

  static constexpr i64 lanes = Vec<K>::lanes;
  static constexpr i64 streamed_bytes = 8 << 20;  // from here on the output goes around the cache

  Writer<T> writer() const {
    return {Vec<K>(flip), out.size.count() * i64(sizeof(T)) >= streamed_bytes};
  }
  const T* row(i64 at_z, i64 at_y) const {
    const i64 zz = inside(at_z, in.size.z, z.edge), yy = inside(at_y, in.size.y, y.edge);
    return zz < 0 || yy < 0 ? nullptr : in.row(zz, yy);
  }
  // The distance between lines: an odd number of cache lines, so that they spread over the cache.
  static i64 pitch(i64 places) {
    constexpr i64 unit = 64 / i64(sizeof(K));
    return ((places + lanes + unit - 1) / unit | 1) * unit;
  }

  // task(from, to) for blocks of `planes`, tiles of `columns`, and strips where there are few.
  template <class F>
  void share(i64 planes, i64 columns, F task) const {
    const Size n = out.size;
    const i64 blocks = (n.z + planes - 1) / planes, tiles = (n.x + columns - 1) / columns;
    const i64 wanted = (4 * on.threads - 1) / (blocks * tiles) + 1;
    const i64 shortest = std::max<i64>(16, 4 * y.size);
    const i64 strips = on.threads == 1 ? 1 : std::clamp<i64>(n.y / shortest, 1, wanted);
    parallel_for(on, blocks * strips * tiles, [&](i64 i) {
      const i64 tile = i % tiles, strip = i / tiles % strips, block = i / tiles / strips;
      task(Size{block * n.z / blocks, strip * n.y / strips, tile * n.x / tiles},
           Size{(block + 1) * n.z / blocks, (strip + 1) * n.y / strips, (tile + 1) * n.x / tiles});
      simd::stream_fence();
    });
  }
};

// Room for so many keys: enough for the memory to be kept for the next task, page by page.
template <class K>
i64 kept(i64 keys) {
  return std::max<i64>(keys, (1 << 20) / sizeof(K));
}

// ---- boxes ----

// Rows made by one slide along y.
constexpr i64 lines_at_once(i64 window) {
  return window == 1 ? 1 : window <= short_window ? group : std::min<i64>(window, 32);
}

template <class T>
class BoxTask {
  using K = Key<T>;

 public:
  BoxTask(const Job<T>& job, Size a, Size b)
      : job_(job),
        a_(a),
        b_(b),
        planes_(b.z - a.z),
        columns_(b.x - a.x),
        places_(columns_ + job.x.size - 1),
        pitch_(Job<T>::pitch(places_)),
        lines_(lines_at_once(job.y.size)),
        slots_(job.y.size + lines_ - 1),
        staged_(planes_ + job.z.size - 1),
        reader_(job.in, job.fill, job.flip, a.x + job.x.first, places_, job.x.edge, job.x.closed()),
        room_(kept<K>((staged_ + planes_ * slots_ + lines_) * pitch_)) {
    std::fill_n(room_.begin(), (staged_ + planes_ * slots_ + lines_) * pitch_, K(0));
    ring_ = room_.data() + (job.z.size > 1 ? staged_ : 0) * pitch_;
    finished_ = ring_ + planes_ * slots_ * pitch_;
    from_.resize(std::max(staged_, slots_));
    to_.resize(std::max(planes_, lines_));
  }

  void run() {
    const Writer<T> writer = job_.writer();
    i64 next = a_.y + job_.y.first;
    for (i64 y = a_.y; y < b_.y; y += lines_) {
      const i64 lines = std::min(lines_, b_.y - y);
      for (; next <= y + lines - 1 + job_.y.last(); ++next) make_row(next);
      for (i64 p = 0; p < planes_; ++p) {
        for (i64 i = 0; i < lines + job_.y.size - 1; ++i) from_[i] = slot(p, y + job_.y.first + i);
        for (i64 i = 0; i < lines; ++i) to_[i] = finished_ + i * pitch_;
        if (job_.y.size == 1)
          for (i64 i = 0; i < lines; ++i) to_[i] = const_cast<K*>(from_[i]);
        else
          slide(from_.data(), job_.y.size, to_.data(), lines, places_);
        for (i64 i = 0; i < lines; ++i)
          along_x(to_[i], job_.out.row(a_.z + p, y + i) + a_.x, columns_, job_.x.size, writer);
      }
    }
  }

 private:
  const Job<T>& job_;
  const Size a_, b_;
  const i64 planes_, columns_, places_, pitch_, lines_, slots_, staged_;
  const Reader<T> reader_;
  Scratch<K> room_;
  K *ring_, *finished_;
  std::vector<const K*> from_;
  std::vector<K*> to_;

  K* slot(i64 plane, i64 y) const {
    const i64 turn = (y - a_.y - job_.y.first) % slots_;
    return ring_ + (plane * slots_ + turn) * pitch_;
  }

  // The row at y of every plane, done along z.
  void make_row(i64 y) {
    const i64 z = a_.z + job_.z.first;
    if (job_.z.size == 1) {
      for (i64 p = 0; p < planes_; ++p)
        reader_.read(job_.row(z + p, y), slot(p, y), job_.in.step.y);
      return;
    }
    for (i64 i = 0; i < staged_; ++i) {
      K* stage = room_.data() + i * pitch_;
      reader_.read(job_.row(z + i, y), stage, job_.in.step.y);
      from_[i] = stage;
    }
    for (i64 p = 0; p < planes_; ++p) to_[p] = slot(p, y);
    slide(from_.data(), job_.z.size, to_.data(), planes_, places_);
  }
};

// A long window along z alone, a stretch of a row of all planes at a time. Of as many planes as the
// window has, each gathers those behind it in place; what is before it comes as the next are read.
template <class T>
void along_z(const Job<T>& job) {
  // Of less memory is slow, of more the cache is full.
  constexpr i64 stretch = 2048 / sizeof(T);
  using K = Key<T>;
  using V = Vec<K>;
  const i64 w = job.z.size;
  job.share(job.out.size.z, std::min(job.out.size.x, stretch), [&](Size a, Size b) {
    const Writer<T> writer = job.writer();
    const i64 columns = b.x - a.x, pitch = Job<T>::pitch(columns);
    const Reader<T> reader(job.in, job.fill, job.flip, a.x, columns, job.x.edge, false);
    Scratch<K> room(kept<K>((2 * w + 1) * pitch));
    std::fill_n(room.begin(), (2 * w + 1) * pitch, K(0));
    K *now = room.data(), *next = now + w * pitch, *const gathered = next + w * pitch;
    for (i64 y = a.y; y < b.y; ++y) {
      const auto read = [&](i64 z, K* line) {
        reader.read(job.row(z + job.z.first, y), line, job.in.step.z);
      };
      for (i64 i = 0; i < w; ++i) read(i, now + i * pitch);
      for (i64 z = 0; z < b.z; z += w) {
        for (i64 i = w - 2; i >= 0; --i)
          for (i64 x = i * pitch; x < i * pitch + columns; x += V::lanes)
            simd::store(now + x, min(simd::load(now + x), simd::load(now + x + pitch)));
        std::fill_n(gathered, pitch, std::numeric_limits<K>::max());
        for (i64 i = 0; i < std::min(w, b.z - z); ++i) {
          K *const line = now + i * pitch, *const behind = next + i * pitch;
          read(z + w + i, behind);
          writer.row(job.out.row(z + i, y) + a.x, columns, [&](i64 x) {
            const V before = simd::load(gathered + x);
            simd::store(gathered + x, min(before, simd::load(behind + x)));
            return min(before, simd::load(line + x));
          });
        }
        std::swap(now, next);
      }
    }
  });
}

template <class T>
void box_extreme(const Job<T>& job) {
  const Size n = job.out.size;
  const i64 width = std::max<i64>(job.y.size, job.x.size);
  if (job.z.size > short_window && width == 1) {
    Job<T> flat = job;
    if (n.y > 1 && job.in.step.y == n.x && job.out.step.y == n.x)  // rows are one long row
      flat.in.size = flat.out.size = {n.z, 1, n.y * n.x};
    return along_z(flat);
  }
  if (job.z.size > short_window) {
    // A ring of so many planes and rows would not stay in the cache.
    Scratch<T> between(n.count());
    const View<T> out{between.data(), n, {n.y * n.x, n.x, 1}};
    const Window one{0, 1, Edge::nearest};
    box_extreme(Job<T>{job.on, job.in, out, job.z, one, one, job.fill, job.flip});
    const View<const T> in{between.data(), n, {n.y * n.x, n.x, 1}};
    box_extreme(Job<T>{job.on, in, job.out, one, job.y, job.x, job.fill, job.flip});
    return;
  }
  constexpr i64 ring_bytes = 256 << 10;
  const i64 slots = job.y.size + lines_at_once(job.y.size) - 1;
  i64 columns = n.x, planes = 1;
  if (job.z.size > 1) {
    // Narrow tiles where all planes go at once; wide ones beside what neighbours read twice.
    if (job.z.size > short_window) columns = std::min<i64>(n.x, 1024 / sizeof(Key<T>));
    const i64 plane_bytes = slots * Job<T>::pitch(columns + job.x.size) * i64(sizeof(Key<T>));
    const i64 least = std::max<i64>(8, std::min(n.z, job.z.size));
    planes = std::clamp(ring_bytes / plane_bytes, least, std::max<i64>(256, least));
  }
  job.share(planes, columns, [&](Size a, Size b) { BoxTask<T>(job, a, b).run(); });
}

// ---- other footprints ----

// Offsets from x + first on, of the length-th length.
struct Chord {
  i64 dz, dy, first;
  int length;
};

struct Chords {
  std::vector<Chord> all;
  std::vector<i64> lengths;  // rising

  explicit Chords(List<const i64> offsets) {
    std::vector<std::array<i64, 3>> at;
    for (i64 i = 0; i + 2 < offsets.size; i += 3)
      at.push_back({offsets[i], offsets[i + 1], offsets[i + 2]});
    std::sort(at.begin(), at.end());
    std::map<i64, int> known;
    std::vector<i64> counts;
    for (std::size_t i = 0; i < at.size();) {
      std::size_t n = 1;
      while (i + n < at.size() && at[i + n][0] == at[i][0] && at[i + n][1] == at[i][1] &&
             at[i + n][2] == at[i][2] + i64(n))
        ++n;
      all.push_back({at[i][0], at[i][1], at[i][2], 0});
      counts.push_back(i64(n));
      known[i64(n)] = 0;
      i += n;
    }
    for (auto& [length, index] : known) {
      index = int(lengths.size());
      lengths.push_back(length);
    }
    for (std::size_t i = 0; i < all.size(); ++i) all[i].length = known[counts[i]];
  }
};

template <class T>
class ChordTask {
  using K = Key<T>;
  using V = Vec<K>;

 public:
  ChordTask(const Job<T>& job, const Chords& chords, Size a, Size b)
      : job_(job),
        chords_(chords),
        a_(a),
        b_(b),
        columns_(b.x - a.x),
        places_(columns_ + job.x.size - 1),
        pitch_(Job<T>::pitch(places_ + 3 * V::lanes)),
        planes_(b.z - a.z + job.z.size - 1),
        kinds_(i64(chords.lengths.size())),
        reader_(job.in, job.fill, job.flip, a.x + job.x.first, places_, job.x.edge, false),
        room_(kept<K>((planes_ * job.y.size * kinds_ + 1) * pitch_)),
        at_(chords.all.size()),
        from_(at_.size()) {
    line_ = room_.data() + planes_ * job.y.size * kinds_ * pitch_;
    std::fill(room_.data(), line_ + pitch_, K(0));
  }

  void run() {
    const Writer<T> writer = job_.writer();
    const i64 plane = job_.y.size * kinds_ * pitch_;
    i64 next = a_.y + job_.y.first;
    for (i64 y = a_.y; y < b_.y; ++y) {
      for (; next <= y + job_.y.last(); ++next)
        for (i64 p = 0; p < planes_; ++p) make_row(p, next);
      for (std::size_t i = 0; i < at_.size(); ++i) {
        const Chord& c = chords_.all[i];
        at_[i] = row(c.dz - job_.z.first, y + c.dy, c.length) + (c.first - job_.x.first);
      }
      for (i64 z = a_.z; z < b_.z; ++z) {
        for (std::size_t i = 0; i < from_.size(); ++i) from_[i] = at_[i] + (z - a_.z) * plane;
        writer.template rows<4>(job_.out.row(z, y) + a_.x, columns_, combined());
      }
    }
  }

 private:
  const Job<T>& job_;
  const Chords& chords_;
  const Size a_, b_;
  const i64 columns_, places_, pitch_, planes_, kinds_;
  const Reader<T> reader_;
  Scratch<K> room_;
  K* line_;
  std::vector<const K*> at_, from_;  // where the chords of a row lie in the first plane, and in one

  K* row(i64 plane, i64 y, i64 kind) const {
    const i64 turn = (y - a_.y - job_.y.first) % job_.y.size;
    return room_.data() + ((plane * job_.y.size + turn) * kinds_ + kind) * pitch_;
  }

  // One row's minima over each length, each made from the length before.
  void make_row(i64 plane, i64 y) {
    const bool single = chords_.lengths[0] == 1;
    K* from = single ? row(plane, y, 0) : line_;
    reader_.read(job_.row(a_.z + job_.z.first + plane, y), from, job_.in.step.y);
    i64 done = 1;
    for (i64 kind = single; kind < kinds_; ++kind) {
      K* to = row(plane, y, kind);
      const i64 length = chords_.lengths[kind];
      while (done < length) {
        const i64 next = std::min(4 * done, length), most = next - done;
        for (i64 x = 0; x < places_; x += V::lanes)
          simd::store(to + x, next <= 2 * done   ? least<2>(from + x, done, most)
                              : next <= 3 * done ? least<3>(from + x, done, most)
                                                 : least<4>(from + x, done, most));
        done = next;
        from = to;
      }
    }
  }

  // Makes four vectors of the answer from the chords of a row.
  auto combined() const {
    return [n = i64(from_.size()), from = from_.data()](i64 x, V(&low)[4]) {
      for (int v = 0; v < 4; ++v) low[v] = simd::load(from[0] + x + v * V::lanes);
      for (i64 i = 1; i < n; ++i) {
        const K* at = from[i] + x;
        for (int v = 0; v < 4; ++v) low[v] = min(low[v], simd::load(at + v * V::lanes));
      }
    };
  }
};

template <class T>
void chord_extreme(Job<T> job, List<const i64> offsets) {
  const Chords chords(offsets);
  i64 low[3], high[3];
  for (int axis = 0; axis < 3; ++axis) low[axis] = high[axis] = offsets[axis];
  for (i64 i = 0; i < offsets.size; ++i) {
    low[i % 3] = std::min(low[i % 3], offsets[i]);
    high[i % 3] = std::max(high[i % 3], offsets[i]);
  }
  Window* const axes[3] = {&job.z, &job.y, &job.x};
  for (int axis = 0; axis < 3; ++axis) {
    axes[axis]->first = low[axis];
    axes[axis]->size = high[axis] - low[axis] + 1;
  }
  constexpr i64 ring_bytes = 256 << 10;
  const i64 lines = job.y.size * i64(chords.lengths.size()), halo = job.z.size - 1;
  // A plane's rows are best read whole, as long as their ring stays in the cache.
  i64 columns = std::min<i64>(job.out.size.x, halo ? 1024 : 4096), planes;
  for (;; columns /= 2) {
    const i64 bytes = lines * Job<T>::pitch(columns + job.x.size) * i64(sizeof(Key<T>));
    planes = std::min<i64>(ring_bytes / bytes - halo, 16);
    if (planes >= std::clamp<i64>(halo, columns > 1024, 8)) break;
    if (columns < 16 * Vec<Key<T>>::lanes || columns < 4 * job.x.size) break;
  }
  planes = std::max({planes, halo / 2, i64(1)});
  job.share(planes, columns, [&](Size a, Size b) { ChordTask<T>(job, chords, a, b).run(); });
}

}  // namespace

template <class T>
void extreme(On on, View<const T> x, View<T> y, List<const i64> offsets, Size size, Size first,
             i64 highest, Edge ez, Edge ey, Edge ex, f64 fill) {
  using K = Key<T>;
  const K flip = highest ? K(~K(0)) : K(0);
  const Job<T> job{on,
                   x,
                   y,
                   {first.z, size.z, ez},
                   {first.y, size.y, ey},
                   {first.x, size.x, ex},
                   K(rank_key(T(fill)) ^ flip),
                   flip};
  if (offsets.size)
    chord_extreme(job, offsets);
  else
    box_extreme(job);
}

using Offsets = List<const i64>;
template void extreme(On, View<const u8>, View<u8>, Offsets, Size, Size, i64, Edge, Edge, Edge,
                      f64);
template void extreme(On, View<const i16>, View<i16>, Offsets, Size, Size, i64, Edge, Edge, Edge,
                      f64);
template void extreme(On, View<const u16>, View<u16>, Offsets, Size, Size, i64, Edge, Edge, Edge,
                      f64);
template void extreme(On, View<const i32>, View<i32>, Offsets, Size, Size, i64, Edge, Edge, Edge,
                      f64);
template void extreme(On, View<const f32>, View<f32>, Offsets, Size, Size, i64, Edge, Edge, Edge,
                      f64);
template void extreme(On, View<const f64>, View<f64>, Offsets, Size, Size, i64, Edge, Edge, Edge,
                      f64);

}  // namespace voxkern::cpu
