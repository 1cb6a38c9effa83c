#ifndef CAFFE_BACKEND_AMX_INTRINSICS_HPP_
#define CAFFE_BACKEND_AMX_INTRINSICS_HPP_

#include "caffe/backend/amx.hpp"

#if CAFFE_HAS_AMX
// GCC's own header reads variables before they are set, on purpose, and warns where it is used.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#endif

#endif  // CAFFE_BACKEND_AMX_INTRINSICS_HPP_
