// Python's door to the CUDA kernels: launch one by name. The plans of the ops are Python.
// Compiled twice: into _cuda by nvcc's runtime, and into _cuda_emu, where the CPU plays the GPU.
#include "../cpp/cuda/export.hpp"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <map>

#include "unlocked.hpp"

namespace py = pybind11;
using namespace voxkern;
using namespace voxkern::cuda;

namespace {

const std::map<std::string, Kernel>& kernels() {
  static const auto all = [] {
    std::map<std::string, Kernel> found;
    for (const auto& [name, kernel] : table()) {
      if (!found.emplace(name, kernel).second) {
        throw std::logic_error(std::string("two kernels are named ") + name);
      }
    }
    return found;
  }();
  return all;
}

std::string describe(const Parameter& parameter) {
  switch (parameter.kind) {
    case Kind::integer: return "i64";
    case Kind::real: return "f64";
    case Kind::size: return "Size";
    case Kind::vec3: return "Vec3";
    default: return (parameter.writes ? "" : "const ") + std::string(parameter.element) + "*";
  }
}

#ifdef VOXKERN_EMULATE

constexpr const char* interface = "__array_interface__";

py::tuple device_count() { return py::make_tuple(1, ""); }

struct OnDevice {
  explicit OnDevice(int) {}
};

void check_launch(const std::string&, void*) {}

#else

constexpr const char* interface = "__cuda_array_interface__";

py::tuple device_count() {
  int devices = 0, driver = 0;
  cudaDriverGetVersion(&driver);
  cudaError_t error = cudaGetDeviceCount(&devices);
  cudaGetLastError();
  if (error == cudaSuccess) return py::make_tuple(devices, "");
  std::string reason = cudaGetErrorString(error);
  if (error == cudaErrorInsufficientDriver && driver == 0) {
    reason = "no NVIDIA driver (libcuda.so.1) on this machine";
  } else if (error == cudaErrorInsufficientDriver) {
    reason = "the NVIDIA driver knows CUDA " + std::to_string(driver / 1000) + "." +
             std::to_string(driver % 1000 / 10) + ", older than this build needs (" +
             std::to_string(CUDART_VERSION / 1000) + "." +
             std::to_string(CUDART_VERSION % 1000 / 10) + ")";
  }
  return py::make_tuple(0, reason);
}

// After these every call fails, and only a new process helps.
bool is_lasting(cudaError_t error) {
  switch (error) {
    case cudaErrorIllegalAddress:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorIllegalInstruction:
    case cudaErrorHardwareStackError:
    case cudaErrorAssert:
    case cudaErrorLaunchFailure:
    case cudaErrorLaunchTimeout:
    case cudaErrorECCUncorrectable: return true;
    default: return false;
  }
}

void check(cudaError_t error, const std::string& what) {
  if (error == cudaSuccess) return;
  cudaGetLastError();
  std::string text = what + ": " + cudaGetErrorName(error) + ": " + cudaGetErrorString(error);
  if (error == cudaErrorNoKernelImageForDevice) {
    text += "; this build has no code for this GPU: use the backend 'cupy'";
  }
  if (is_lasting(error)) {
    text +=
        "; the CUDA context is lost: restart the process, with VOXKERN_CUDA_SYNC=1 to find the "
        "kernel, which may be one launched before";
  }
  throw std::runtime_error(text);
}

struct OnDevice {
  int before = -1;
  explicit OnDevice(int device) {
    check(cudaGetDevice(&before), "asking for the current device");
    if (device != before) check(cudaSetDevice(device), "choosing device " + std::to_string(device));
  }
  ~OnDevice() { cudaSetDevice(before); }
};

void check_launch(const std::string& name, void* stream) {
  static const bool wait = [] {
    const char* wish = std::getenv("VOXKERN_CUDA_SYNC");
    return wish && std::strcmp(wish, "0") != 0;
  }();
  check(cudaGetLastError(), "launch of " + name);
  if (wait) check(cudaStreamSynchronize(cudaStream_t(stream)), "run of " + name);
}

#endif

[[noreturn]] void refuse(const std::string& what, const std::string& wanted, py::handle given) {
  throw py::type_error(what + " is " + wanted + ", not " +
                       py::str(py::repr(given)).cast<std::string>());
}

std::string element_of(const std::string& typestr) {
  static const std::map<std::string, std::string> names{
      {"|b1", "bool"}, {"|i1", "i8"},  {"|u1", "u8"},  {"<i2", "i16"},
      {"<u2", "u16"},  {"<i4", "i32"}, {"<u4", "u32"}, {"<i8", "i64"},
      {"<u8", "u64"},  {"<f4", "f32"}, {"<f8", "f64"}};
  auto found = names.find(typestr);
  return found == names.end() ? typestr : found->second;
}

bool is_contiguous(const py::dict& array) {
  if (!array.contains("strides") || array["strides"].is_none()) return true;
  py::tuple shape = array["shape"], strides = array["strides"];
  i64 expected = std::stoll(array["typestr"].cast<std::string>().substr(2));
  for (std::size_t i = shape.size(); i-- > 0;) {
    i64 length = shape[i].cast<i64>();
    if (length == 0) return true;
    if (length != 1 && strides[i].cast<i64>() != expected) return false;
    expected *= length;
  }
  return true;
}

void* pointer_of(const std::string& what, const Parameter& parameter, py::handle value) {
  if (value.is_none()) return nullptr;
  if (!py::hasattr(value, interface)) {
    throw py::type_error(what + " is " + describe(parameter) + ", not " +
                         py::str(py::type::of(value).attr("__name__")).cast<std::string>());
  }
  py::dict array = value.attr(interface);
  std::string element = element_of(array["typestr"].cast<std::string>());
  bool same = element == parameter.element;
  bool mask_read_as_bytes =
      element == "bool" && !parameter.writes && !std::strcmp(parameter.element, "u8");
  if (!same && !mask_read_as_bytes) {
    throw py::type_error(what + " is " + describe(parameter) + ", not an array of " + element);
  }
  if (!is_contiguous(array)) throw py::type_error(what + ": the array is not contiguous");
  py::tuple data = array["data"];
  if (parameter.writes && data[1].cast<bool>()) {
    throw py::type_error(what + ": the kernel writes to it, but the array is read-only");
  }
  return reinterpret_cast<void*>(data[0].cast<std::uintptr_t>());
}

template <class Three, class T>
Three three(const py::tuple& values) {
  return {values[0].cast<T>(), values[1].cast<T>(), values[2].cast<T>()};
}

template <class Python>
bool are_three(py::handle value) {
  if (!py::isinstance<py::tuple>(value) || py::len(value) != 3) return false;
  for (py::handle each : value) {
    if (!py::isinstance<Python>(each)) return false;
  }
  return true;
}

Arg to_arg(const std::string& what, const Parameter& parameter, py::handle value) {
  Arg arg;
  arg.kind = parameter.kind;
  switch (parameter.kind) {
    case Kind::pointer: arg.pointer = pointer_of(what, parameter, value); break;
    case Kind::integer:
      if (!py::isinstance<py::int_>(value)) refuse(what, "an int", value);
      arg.integer = value.cast<i64>();
      break;
    case Kind::real:
      if (!py::isinstance<py::float_>(value)) refuse(what, "a float", value);
      arg.real = value.cast<f64>();
      break;
    case Kind::size:
      if (!are_three<py::int_>(value)) refuse(what, "three ints", value);
      arg.size = three<Size, i64>(py::reinterpret_borrow<py::tuple>(value));
      break;
    case Kind::vec3:
      if (!are_three<py::float_>(value)) refuse(what, "three floats", value);
      arg.vec3 = three<Vec3, f64>(py::reinterpret_borrow<py::tuple>(value));
      break;
  }
  return arg;
}

// Grids and blocks are (x, y, z) here, as in CUDA.
void launch(const std::string& name, std::array<unsigned, 3> grid, std::array<unsigned, 3> block,
            std::uintptr_t stream, int device, const py::tuple& values) {
  auto found = kernels().find(name);
  if (found == kernels().end()) throw py::key_error("no kernel is named " + name);
  const Kernel& kernel = found->second;
  if (int(values.size()) != kernel.count) {
    throw py::type_error(name + " takes " + std::to_string(kernel.count) + " arguments, not " +
                         std::to_string(values.size()));
  }
  std::vector<Arg> args;
  for (int i = 0; i < kernel.count; ++i) {
    args.push_back(
        to_arg(name + ": argument " + std::to_string(i), kernel.parameters[i], values[i]));
  }
  const Unlocked unlocked;
  OnDevice guard(device);
  kernel.launch({grid[0], grid[1], grid[2]}, {block[0], block[1], block[2]},
                reinterpret_cast<void*>(stream), args.data());
  check_launch(name, reinterpret_cast<void*>(stream));
}

py::dict signatures() {
  py::dict all;
  for (auto& [name, kernel] : kernels()) {
    py::list parameters;
    for (int i = 0; i < kernel.count; ++i) parameters.append(describe(kernel.parameters[i]));
    all[py::str(name)] = py::tuple(parameters);
  }
  return all;
}

}  // namespace

PYBIND11_MODULE(VOXKERN_MODULE, module, py::mod_gil_not_used()) {
  module.def("launch", &launch);
  module.def("kernels", &signatures);
  module.def("device_count", &device_count);
#ifdef VOXKERN_EMULATE
  module.def("set_schedule",
             [](const std::string& order, unsigned seed, double preempt, int resident) {
               emulator::set_schedule(order, seed, preempt, resident);
             });
  module.def("switches", &emulator::switches);
  module.def("take_out_barrier", &emulator::take_out_barrier);
#endif
}
