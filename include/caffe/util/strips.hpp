#ifndef CAFFE_UTIL_STRIPS_HPP_
#define CAFFE_UTIL_STRIPS_HPP_

#include <algorithm>
#include <cstdint>

#include "caffe/util/elementwise.hpp"

namespace caffe {

/** @brief `rows` strips of `length` elements, which begin so many elements apart. */
struct StripShape {
  int rows;
  int length;
  int from_stride;
  int to_stride;
};

/** @brief Copies strips of one matrix to another: what concatenation and slicing are made of. */
template <typename Dtype>
void CopyStrips(const StripShape& shape, const Dtype* from, Dtype* to) {
  const int64_t piece = kParallelElements;
#pragma omp parallel for collapse(2) if (int64_t{shape.rows} * shape.length >= 2 * piece)
  for (int64_t row = 0; row < shape.rows; ++row) {
    for (int64_t first = 0; first < shape.length; first += piece) {
      std::copy_n(from + row * shape.from_stride + first, std::min(piece, shape.length - first),
                  to + row * shape.to_stride + first);
    }
  }
}

}  // namespace caffe

#endif  // CAFFE_UTIL_STRIPS_HPP_
