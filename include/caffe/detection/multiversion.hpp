#ifndef CAFFE_DETECTION_MULTIVERSION_HPP_
#define CAFFE_DETECTION_MULTIVERSION_HPP_

#include <cstddef>  // tells which C library there is

/**
 * Before a function on arrays: it is compiled for several processors, and the
 * program takes the version for the one that it runs on. A macro, since
 * attributes have no other name. Sanitizers start too late for it. AVX-512 is
 * named by its level, which g++ knows from 12 on: a version for "avx512f" does
 * not clear the upper halves of registers, and slows the SSE code after it.
 */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && __GNUC__ >= 12 && \
    !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define CAFFE_MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define CAFFE_MULTIVERSION
#endif

#endif  // CAFFE_DETECTION_MULTIVERSION_HPP_
