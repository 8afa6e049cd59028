// Python's lock, let go of for the length of a scope.
//
// A daemon thread may want the lock back when Python has ended. Before 3.14 Python unwinds such a
// thread, which C++ takes for a crash of the process; here it sleeps until the process is gone, as
// Python itself has it from 3.14 on.
#pragma once
#include <Python.h>
#include <unistd.h>

namespace voxkern {

// Calls `f`, which takes the lock.
template <class F>
auto unless_python_ended(F f) {
  try {
    return f();
  } catch (...) {  // f throws nothing: this is the unwinding, which must not be let go
    for (;;) ::pause();
  }
}

class Unlocked {
  PyThreadState* const state_ = PyEval_SaveThread();

 public:
  Unlocked() = default;
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;
  ~Unlocked() {
    unless_python_ended([this] { PyEval_RestoreThread(state_); });
  }
};

}  // namespace voxkern
