#ifndef CAFFE_UTIL_STRIPS_HPP_
#define CAFFE_UTIL_STRIPS_HPP_

#include <algorithm>
#include <cstdint>

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
  for (int64_t row = 0; row < shape.rows; ++row) {
    std::copy_n(from + row * shape.from_stride, shape.length, to + row * shape.to_stride);
  }
}

}  // namespace caffe

#endif  // CAFFE_UTIL_STRIPS_HPP_
