#ifndef CAFFE_SWISH_LAYER_HPP_
#define CAFFE_SWISH_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/layers/neuron_layer.hpp"

namespace caffe {

/**
 * @brief y = x / (1 + exp(-beta · x)) (Ramachandran et al. 2017); `beta` is 1 by
 * default.
 *
 * Gradient, with s the sigmoid of beta · x: dx = (beta · y + s (1 - beta · y)) dy.
 * May work in place.
 */
template <typename Dtype>
class SwishLayer : public NeuronLayer<Dtype> {
 public:
  explicit SwishLayer(const LayerParameter& param) : NeuronLayer<Dtype>(param) {}
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Swish"; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

 private:
  Blob<Dtype> sigmoid_;  ///< s, kept for Backward
};

}  // namespace caffe

#endif  // CAFFE_SWISH_LAYER_HPP_
