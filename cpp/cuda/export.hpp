// How compiled kernels are found by name, with their parameters checked before they are launched.
//
// A .cu file lists its instances at its foot, one a line, outside NVRTC's view:
//   static const voxkern::cuda::Exports exports{
//       {"median<u8>", voxkern::cuda::launcher<voxkern::kernel::median<voxkern::u8>>},
//       {"median<f32>", voxkern::cuda::launcher<voxkern::kernel::median<voxkern::f32>>},
//   };
// Names use base.hpp's aliases, because the same name reaches CuPy's compiler.
// A kernel's parameters are T*, const T*, i64, f64, Size and Vec3 only: those that Python can hand
// over without a cast (a pointer is a device array or None; an int, a float, three of either).
#pragma once
#include <voxkern/base.hpp>

#include <initializer_list>
#include <iterator>
#include <utility>
#include <vector>

#ifdef VOXKERN_EMULATE
#include "emulator.hpp"
#else
#include <cuda_runtime_api.h>
#endif

namespace voxkern::cuda {

enum class Kind { pointer, integer, real, size, vec3 };

// One parameter of a kernel. `element` and `writes` are for pointers.
struct Parameter {
  Kind kind;
  const char* element;
  bool writes;
};

// One value for it.
struct Arg {
  Kind kind;
  union {
    void* pointer;
    i64 integer;
    f64 real;
    Size size;
    Vec3 vec3;
  };
};

struct Grid {
  unsigned x, y, z;
};

struct Kernel {
  Parameter const* parameters;
  int count;
  // Queues the kernel; the arguments have the kinds of the parameters.
  void (*launch)(Grid grid, Grid block, void* stream, Arg* args);
};

// The name in base.hpp of an element type, nullptr if kernels cannot have it.
template <class T>
constexpr const char* element_name = nullptr;
template <>
inline constexpr const char* element_name<bool> = "bool";
template <>
inline constexpr const char* element_name<i8> = "i8";
template <>
inline constexpr const char* element_name<u8> = "u8";
template <>
inline constexpr const char* element_name<i16> = "i16";
template <>
inline constexpr const char* element_name<u16> = "u16";
template <>
inline constexpr const char* element_name<i32> = "i32";
template <>
inline constexpr const char* element_name<u32> = "u32";
template <>
inline constexpr const char* element_name<i64> = "i64";
template <>
inline constexpr const char* element_name<u64> = "u64";
template <>
inline constexpr const char* element_name<f32> = "f32";
template <>
inline constexpr const char* element_name<f64> = "f64";

template <class T>
struct ParameterOf {
  static_assert(sizeof(T) == 0, "a kernel takes T*, const T*, i64, f64, Size and Vec3 only");
};
template <class T>
struct ParameterOf<T*> {
  static_assert(element_name<T> != nullptr, "a kernel cannot take a pointer to this type");
  static constexpr Parameter value{Kind::pointer, element_name<T>, true};
  static T* get(const Arg& arg) { return static_cast<T*>(arg.pointer); }
};
template <class T>
struct ParameterOf<const T*> {
  static_assert(element_name<T> != nullptr, "a kernel cannot take a pointer to this type");
  static constexpr Parameter value{Kind::pointer, element_name<T>, false};
  static const T* get(const Arg& arg) { return static_cast<const T*>(arg.pointer); }
};
template <>
struct ParameterOf<i64> {
  static constexpr Parameter value{Kind::integer, nullptr, false};
  static i64 get(const Arg& arg) { return arg.integer; }
};
template <>
struct ParameterOf<f64> {
  static constexpr Parameter value{Kind::real, nullptr, false};
  static f64 get(const Arg& arg) { return arg.real; }
};
template <>
struct ParameterOf<Size> {
  static constexpr Parameter value{Kind::size, nullptr, false};
  static Size get(const Arg& arg) { return arg.size; }
};
template <>
struct ParameterOf<Vec3> {
  static constexpr Parameter value{Kind::vec3, nullptr, false};
  static Vec3 get(const Arg& arg) { return arg.vec3; }
};

template <auto kernel>
struct LauncherOf;

template <class... P, void (*kernel)(P...)>
struct LauncherOf<kernel> {
  static constexpr Parameter parameters[] = {ParameterOf<P>::value...};

#ifdef VOXKERN_EMULATE
  template <std::size_t... I>
  static void call(Grid grid, Grid block, Arg* args, std::index_sequence<I...>) {
    emulator::launch({grid.x, grid.y, grid.z}, {block.x, block.y, block.z},
                     [&] { kernel(ParameterOf<P>::get(args[I])...); });
  }
  static void launch(Grid grid, Grid block, void*, Arg* args) {
    call(grid, block, args, std::index_sequence_for<P...>());
  }
#else
  static void launch(Grid grid, Grid block, void* stream, Arg* args) {
    void* values[sizeof...(P)];
    for (std::size_t i = 0; i < sizeof...(P); ++i) values[i] = &args[i].pointer;
    cudaLaunchKernel(reinterpret_cast<const void*>(kernel), dim3(grid.x, grid.y, grid.z),
                     dim3(block.x, block.y, block.z), values, 0, cudaStream_t(stream));
  }
#endif
};

template <auto kernel>
constexpr Kernel launcher{LauncherOf<kernel>::parameters,
                          int(std::size(LauncherOf<kernel>::parameters)),
                          LauncherOf<kernel>::launch};

// Plain data: a file's list is laid out by the compiler, and costs no code.
struct Named {
  const char* name;
  Kernel kernel;
};

// Every instance of every file that is linked into this module.
inline std::vector<Named>& table() {
  static std::vector<Named> all;
  return all;
}

// Adds a file's instances to the table, before main or import begins.
struct Exports {
  Exports(std::initializer_list<Named> some) { table().insert(table().end(), some); }
};

}  // namespace voxkern::cuda
