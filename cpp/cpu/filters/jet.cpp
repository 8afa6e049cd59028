#include <cpu/filters/derivatives.hpp>
#include <cpu/filters/lanes.hpp>

namespace voxkern::cpu {
namespace {

template <class T>
class Answer {
 public:
  using C = sum_of<T>;

  Answer(const Derivatives<T>& derivatives, Components<T> place, Jet kind)
      : derivatives_(derivatives), place_(place), kind_(kind) {}

  void operator()(const axes::Fields<C>& row) const {
    const int terms = derivatives_.count();
    const bool apart = kind_ == Jet::gradient || kind_ == Jet::hessian || terms == 1;
    if (apart && kind_ != Jet::magnitude) {
      for (int n = 0; n < terms; ++n) derivatives_.write(row, n, place_(row, n), row.past);
      return;
    }
    const auto found = derivatives_.all(row);
    if (kind_ == Jet::eigenvalues) return spectra(row, found, terms);
    T* out = place_(row, 0);
    const bool past = streams(out, row.past), squares = kind_ == Jet::magnitude;
    for (i64 x = 0; x < row.count; x += simd::lanes<C>) {
      Vec<C> sum = C(0);
      for (int n = 0; n < terms; ++n) {
        const Vec<C> term = found(n, x);
        sum += squares ? term * term : term;
      }
      write_some(out + x, squares ? simd::sqrt(sum) : sum, row.count - x, past);
    }
  }

 private:
  const Derivatives<T>& derivatives_;
  const Components<T> place_;
  const Jet kind_;

  void spectra(const axes::Fields<C>& row, const typename Derivatives<T>::Row& m, int terms) const {
    const int count = terms == 6 ? 3 : 2;
    T* outs[3];
    bool past = row.past;
    for (int n = 0; n < count; ++n) {
      outs[n] = place_(row, n);
      past = streams(outs[n], past);
    }
    for (i64 x = 0; x < row.count; x += simd::lanes<C>) {
      const auto put = [&](int n, Vec<C> v) { write_some(outs[n] + x, v, row.count - x, past); };
      if (terms == 6) {
        const auto e = eigenvalues<sizeof(T) / 8, Lanes>(
            Symmetric<Vec<C>>{m(0, x), m(1, x), m(2, x), m(3, x), m(4, x), m(5, x)});
        put(0, e.low), put(1, e.middle), put(2, e.high);
      } else {
        const auto e = eigenvalues<Lanes>(m(0, x), m(1, x), m(2, x));
        put(0, e.low), put(1, e.high);
      }
    }
  }
};

}  // namespace

template <class T>
void jet(On on, View<const T> in, View<T> out, List<const f64> wz, List<const f64> wy,
         List<const f64> wx, i64 kind, Edge ez, Edge ey, Edge ex, f64 fill) {
  if (in.size.count() == 0) return;
  const Jet what = Jet(kind);
  const int order = what == Jet::gradient || what == Jet::magnitude ? 1 : 2;
  const Derivatives<T> derivatives({wz, wy, wx}, {ez, ey, ex}, order, what == Jet::laplacian);
  const Answer<T> answer(derivatives, {out, in.size.z}, what);
  const auto finish = [&](const axes::Fields<sum_of<T>>& row) { answer(row); };
  axes::Schedule<T, decltype(finish)>(on, in, derivatives.stages(), fill, finish).run();
}

using W = List<const f64>;
template void jet(On, View<const f32>, View<f32>, W, W, W, i64, Edge, Edge, Edge, f64);
template void jet(On, View<const f64>, View<f64>, W, W, W, i64, Edge, Edge, Edge, f64);

}  // namespace voxkern::cpu
