// The whole test framework: CHECK says where it failed, done() turns failures into an exit status.
#pragma once
#include <cstdio>

inline int failures = 0;

#define CHECK(truth)                                                         \
  do {                                                                       \
    if (!(truth) && ++failures <= 20)                                        \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #truth); \
  } while (0)

inline int done() {
  if (failures) std::fprintf(stderr, "%d failures\n", failures);
  return failures != 0;
}
