// Which of the CPU builds this machine can run. Compiled for the plainest processor, in plain C
// API: it is the first thing that an import loads.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace {

// The x86-64 microarchitecture levels, spelled out: not every compiler knows them by name.
PyObject* best(PyObject*, PyObject*) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool v2 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
  bool v3 = v2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
            __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512vl");
  return PyUnicode_FromString(v4 ? "v4" : v3 ? "v3" : v2 ? "v2" : "none");
#else
  return PyUnicode_FromString("base");
#endif
}

PyMethodDef methods[] = {{"best", best, METH_NOARGS, "The best CPU level that this machine runs."},
                         {}};

PyModuleDef_Slot slots[] = {
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030D0000
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, nullptr}};

PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_level", nullptr, 0, methods, slots, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__level() { return PyModuleDef_Init(&module); }
