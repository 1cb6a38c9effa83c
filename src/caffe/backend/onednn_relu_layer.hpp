#ifndef CAFFE_BACKEND_ONEDNN_RELU_LAYER_HPP_
#define CAFFE_BACKEND_ONEDNN_RELU_LAYER_HPP_

#include "caffe/layer.hpp"

namespace caffe {
namespace onednn {

/**
 * @brief Whether a layer is a ReLU that the one before may do: no engine forbids it, and its slope
 * is not below 0, so that its Backward finds all in its output.
 */
bool IsFusableReLU(const Layer<float>& layer);

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_BACKEND_ONEDNN_RELU_LAYER_HPP_
