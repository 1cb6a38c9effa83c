// The program `caffe`: settles how threads wait and how they take tiny numbers, then loads the
// library and runs its command.
#include <dlfcn.h>
#ifdef __SSE2__
#include <xmmintrin.h>
#endif

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

/**
 * Takes numbers below 1e-38 for 0, in this thread and those that it starts: what has decayed that
 * far (Adam's moments of a feature that no longer learns) makes the processor several times slower.
 */
void FlushTinyNumbers() {
#ifdef __SSE2__
  const unsigned kFlushResults = 0x8000;
  const unsigned kZeroOperands = 0x0040;
  _mm_setcsr(_mm_getcsr() | kFlushResults | kZeroOperands);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  ShortenSpinning();
  FlushTinyNumbers();
  void* library = dlopen("libcaffe.so", RTLD_NOW | RTLD_GLOBAL);
  void* symbol = library == nullptr ? nullptr : dlsym(library, "CaffeProcessMain");
  if (symbol == nullptr) {
    std::fprintf(stderr, "caffe: error: %s\n", dlerror());
    return 1;
  }
  return reinterpret_cast<int (*)(int, char**)>(symbol)(argc, argv);
}
