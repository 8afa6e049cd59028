// Eigenvalues of symmetric matrices of any order, one matrix a lane, and as many of their
// eigenvectors as are wanted: Householder's tridiagonal form, QL steps for the values, inverse
// iteration for the vectors. Lanes that are done wait for the others.
#pragma once
#include <voxkern/simd.hpp>

#include <cpu/memory.hpp>

#include <algorithm>
#include <limits>

namespace voxkern::cpu {

class Eigen {
 public:
  using V = Vec<f64>;
  using M = V::Mask;

  explicit Eigen(i64 order)
      : n_(order),
        matrix_(order * (order + 1) / 2),
        vectors_(order * order),
        lines_(order * 9),
        swap_(order),
        diagonal_(lines_.data()),
        beside_(diagonal_ + order),
        share_(beside_ + order),
        values_(share_ + order),
        work_(values_ + order),
        above_(work_ + order),
        second_(above_ + order),
        inverse_(second_ + order),
        factor_(inverse_ + order) {}

  // Entries (i, 0) to (i, i), for the caller to set. solve() overwrites them.
  V* row(i64 i) { return matrix_.data() + i * (i + 1) / 2; }

  // Finds the eigenvalues, which come in no order.
  const V* solve() {
    V trace = 0.0;
    for (i64 i = 0; i < n_; ++i) trace += row(i)[i];
    const auto is = trace > V(1e-290);
    scale_ = simd::select(is, trace, 0.0);
    const V to_one = simd::select(is, V(1.0) / simd::select(is, trace, 1.0), 0.0);
    for (V& entry : matrix_) entry *= to_one;
    reduce();
    find_values();
    for (i64 i = 0; i < n_; ++i) values_[i] *= scale_;
    return values_;
  }

  // Finds the vectors that belong to `count` eigenvalues of each lane, the largest first.
  void find_vectors(const V* values, i64 count) {
    const auto is = scale_ > V(0.0);
    const V to_one = simd::select(is, V(1.0) / simd::select(is, scale_, 1.0), 0.0);
    u64 random = 1;
    for (i64 j = 0; j < count; ++j) {
      factor(values[j] * to_one);
      V* x = vectors_.data() + j * n_;
      for (i64 i = 0; i < n_; ++i) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        x[i] = f64(i64(random) >> 11) * 0x1p-52;
      }
      for (int turn = 0; turn < 3; ++turn) {
        divide(x);
        normalise(x);
        for (i64 k = 0; k < j; ++k) {
          const V* other = vectors_.data() + k * n_;
          subtract(x, other, dot(x, other, n_), n_);
        }
        normalise(x);
      }
    }
    for (i64 j = 0; j < count; ++j) turn_back(vectors_.data() + j * n_);
  }
  const V* vector(i64 j) const { return vectors_.data() + j * n_; }

 private:
  i64 n_;
  Scratch<V> matrix_, vectors_, lines_;
  Scratch<M> swap_;
  V *diagonal_, *beside_, *share_;  // of the tridiagonal form; beside_[i] is left of (i, i)
  V *values_, *work_;               // what QL steps turn it into
  V *above_, *second_, *inverse_, *factor_;  // its factors, less an eigenvalue
  V scale_ = 0.0;

  static constexpr f64 tiny = std::numeric_limits<f64>::epsilon();

  static V dot(const V* a, const V* b, i64 count) {
    V sum[4] = {0.0, 0.0, 0.0, 0.0};
    i64 i = 0;
    for (; i + 4 <= count; i += 4)
      for (int k = 0; k < 4; ++k) sum[k] = simd::fma(a[i + k], b[i + k], sum[k]);
    for (; i < count; ++i) sum[0] = simd::fma(a[i], b[i], sum[0]);
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
  }
  static void subtract(V* x, const V* other, V times, i64 count) {
    for (i64 i = 0; i < count; ++i) x[i] = simd::fma(-times, other[i], x[i]);
  }
  static V with_sign_of(V size, V of) { return simd::select(of < V(0.0), -size, size); }

