// The CPU module, which `entry.cpp` gives its level's name. The one place where the CPU side
// knows Python: arguments are read with the lock held, kernels run without it.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <cpu/memory.hpp>

#include "call.hpp"
#include "unlocked.hpp"

namespace voxkern {
namespace py = pybind11;

static void read_array(const py::array& a, Argument& to) {
  const py::dtype type = a.dtype();
  const char kind = type.kind();
  to.kind = Argument::array;
  to.element = type.byteorder() != '>' && (kind == 'b' || kind == 'i' || kind == 'u' || kind == 'f')
                   ? kind
                   : 0;
  to.bytes = type.itemsize();
  to.rank = int(a.ndim());
  for (int k = 0; k < to.rank && k < 3; ++k) {
    to.shape[k] = a.shape(k);
    to.step[k] = a.strides(k);
  }
  to.writable = a.writeable();
  to.data = const_cast<void*>(a.data());
}

// Reads a number: what can count, NumPy's integers too, is whole.
static void read_number(py::handle h, Argument& to) {
  to.kind = Argument::number;
  py::object whole = py::reinterpret_borrow<py::object>(h);
  if (!PyLong_Check(h.ptr()) && PyIndex_Check(h.ptr()))
    whole = py::reinterpret_steal<py::object>(PyNumber_Index(h.ptr()));
  PyErr_Clear();  // NumPy's bool only pretends to count
  to.is_whole = whole && PyLong_Check(whole.ptr());
  if (to.is_whole) {
    to.whole = PyLong_AsLongLong(whole.ptr());
    if (to.whole == -1 && PyErr_Occurred()) throw py::error_already_set();
  } else {
    to.real[0] = h.cast<double>();
  }
}

static Argument read(py::handle h) {
  Argument to;
  if (h.is_none()) return to;
  if (py::isinstance<py::array>(h)) {
    read_array(py::reinterpret_borrow<py::array>(h), to);
  } else if (PyTuple_Check(h.ptr()) && PyTuple_GET_SIZE(h.ptr()) == 3) {
    to.kind = Argument::triple;
    for (int k = 0; k < 3; ++k)
      to.real[k] = py::handle(PyTuple_GET_ITEM(h.ptr(), k)).cast<double>();
  } else {
    read_number(h, to);
  }
  return to;
}

static std::string described(const py::args& args) {
  std::string text;
  for (py::handle a : args) {
    bool array = py::isinstance<py::array>(a);
    std::string word = array ? std::string(py::str(a.attr("dtype"))) : Py_TYPE(a.ptr())->tp_name;
    text += (text.empty() ? "(" : ", ") + word;
  }
  return text + ")";
}

static void call(const Module::Kernel& kernel, int threads, const py::args& args) {
  std::vector<Argument> read_args;
  read_args.reserve(args.size());
  for (py::handle a : args) read_args.push_back(read(a));
  for (const Instance& i : kernel.instances) {
    if (!i.takes(read_args)) continue;
    try {
      const Unlocked unlocked;
      return i.run(i.function, {threads}, read_args.data());
    } catch (const cpu::Interrupted&) {
      throw py::error_already_set();  // what the poll found is still pending
    }
  }
  throw py::type_error("no native kernel " + kernel.name + " takes " + described(args));
}

// Looks for a pending Ctrl-C; Python lets only the main thread find one.
static bool interrupted() {
  return unless_python_ended([] {
    const PyGILState_STATE before = PyGILState_Ensure();
    const bool found = PyErr_CheckSignals() != 0;
    PyGILState_Release(before);
    return found;
  });
}

// An array whose memory goes back to the cache when the last view of it is gone.
static py::array empty(const py::tuple& shape, const py::dtype& type) {
  std::vector<py::ssize_t> sizes;
  std::size_t bytes = type.itemsize();
  for (py::handle n : shape) {
    sizes.push_back(n.cast<py::ssize_t>());
    bytes *= sizes.back();
  }
  void* data = cpu::take(bytes);
  py::capsule owner(data, [](void* p) { cpu::give(p); });
  return py::array(type, sizes, data, owner);
}

}  // namespace voxkern

PYBIND11_MODULE(_cpu, m, pybind11::mod_gil_not_used()) {
  using namespace voxkern;
  cpu::poll_interrupt = &interrupted;
  m.def("cores", &cpu::cores);
  m.def("empty", &empty);
  m.def("cached_bytes", &cpu::cached);
  m.def("clear_cache", &cpu::clear_cache);

  Module kernels;
  for (auto bind : Family::all()) bind(kernels);
  py::dict signatures;
  for (Module::Kernel& k : kernels.kernels) {
    py::list words;
    const Instance& first = k.instances.front();
    for (std::size_t i = 0; i < first.count; ++i) words.append(first.wanted[i].word);
    signatures[k.name.c_str()] = words;
    const std::string name = k.name;
    m.def(name.c_str(), [kernel = std::move(k)](int threads, const py::args& args) {
      call(kernel, threads, args);
    });
  }
  m.attr("signatures") = signatures;
}
