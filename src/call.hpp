// From Python's words to C++'s: a kernel's instances, found by element type, called without the
// lock.
//
// A binding says `m.kernel("median", each<u8, f32>([](auto t) { return &cpu::median<decltype(t)>;
// }))`; how each argument is read follows from the C++ signature. Meaning is checked in Python;
// what is checked here is only what would touch memory that is not there.
#pragma once
#include <voxkern/base.hpp>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <cpu/parallel.hpp>

#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace voxkern {
namespace py = pybind11;

// Whether `a` holds elements of type T in this machine's byte order.
template <class T>
bool holds(const py::array& a) {
  using E = std::remove_const_t<T>;
  constexpr char kind = std::is_same_v<E, bool>       ? 'b'
                        : std::is_floating_point_v<E> ? 'f'
                        : std::is_signed_v<E>         ? 'i'
                                                      : 'u';
  py::dtype type = a.dtype();
  return type.kind() == kind && type.itemsize() == py::ssize_t(sizeof(E)) &&
         type.byteorder() != '>';
}

// How an argument of type T is called in a signature, told from others, and read.
template <class T>
struct Read {
  static constexpr const char* word = "Scalar";
  static bool fits(py::handle) { return true; }
  static T get(py::handle h) {
    if (PyFloat_Check(h.ptr())) return static_cast<T>(PyFloat_AS_DOUBLE(h.ptr()));
    if (PyLong_Check(h.ptr())) {
      long long v = PyLong_AsLongLong(h.ptr());
      if (v == -1 && PyErr_Occurred()) throw py::error_already_set();
      return static_cast<T>(v);
    }
    return static_cast<T>(h.cast<double>());
  }
};

template <>
struct Read<Edge> {
  static constexpr const char* word = "Edge";
  static bool fits(py::handle) { return true; }
  static Edge get(py::handle h) { return static_cast<Edge>(h.cast<int>()); }
};

template <>
struct Read<Size> {
  static constexpr const char* word = "Size";
  static bool fits(py::handle) { return true; }
  static Size get(py::handle h) {
    auto t = py::reinterpret_borrow<py::tuple>(h);
    return {t[0].cast<i64>(), t[1].cast<i64>(), t[2].cast<i64>()};
  }
};

template <>
struct Read<Vec3> {
  static constexpr const char* word = "Vec3";
  static bool fits(py::handle) { return true; }
  static Vec3 get(py::handle h) {
    auto t = py::reinterpret_borrow<py::tuple>(h);
    return {t[0].cast<f64>(), t[1].cast<f64>(), t[2].cast<f64>()};
  }
};

// The memory of an array of `rank` axes with contiguous rows.
template <class T>
T* memory(const py::array& a, int rank) {
  if (a.ndim() != rank) throw std::invalid_argument("an array of the wrong rank reached a kernel");
  if (a.shape(rank - 1) > 1 && a.strides(rank - 1) != py::ssize_t(sizeof(T)))
    throw std::invalid_argument("an array without contiguous rows reached a kernel");
  if (!std::is_const_v<T> && !a.writeable())
    throw std::invalid_argument("a read-only array reached a kernel as its output");
  return static_cast<T*>(const_cast<void*>(a.data()));
}

template <class T>
struct Read<View<T>> {
  static constexpr const char* word = std::is_const_v<T> ? "In" : "Out";
  static bool fits(py::handle h) {
    return h.is_none() ||
           (py::isinstance<py::array>(h) && holds<T>(py::reinterpret_borrow<py::array>(h)));
  }
  static View<T> get(py::handle h) {
    if (h.is_none()) return {nullptr, {0, 0, 0}, {0, 0, 0}};
    auto a = py::reinterpret_borrow<py::array>(h);
    T* data = memory<T>(a, 3);
    constexpr i64 bytes = sizeof(T);
    return {data,
            {a.shape(0), a.shape(1), a.shape(2)},
            {a.strides(0) / bytes, a.strides(1) / bytes, 1}};
  }
};

template <class T>
struct Read<List<T>> {
  static constexpr const char* word = std::is_const_v<T> ? "ListIn" : "ListOut";
  static bool fits(py::handle h) { return Read<View<T>>::fits(h); }
  static List<T> get(py::handle h) {
    if (h.is_none()) return {nullptr, 0};
    auto a = py::reinterpret_borrow<py::array>(h);
    return {memory<T>(a, 1), a.shape(0)};
  }
};

// One instance of a kernel: a C++ function, its types hidden.
struct Instance {
  using Erased = void (*)();
  Erased function;
  bool (*fits)(const py::tuple&);
  void (*run)(Erased, cpu::On, const py::tuple&);
  std::vector<std::string> words;
};

template <class... A, std::size_t... I>
Instance instance(void (*function)(cpu::On, A...), std::index_sequence<I...>) {
  return {reinterpret_cast<Instance::Erased>(function),
          [](const py::tuple& args) {
            return args.size() == sizeof...(A) && (Read<std::decay_t<A>>::fits(args[I]) && ...);
          },
          [](Instance::Erased erased, cpu::On on, const py::tuple& args) {
            auto f = reinterpret_cast<void (*)(cpu::On, A...)>(erased);
            std::tuple<std::decay_t<A>...> values{Read<std::decay_t<A>>::get(args[I])...};
            try {
              py::gil_scoped_release unlocked;
              f(on, std::get<I>(values)...);
            } catch (const cpu::Interrupted&) {
              throw py::error_already_set();  // what the poll found is still pending
            }
          },
          {Read<std::decay_t<A>>::word...}};
}

template <class... A>
Instance instance(void (*function)(cpu::On, A...)) {
  return instance(function, std::index_sequence_for<A...>{});
}

// A kernel's instances for each type: `make` gets a value of the type and gives the function.
template <class... T, class F>
std::vector<Instance> each(F make) {
  return {instance(make(T{}))...};
}

// The same for types that come in pairs: each_pair<Pair<u8, f32>, Pair<f32, f32>>(...).
template <class A, class B>
struct Pair {
  using first = A;
  using second = B;
};
template <class... P, class F>
std::vector<Instance> each_pair(F make) {
  return {instance(make(typename P::first{}, typename P::second{}))...};
}

// A Python module that takes kernels, and tells the tests the words of their signatures.
class Module {
 public:
  explicit Module(py::module_ m) : module_(std::move(m)) {
    module_.attr("signatures") = py::dict();
  }

  void kernel(const char* name, std::vector<Instance> instances) {
    module_.attr("signatures")[name] = py::cast(instances.front().words);
    module_.def(name, [title = std::string(name), instances = std::move(instances)](
                          int threads, const py::args& args) {
      for (const Instance& i : instances)
        if (i.fits(args)) return i.run(i.function, {threads}, args);
      throw py::type_error("no native kernel " + title + " takes " + described(args));
    });
  }

 private:
  static std::string described(const py::args& args) {
    std::string text;
    for (py::handle a : args) {
      bool array = py::isinstance<py::array>(a);
      std::string word = array ? std::string(py::str(a.attr("dtype"))) : Py_TYPE(a.ptr())->tp_name;
      text += (text.empty() ? "(" : ", ") + word;
    }
    return text + ")";
  }

  py::module_ module_;
};

// A family's bindings, which make themselves known: `static const Family filters([](Module& m)
// {...});`
class Family {
 public:
  using Bind = void (*)(Module&);
  explicit Family(Bind bind) { all().push_back(bind); }
  static std::vector<Bind>& all() {
    static std::vector<Bind> families;
    return families;
  }
};

}  // namespace voxkern