  void normalise(V* x) const {
    const V power = dot(x, x, n_);
    const V by = V(1.0) / simd::sqrt(simd::max(power, 1e-300));
    for (i64 i = 0; i < n_; ++i) x[i] *= by;
  }

  // Reflects rows from the last up until only diagonals are left. Row i keeps the vector of its
  // reflection, share_[i] twice one over the vector's squared length.
  void reduce() {
    for (i64 i = n_ - 1; i > 0; --i) {
      V* u = row(i);
      V* q = work_;
      const V last = u[i - 1], length = simd::sqrt(dot(u, u, i));
      const V end = with_sign_of(length, last);
      u[i - 1] = last + end;
      const V half = length * length + last * end;  // of the squared length
      const auto is = half > V(1e-290);
      share_[i] = simd::select(is, V(1.0) / simd::select(is, half, 1.0), 0.0);
      beside_[i] = -end;
      diagonal_[i] = u[i];
      multiply(u, q, i);
      for (i64 c = 0; c < i; ++c) q[c] *= share_[i];
      const V along = V(0.5) * share_[i] * dot(u, q, i);
      subtract(q, u, along, i);
      update(u, q, i);
    }
    diagonal_[0] = row(0)[0];
    beside_[0] = 0.0;
  }
  // p = A u, of the leading `count` rows. Each entry is read once.
  void multiply(const V* u, V* p, i64 count) {
    i64 r = 0;
    if (count & 1) {
      p[0] = row(0)[0] * u[0];
      r = 1;
    }
    for (; r < count; r += 2) {
      const V *a = row(r), *b = row(r + 1);
      const V ua = u[r], ub = u[r + 1];
      V sa = a[r] * ua, sb = b[r + 1] * ub;
      sa = simd::fma(b[r], ub, sa);
      sb = simd::fma(b[r], ua, sb);
      for (i64 c = 0; c < r; ++c) {
        sa = simd::fma(a[c], u[c], sa);
        sb = simd::fma(b[c], u[c], sb);
        p[c] = simd::fma(b[c], ub, simd::fma(a[c], ua, p[c]));
      }
      p[r] = sa;
      p[r + 1] = sb;
    }
  }
  // A -= u q' + q u', of the leading `count` rows.
  void update(const V* u, const V* q, i64 count) {
    i64 r = 0;
    if (count & 1) {
      row(0)[0] = simd::fma(-u[0], q[0] + q[0], row(0)[0]);
      r = 1;
    }
    for (; r < count; r += 2) {
      V *a = row(r), *b = row(r + 1);
      const V ua = -u[r], ub = -u[r + 1], qa = -q[r], qb = -q[r + 1];
      for (i64 c = 0; c <= r; ++c) {
        a[c] = simd::fma(qa, u[c], simd::fma(ua, q[c], a[c]));
        b[c] = simd::fma(qb, u[c], simd::fma(ub, q[c], b[c]));
      }
      b[r + 1] = simd::fma(ub, q[r + 1] + q[r + 1], b[r + 1]);
    }
  }

