// The program `caffe`: settles how many threads there are and how they wait, then loads the library
// and runs its command.
#include <dlfcn.h>
#include <sched.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace {

/**
 * Threads of OpenMP that wait for each other spin for many milliseconds by default, which wastes
 * the processors wherever the machine has other work. Ten thousand turns (half a millisecond or so)
 * bridge the gaps between layers: of a small net's step they take 5 % less than a thousand, and
 * more turns save nothing. The user's own settings stay. OpenMP reads them when it is loaded, with
 * the library, so the library must not be linked.
 */
void ShortenSpinning() {
  if (std::getenv("OMP_WAIT_POLICY") == nullptr) setenv("GOMP_SPINCOUNT", "10000", 0);
}

/** The number that a file of control groups holds; 0 if it holds none. */
double NumberIn(const char* path) {
  double number = 0;
  std::ifstream(path) >> number;
  return number;
}

/** The processors whose time a control group gives this process; 0 without a limit. */
double Quota() {
  double quota = 0, period = 0;
  std::ifstream limits("/sys/fs/cgroup/cpu.max");  // "max 100000" where there is none
  if (!(limits >> quota >> period)) {
    quota = NumberIn("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
    period = NumberIn("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  }
  return quota > 0 && period > 0 ? quota / period : 0;
}

/**
 * OpenMP starts as many threads as the process may run on processors, even where a container's
 * quota gives it the time of fewer: then they only get into each other's way.
 */
void RespectQuota() {
  cpu_set_t set;
  const double quota = Quota();
  if (quota <= 0 || sched_getaffinity(0, sizeof set, &set) != 0) return;
  if (quota >= CPU_COUNT(&set)) return;
  setenv("OMP_NUM_THREADS", std::to_string(std::lround(std::ceil(quota))).c_str(), 0);
}

}  // namespace

int main(int argc, char** argv) {
  ShortenSpinning();
  RespectQuota();
  void* library = dlopen("libcaffe.so", RTLD_NOW | RTLD_GLOBAL);
  void* symbol = library == nullptr ? nullptr : dlsym(library, "CaffeProcessMain");
  if (symbol == nullptr) {
    std::fprintf(stderr, "caffe: error: %s\n", dlerror());
    return 1;
  }
  return reinterpret_cast<int (*)(int, char**)>(symbol)(argc, argv);
}
