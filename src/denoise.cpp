#include <voxkern/filters/bilateral.hpp>
#include <voxkern/filters/bm4d.hpp>
#include <voxkern/filters/diffuse.hpp>
#include <voxkern/filters/dwt.hpp>
#include <voxkern/filters/frost.hpp>
#include <voxkern/filters/mend.hpp>
#include <voxkern/filters/mppca.hpp>
#include <voxkern/filters/nl_means.hpp>
#include <voxkern/filters/pool.hpp>
#include <voxkern/filters/sort_columns.hpp>
#include <voxkern/filters/spikes.hpp>
#include <voxkern/filters/srad.hpp>
#include <voxkern/filters/tv.hpp>
#include <voxkern/filters/unring.hpp>

#include "call.hpp"

namespace voxkern {

// Integers are averaged to float32, or to float64 where float32 cannot hold them.
template <class F>
auto each_averaged(F make) {
  return each_pair<Pair<u8, f32>, Pair<i16, f32>, Pair<u16, f32>, Pair<i32, f64>, Pair<f32, f32>,
                   Pair<f64, f64>>(make);
}

static const Family denoise([](Module& m) {
  m.kernel("bilateral",
           each_averaged([](auto t, auto r) { return &cpu::bilateral<decltype(t), decltype(r)>; }));
  m.kernel("bm4d", each<f32, f64>([](auto t) { return &cpu::bm4d<decltype(t)>; }));
  m.kernel("diffuse",
           each_averaged([](auto t, auto r) { return &cpu::diffuse<decltype(t), decltype(r)>; }));
  m.kernel(
      "dwt",
      each_pair<Pair<u8, f32>, Pair<i16, f32>, Pair<u16, f32>, Pair<f32, f32>, Pair<u8, f64>,
                Pair<i16, f64>, Pair<u16, f64>, Pair<i32, f64>, Pair<f32, f64>, Pair<f64, f64>>(
          [](auto t, auto r) { return &cpu::dwt<decltype(t), decltype(r)>; }));
  m.kernel("frost", each<f32, f64>([](auto t) { return &cpu::frost<decltype(t)>; }));
  m.kernel("gradient_power", each<u8, i16, u16, i32, f32, f64>(
                                 [](auto t) { return &cpu::gradient_power<decltype(t)>; }));
  m.kernel("idwt", each<f32, f64>([](auto t) { return &cpu::idwt<decltype(t)>; }));
  m.kernel("mend",
           each<u8, i16, u16, i32, f32, f64>([](auto t) { return &cpu::mend<decltype(t)>; }));
  m.kernel("mppca", each<f32, f64>([](auto t) { return &cpu::mppca<decltype(t)>; }));
  m.kernel("nl_means",
           each_averaged([](auto t, auto r) { return &cpu::nl_means<decltype(t), decltype(r)>; }));
  m.kernel("pool", each<f32, f64>([](auto t) { return &cpu::pool<decltype(t)>; }));
  m.kernel("put_columns", each<f32, f64>([](auto t) { return &cpu::put_columns<decltype(t)>; }));
  m.kernel("sort_columns", each<f32, f64>([](auto t) { return &cpu::sort_columns<decltype(t)>; }));
  m.kernel("spikes", each<f32, f64>([](auto t) { return &cpu::spikes<decltype(t)>; }));
  m.kernel("srad", each<f32, f64>([](auto t) { return &cpu::srad<decltype(t)>; }));
  m.kernel("tv_dual", each<f32, f64>([](auto t) { return &cpu::tv_dual<decltype(t)>; }));
  m.kernel("tv_primal",
           each_averaged([](auto t, auto r) { return &cpu::tv_primal<decltype(t), decltype(r)>; }));
  m.kernel("tv_project", each_averaged([](auto t, auto r) {
             return &cpu::tv_project<decltype(t), decltype(r)>;
           }));
  m.kernel("unring", each<f64>([](auto t) { return &cpu::unring<decltype(t)>; }));
});

}  // namespace voxkern
