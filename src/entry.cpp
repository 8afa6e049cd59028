// The name under which a level's module is imported: all that tells one level's bindings from
// another's.
#define VOXKERN_JOIN(a, b) a##b
#define VOXKERN_INIT(name) VOXKERN_JOIN(PyInit_, name)

struct _object;
extern "C" _object* PyInit__cpu();
extern "C" __attribute__((visibility("default"))) _object* VOXKERN_INIT(VOXKERN_MODULE)() {
  return PyInit__cpu();
}
