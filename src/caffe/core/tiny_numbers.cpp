#include "caffe/util/tiny_numbers.hpp"

#ifdef __SSE2__
#include <xmmintrin.h>
#endif

namespace caffe {

namespace {

#ifdef __SSE2__

constexpr unsigned kFlush = 0x8000 | 0x0040;  // results, and operands

unsigned Flushing() { return _mm_getcsr() & kFlush; }

void SetInTeam(unsigned flushing) {
#pragma omp parallel
  _mm_setcsr((_mm_getcsr() & ~kFlush) | flushing);
}

#else

constexpr unsigned kFlush = 0;

unsigned Flushing() { return 0; }

void SetInTeam(unsigned /*flushing*/) {}

#endif

}  // namespace

FlushTinyNumbers::FlushTinyNumbers() : before_(Flushing()) { SetInTeam(kFlush); }

FlushTinyNumbers::~FlushTinyNumbers() { SetInTeam(before_); }

}  // namespace caffe
