#ifndef CAFFE_EXP_LAYER_HPP_
#define CAFFE_EXP_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/layers/neuron_layer.hpp"

namespace caffe {

/**
 * @brief y = base^(shift + scale · x); `base` -1, the default, stands for e.
 *
 * Gradient: dx = ln(base) · scale · y dy. May work in place.
 * @throws Error unless the base is -1 or a positive number.
 */
template <typename Dtype>
class ExpLayer : public NeuronLayer<Dtype> {
 public:
  explicit ExpLayer(const LayerParameter& param) : NeuronLayer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Exp"; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  Dtype inner_scale_;  ///< ln(base) · scale
  Dtype inner_shift_;  ///< ln(base) · shift
};

}  // namespace caffe

#endif  // CAFFE_EXP_LAYER_HPP_
