// The program `caffe`: settles how threads wait, then loads the library and runs its command.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

namespace {

/**
 * Threads of OpenMP that wait for each other spin for many milliseconds by default, which wastes
 * the processors wherever the machine has other work. A thousand turns (tens of microseconds)
 * bridge the gaps between layers. The user's own settings stay. OpenMP reads them when it is
 * loaded, with the library, so the library must not be linked.
 */
void ShortenSpinning() {
  if (std::getenv("OMP_WAIT_POLICY") == nullptr) setenv("GOMP_SPINCOUNT", "1000", 0);
}

}  // namespace

int main(int argc, char** argv) {
  ShortenSpinning();
  void* library = dlopen("libcaffe.so", RTLD_NOW | RTLD_GLOBAL);
  void* symbol = library == nullptr ? nullptr : dlsym(library, "CaffeProcessMain");
  if (symbol == nullptr) {
    std::fprintf(stderr, "caffe: error: %s\n", dlerror());
    return 1;
  }
  return reinterpret_cast<int (*)(int, char**)>(symbol)(argc, argv);
}
