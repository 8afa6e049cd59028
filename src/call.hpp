// A kernel's instances, found by the element types of a call's arguments. No Python here: what came
// from Python is read once, in module.cpp, so that a family's bindings compile in a second.
//
// A binding says `m.kernel("median", each<u8, f32>([](auto t) { return &cpu::median<decltype(t)>;
// }))`; how each argument is read follows from the C++ signature. Meaning is checked in Python;
// what is checked here is only what would touch memory that is not there.
#pragma once
#include <voxkern/base.hpp>

#include <cpu/parallel.hpp>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace voxkern {

// One argument, as it came.
struct Argument {
  enum Kind { none, number, triple, array };
  Kind kind = none;
  // A number, or three.
  f64 real[3] = {};
  i64 whole = 0;
  bool is_whole = false;
  // An array of up to three axes, its steps in bytes.
  char element = 0;  // b, i, u, f; 0 for any other, or the other byte order
  i64 bytes = 0;
  int rank = 0;
  i64 shape[3] = {}, step[3] = {};
  bool writable = false;
  void* data = nullptr;
};

template <class E>
constexpr char element_of = std::is_same_v<E, bool>       ? 'b'
                            : std::is_floating_point_v<E> ? 'f'
                            : std::is_signed_v<E>         ? 'i'
                                                          : 'u';

// How an argument of type T is called in a signature, told from others, and read.
template <class T>
struct Read {
  static constexpr const char* word = "Scalar";
  static bool fits(const Argument& a) { return a.kind == Argument::number; }
  static T get(const Argument& a) {
    return a.is_whole ? static_cast<T>(a.whole) : static_cast<T>(a.real[0]);
  }
};

template <>
struct Read<Edge> {
  static constexpr const char* word = "Edge";
  static bool fits(const Argument& a) { return a.kind == Argument::number; }
  static Edge get(const Argument& a) { return static_cast<Edge>(a.whole); }
};

template <>
struct Read<Size> {
  static constexpr const char* word = "Size";
  static bool fits(const Argument& a) { return a.kind == Argument::triple; }
  static Size get(const Argument& a) { return {i64(a.real[0]), i64(a.real[1]), i64(a.real[2])}; }
};

template <>
struct Read<Vec3> {
  static constexpr const char* word = "Vec3";
  static bool fits(const Argument& a) { return a.kind == Argument::triple; }
  static Vec3 get(const Argument& a) { return {a.real[0], a.real[1], a.real[2]}; }
};

// Whether an argument holds elements of type T; None stands for an array that is not given.
template <class T>
bool holds(const Argument& a) {
  using E = std::remove_const_t<T>;
  return a.kind == Argument::none ||
         (a.kind == Argument::array && a.element == element_of<E> && a.bytes == i64(sizeof(E)));
}

// The memory of an array of `rank` axes with contiguous rows.
template <class T>
T* memory(const Argument& a, int rank) {
  if (a.rank != rank) throw std::invalid_argument("an array of the wrong rank reached a kernel");
  if (a.shape[rank - 1] > 1 && a.step[rank - 1] != i64(sizeof(T)))
    throw std::invalid_argument("an array without contiguous rows reached a kernel");
  if (!std::is_const_v<T> && !a.writable)
    throw std::invalid_argument("a read-only array reached a kernel as its output");
  return static_cast<T*>(a.data);
}

template <class T>
struct Read<View<T>> {
  static constexpr const char* word = std::is_const_v<T> ? "In" : "Out";
  static bool fits(const Argument& a) { return holds<T>(a); }
  static View<T> get(const Argument& a) {
    if (a.kind == Argument::none) return {nullptr, {0, 0, 0}, {0, 0, 0}};
    T* data = memory<T>(a, 3);
    constexpr i64 bytes = sizeof(T);
    return {data, {a.shape[0], a.shape[1], a.shape[2]}, {a.step[0] / bytes, a.step[1] / bytes, 1}};
  }
};

template <class T>
struct Read<List<T>> {
  static constexpr const char* word = std::is_const_v<T> ? "ListIn" : "ListOut";
  static bool fits(const Argument& a) { return holds<T>(a); }
  static List<T> get(const Argument& a) {
    if (a.kind == Argument::none) return {nullptr, 0};
    return {memory<T>(a, 1), a.shape[0]};
  }
};

// One instance of a kernel: a C++ function, its types hidden.
struct Instance {
  using Erased = void (*)();
  Erased function;
  bool (*fits)(const std::vector<Argument>&);
  void (*run)(Erased, cpu::On, const std::vector<Argument>&);
  std::vector<const char*> words;
};

template <class... A, std::size_t... I>
Instance instance(void (*function)(cpu::On, A...), std::index_sequence<I...>) {
  return {reinterpret_cast<Instance::Erased>(function),
          [](const std::vector<Argument>& args) {
            return args.size() == sizeof...(A) && (Read<std::decay_t<A>>::fits(args[I]) && ...);
          },
          [](Instance::Erased erased, cpu::On on, const std::vector<Argument>& args) {
            auto f = reinterpret_cast<void (*)(cpu::On, A...)>(erased);
            std::tuple<std::decay_t<A>...> values{Read<std::decay_t<A>>::get(args[I])...};
            f(on, std::get<I>(values)...);
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

// The kernels of a module, by name.
struct Module {
  struct Kernel {
    std::string name;
    std::vector<Instance> instances;
  };
  std::vector<Kernel> kernels;
  void kernel(const char* name, std::vector<Instance> instances) {
    kernels.push_back({name, std::move(instances)});
  }
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
