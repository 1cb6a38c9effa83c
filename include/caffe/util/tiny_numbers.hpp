#ifndef CAFFE_UTIL_TINY_NUMBERS_HPP_
#define CAFFE_UTIL_TINY_NUMBERS_HPP_

#include "caffe/common.hpp"

namespace caffe {

/**
 * @brief While it lives, this thread and its team of OpenMP take numbers below 1e-38 (subnormal
 * ones) for 0, as operands and as results; afterwards the team does again what this thread did.
 *
 * What has decayed that far (Adam's moments of a feature that no longer learns) makes the
 * processor many times slower. Does nothing on processors other than x86.
 */
class FlushTinyNumbers {
 public:
  FlushTinyNumbers();
  ~FlushTinyNumbers();

 private:
  unsigned before_;

  DISABLE_COPY_AND_ASSIGN(FlushTinyNumbers);
};

}  // namespace caffe

#endif  // CAFFE_UTIL_TINY_NUMBERS_HPP_
