// The whole test framework: CHECK says where it failed, run() finds the case that was asked for.
#pragma once
#include <atomic>
#include <cstdio>
#include <cstring>

inline std::atomic<int> failures{0};

#define CHECK(truth)                                                           \
  do {                                                                         \
    if (!(truth) && ++failures <= 20)                                          \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #truth); \
  } while (0)

struct Case {
  const char* name;
  void (*test)();
};

// The names of all cases without an argument; with one, runs that case.
template <int n>
int run(const Case (&cases)[n], int count, char** arguments) {
  bool found = false;
  for (const Case& c : cases) {
    if (count < 2) std::puts(c.name);
    if (count == 2 && !std::strcmp(c.name, arguments[1])) {
      c.test();
      found = true;
    }
  }
  if (failures) std::fprintf(stderr, "%d failures\n", failures.load());
  return failures != 0 || (count > 1 && !found);
}
