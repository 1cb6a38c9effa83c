#ifndef CAFFE_UTIL_SPATIAL_HPP_
#define CAFFE_UTIL_SPATIAL_HPP_

#include <cstdint>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/** @brief How a window slides along one spatial axis. */
struct AxisWindow {
  int kernel;
  int stride;
  int pad;
  int dilation;
  /** @brief dilation · (kernel − 1) + 1: the inputs from the first tap to the last. */
  int64_t extent() const { return int64_t{dilation} * (kernel - 1) + 1; }
};

/**
 * @brief Reads the windows of a convolution_param, one for each spatial axis.
 *
 * kernel_size, stride, pad and dilation are given once for all axes or once
 * for each; with two spatial axes also as kernel_h and kernel_w, and so on.
 * Missing, stride and dilation are 1 and pad is 0.
 * @throws Error for a missing or zero kernel, a zero stride or dilation, both
 * forms of one field, or another number of values than axes.
 */
vector<AxisWindow> ReadConvWindows(const ConvolutionParameter& param, int num_spatial_axes);

/**
 * @brief ⌊(input + 2 pad − extent) / stride⌋ + 1.
 * @param axis the spatial axis, for the error
 * @throws Error naming both when the kernel does not fit into the padded input.
 */
int ConvOutputSize(int input, const AxisWindow& window, int axis);

/**
 * @brief stride · (input − 1) + extent − 2 pad: the input size for which a
 * convolution gives `input` outputs.
 * @throws Error if nothing remains.
 */
int DeconvOutputSize(int input, const AxisWindow& window, int axis);

/** @brief @throws Error if a top is the bottom itself: the layer reads inputs after it wrote
 * outputs. */
template <typename Dtype>
void CheckNotInPlace(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  for (size_t i = 0; i < bottom.size(); ++i) {
    for (size_t j = 0; j < top.size(); ++j) {
      CHECK(bottom[i] != top[j]) << "top[" << j << "] is bottom[" << i
                                 << "], but this layer cannot run in place; name another top";
    }
  }
}

}  // namespace caffe

#endif  // CAFFE_UTIL_SPATIAL_HPP_
