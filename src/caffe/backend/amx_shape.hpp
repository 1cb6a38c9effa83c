#ifndef CAFFE_BACKEND_AMX_SHAPE_HPP_
#define CAFFE_BACKEND_AMX_SHAPE_HPP_

#include "caffe/backend/amx_pack.hpp"

namespace caffe {
namespace amx {

/** @brief One axis of a window. */
struct Axis {
  int kernel, pad, dilation;
  int reach() const { return (kernel - 1) * dilation; }
};

/** @brief A convolution of stride 1 and one group. */
struct Convolution {
  int num, channels, height, width;
  int num_output, out_height, out_width;
  Axis rows, columns;
  int threads;
  int taps() const { return rows.kernel * columns.kernel; }
};

/**
 * @brief The convolution that makes the bottom's gradient of the top's, with Weights::backward.
 *
 * Its pads are negative, and it can't be computed, where the window's are larger than its reach.
 */
Convolution Backward(const Convolution& forward);

/**
 * @brief The pixels of a convolution's bottom and top, numbered so that a tap is a shift.
 *
 * Each row of the bottom is followed by `gap` zeros, as many as a window reaches beyond the left
 * or the right edge, and takes `row` pixels with them; so does each row of the top, where
 * the last ones mean nothing.
 */
class FlatRows {
 public:
  explicit FlatRows(const Convolution& convolution);
  int row() const { return row_; }
  /** @brief How far behind a pixel of the top a tap finds the bottom's. */
  int Shift(int tap) const;
  /** @brief How many pixels of the bottom are packed for so many rows of the top. */
  int BottomSize(int rows) const;
  /** @brief Makes `map` the bottom's pixels for rows of the top from first_row on. */
  void Bottom(int first_row, int rows, PixelMap* map) const;
  /** @brief Makes `map` those rows of the top, with zeros for what means nothing. */
  void Top(int first_row, int rows, PixelMap* map) const;

 private:
  Convolution shape_;
  int gap_, row_;
};

}  // namespace amx
}  // namespace caffe

#endif  // CAFFE_BACKEND_AMX_SHAPE_HPP_
