// The CPU module: built once a level, under that level's name.
#include "call.hpp"

namespace voxkern {
void bind_system(py::module_&);
}

PYBIND11_MODULE(VOXKERN_MODULE, m, pybind11::mod_gil_not_used()) {
  voxkern::bind_system(m);
  voxkern::Module module(m);
  for (auto bind : voxkern::Family::all()) bind(module);
}
