#ifndef CAFFE_SOFTMAX_LOSS_LAYER_HPP_
#define CAFFE_SOFTMAX_LOSS_LAYER_HPP_

// Caffe's name of this header.
#include "caffe/layers/softmax_with_loss_layer.hpp"

#endif  // CAFFE_SOFTMAX_LOSS_LAYER_HPP_
