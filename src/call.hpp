// A kernel's instances, found by the element types of a call's arguments. No Python here: what came
// from Python is read once, in module.cpp, so that a family's bindings compile in a second.
//
// A binding says `m.kernel("median", each<u8, f32>([](auto t) { return &cpu::median<decltype(t)>;
// }))`; how each argument is read follows from the C++ signature. Meaning is checked in Python;
// what is checked here is only what would touch memory that is not there.
#pragma once
#include <voxkern/base.hpp>

#include <cpu/parallel.hpp>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
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

// What a parameter takes: its name in signatures, and of an array the elements.
struct Wanted {
  const char* word;
  Argument::Kind kind;
  char element = 0;
  i64 bytes = 0;

  // None stands for an array that is not given.
  bool takes(const Argument& a) const {
    if (kind != Argument::array) return a.kind == kind;
    return a.kind == Argument::none || (a.kind == kind && a.element == element && a.bytes == bytes);
  }
};

template <class T>
constexpr Wanted wanted_array(const char* word) {
  using E = std::remove_const_t<T>;
  return {word, Argument::array, element_of<E>, i64(sizeof(E))};
}

// How an argument of type T is told from others, and read.
template <class T>
struct Read {
  static constexpr Wanted wanted{"Scalar", Argument::number};
  static T get(const Argument& a) {
    return a.is_whole ? static_cast<T>(a.whole) : static_cast<T>(a.real[0]);
  }
};

template <>
struct Read<Edge> {
  static constexpr Wanted wanted{"Edge", Argument::number};
  static Edge get(const Argument& a) { return static_cast<Edge>(a.whole); }
};

template <>
struct Read<Size> {
  static constexpr Wanted wanted{"Size", Argument::triple};
  static Size get(const Argument& a) { return {i64(a.real[0]), i64(a.real[1]), i64(a.real[2])}; }
};

template <>
struct Read<Vec3> {
  static constexpr Wanted wanted{"Vec3", Argument::triple};
  static Vec3 get(const Argument& a) { return {a.real[0], a.real[1], a.real[2]}; }
};

// The memory of an array of `rank` axes with contiguous rows of elements of `bytes` bytes.
inline void* memory(const Argument& a, int rank, i64 bytes, bool is_output) {
  if (a.rank != rank) throw std::invalid_argument("an array of the wrong rank reached a kernel");
  const bool empty = std::find(a.shape, a.shape + rank, 0) != a.shape + rank;
  if (!empty && a.shape[rank - 1] > 1 && a.step[rank - 1] != bytes)
    throw std::invalid_argument("an array without contiguous rows reached a kernel");
  if (is_output && !a.writable)
    throw std::invalid_argument("a read-only array reached a kernel as its output");
  return a.data;
}

template <class T>
struct Read<View<T>> {
  static constexpr bool is_output = !std::is_const_v<T>;
  static constexpr Wanted wanted = wanted_array<T>(is_output ? "Out" : "In");
  static View<T> get(const Argument& a) {
    if (a.kind == Argument::none) return {nullptr, {0, 0, 0}, {0, 0, 0}};
    constexpr i64 bytes = sizeof(T);
    T* data = static_cast<T*>(memory(a, 3, bytes, is_output));
    return {data, {a.shape[0], a.shape[1], a.shape[2]}, {a.step[0] / bytes, a.step[1] / bytes, 1}};
  }
};

template <class T>
struct Read<List<T>> {
  static constexpr bool is_output = !std::is_const_v<T>;
  static constexpr Wanted wanted = wanted_array<T>(is_output ? "ListOut" : "ListIn");
  static List<T> get(const Argument& a) {
    if (a.kind == Argument::none) return {nullptr, 0};
    return {static_cast<T*>(memory(a, 1, sizeof(T), is_output)), a.shape[0]};
  }
};

// One instance of a kernel: a C++ function, its types hidden.
struct Instance {
  using Erased = void (*)();
  Erased function;
  void (*run)(Erased, cpu::On, const Argument*);
  const Wanted* wanted;
  std::size_t count;

  bool takes(const std::vector<Argument>& args) const {
    if (args.size() != count) return false;
    for (std::size_t i = 0; i < count; ++i)
      if (!wanted[i].takes(args[i])) return false;
    return true;
  }
};

template <class... A>
constexpr Wanted wanted_of[] = {Read<std::decay_t<A>>::wanted...};

template <class... A, std::size_t... I>
void run_instance(Instance::Erased erased, cpu::On on, const Argument* args,
                  std::index_sequence<I...>) {
  reinterpret_cast<void (*)(cpu::On, A...)>(erased)(on, Read<std::decay_t<A>>::get(args[I])...);
}

template <class... A>
Instance instance(void (*function)(cpu::On, A...)) {
  return {reinterpret_cast<Instance::Erased>(function),
          [](Instance::Erased erased, cpu::On on, const Argument* args) {
            run_instance<A...>(erased, on, args, std::index_sequence_for<A...>{});
          },
          wanted_of<A...>, sizeof...(A)};
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
