// Threads and memory, as Python sees them.
#include <cpu/memory.hpp>
#include <cpu/parallel.hpp>

#include "call.hpp"

namespace voxkern {

// Looks for a pending Ctrl-C; Python lets only the main thread find one.
static bool interrupted() {
  py::gil_scoped_acquire locked;
  return PyErr_CheckSignals() != 0;
}

// An array whose memory goes back to the cache when the last view of it is gone.
static py::array empty(const std::vector<py::ssize_t>& shape, const py::dtype& type) {
  std::size_t bytes = type.itemsize();
  for (py::ssize_t n : shape) bytes *= n;
  void* data = cpu::take(bytes);
  py::capsule owner(data, [](void* p) { cpu::give(p); });
  return py::array(type, shape, data, owner);
}

void bind_system(py::module_& m) {
  cpu::poll_interrupt = &interrupted;
  m.def("cores", &cpu::cores);
  m.def("empty", &empty);
  m.def("cached_bytes", &cpu::cached);
  m.def("clear_cache", &cpu::clear_cache);
}

}  // namespace voxkern
