#ifndef CAFFE_RELU_LAYER_HPP_
#define CAFFE_RELU_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/layers/neuron_layer.hpp"

namespace caffe {

/** @brief ReLU of one number: what both sides would be is computed first, for vector units. */
template <typename Dtype>
Dtype ReLU(Dtype x, Dtype slope) {
  const Dtype below = slope == 0 ? Dtype(0) : slope * x;
  return x < 0 ? below : x;
}

/** @brief The gradient of ReLU's x from that of its y; x may be y where the slope is not below 0.
 */
template <typename Dtype>
Dtype ReLUGradient(Dtype x, Dtype dy, Dtype slope) {
  const Dtype below = slope * dy;
  return x > 0 ? dy : below;
}

/**
 * @brief y = x for x > 0, else negative_slope · x.
 *
 * `negative_slope` is 0 by default. Gradient: dx = dy for x > 0, else
 * negative_slope · dy (so at 0 it is that of the negative side, as in Caffe).
 * May work in place.
 */
template <typename Dtype>
class ReLULayer : public NeuronLayer<Dtype> {
 public:
  explicit ReLULayer(const LayerParameter& param) : NeuronLayer<Dtype>(param) {}

  const char* type() const override { return "ReLU"; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;
};

}  // namespace caffe

#endif  // CAFFE_RELU_LAYER_HPP_