  // QL steps with implicit shifts, without vectors: tql1 of EISPACK. An entry beside the diagonal
  // that says nothing next to it becomes 0, and parts the matrix of its lane.
  void find_values() {
    V *d = values_, *e = work_;
    for (i64 i = 0; i < n_; ++i) {
      d[i] = diagonal_[i];
      e[i] = i + 1 < n_ ? beside_[i + 1] : V(0.0);
    }
    for (i64 l = 0; l + 1 < n_; ++l)
      for (int turn = 0; turn < 60; ++turn)
        if (!step(d, e, l)) break;
  }
  // One step for the part of each lane's matrix that starts at l; false if that is one entry in
  // all lanes.
  bool step(V* d, V* e, i64 l) {
    // The last row of the part, and its entry on the diagonal.
    V last = f64(n_ - 1), end = d[n_ - 1];
    i64 longest = n_ - 1;
    M open = M(-1);
    for (i64 m = l; m + 1 < n_; ++m) {
      const M small = simd::abs(e[m]) <= V(tiny) * (simd::abs(d[m]) + simd::abs(d[m + 1]) + 0.01);
      e[m] = simd::select(small, V(0.0), e[m]);
      last = simd::select(open & small, V(f64(m)), last);
      end = simd::select(open & small, d[m], end);
      open &= ~small;
      if (!simd::any(open)) {
        longest = m;
        break;
      }
    }
    if (longest == l) return false;
    M going = last > V(f64(l));
    const V beside = simd::select(going, e[l], 1.0);
    V g = (d[l + 1] - d[l]) / (beside + beside);
    g = end - d[l] + beside / (g + with_sign_of(simd::sqrt(simd::fma(g, g, 1.0)), g));
    V s = 1.0, c = 1.0, p = 0.0;
    for (i64 i = longest - 1; i >= l; --i) {
      M now = going & (V(f64(i)) < last);
      const V f = s * e[i], b = c * e[i], r = simd::sqrt(simd::fma(f, f, g * g));
      e[i + 1] = simd::select(now & (V(f64(i + 1)) < last), r, e[i + 1]);
      const M none = now & (r == V(0.0));  // the part falls apart here
      d[i + 1] = simd::select(none, d[i + 1] - p, d[i + 1]);
      going &= ~none;
      now &= ~none;
      const V by = V(1.0) / simd::select(now, r, 1.0);
      const V s1 = f * by, c1 = g * by, h = d[i + 1] - p;
      const V t = simd::fma(d[i] - h, s1, V(2.0) * c1 * b);
      s = simd::select(now, s1, s);
      c = simd::select(now, c1, c);
      p = simd::select(now, s1 * t, p);
      d[i + 1] = simd::select(now, h + p, d[i + 1]);
      g = simd::select(now, simd::fma(c1, t, -b), g);
    }
    d[l] = simd::select(going, d[l] - p, d[l]);
    e[l] = simd::select(going, g, e[l]);
    return true;
  }

  // Factors the tridiagonal form less `value`, with pivots.
  void factor(V value) {
    V first = diagonal_[0] - value, next = n_ > 1 ? beside_[1] : V(0.0);
    for (i64 i = 0; i + 1 < n_; ++i) {
      const V below = beside_[i + 1], middle = diagonal_[i + 1] - value;
      const V right = i + 2 < n_ ? beside_[i + 2] : V(0.0);
      const M swap = simd::abs(below) > simd::abs(first);
      const V pivot = far_from_0(simd::select(swap, below, first));
      const V by = V(1.0) / pivot;
      inverse_[i] = by;
      above_[i] = simd::select(swap, middle, next);
      second_[i] = simd::select(swap, right, 0.0);
      const V times = simd::select(swap, first, below) * by;
      factor_[i] = times;
      swap_[i] = swap;
      first = simd::fma(-times, above_[i], simd::select(swap, next, middle));
      next = simd::select(swap, -times * right, right);
    }
    inverse_[n_ - 1] = V(1.0) / far_from_0(first);
  }
  static V far_from_0(V a) {
    return simd::select(simd::abs(a) < V(tiny), with_sign_of(V(tiny), a), a);
  }
  // Solves for what was factored.
  void divide(V* x) const {
    for (i64 i = 0; i + 1 < n_; ++i) {
      const V a = x[i], b = x[i + 1];
      x[i] = simd::select(swap_[i], b, a);
      x[i + 1] = simd::fma(-factor_[i], x[i], simd::select(swap_[i], a, b));
    }
    V after = 0.0, second = 0.0;
    for (i64 i = n_ - 1; i >= 0; --i) {
      V a = x[i];
      if (i + 1 < n_) a = simd::fma(-above_[i], after, simd::fma(-second_[i], second, a));
      second = after;
      x[i] = after = a * inverse_[i];
    }
  }
  // From the tridiagonal form's vector to the matrix's.
  void turn_back(V* x) const {
    for (i64 i = 1; i < n_; ++i) {
      const V* u = matrix_.data() + i * (i + 1) / 2;
      subtract(x, u, share_[i] * dot(x, u, i), i);
    }
  }
};

}  // namespace voxkern::cpu
