// Which of the CPU builds this machine can run. Compiled for the plainest processor.
#include <pybind11/pybind11.h>

namespace {

// The x86-64 microarchitecture levels, spelled out: not every compiler knows them by name.
const char* best() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool v2 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
  bool v3 = v2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
            __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512vl");
  return v4 ? "v4" : v3 ? "v3" : v2 ? "v2" : "none";
#else
  return "base";
#endif
}

}  // namespace

PYBIND11_MODULE(_level, m, pybind11::mod_gil_not_used()) { m.def("best", &best); }
