#ifndef CAFFE_LOG_LAYER_HPP_
#define CAFFE_LOG_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/layers/neuron_layer.hpp"

namespace caffe {

/**
 * @brief y = log_base(shift + scale · x); `base` -1, the default, stands for e.
 *
 * Gradient: dx = scale / (ln(base) (shift + scale · x)) dy. Where the argument is
 * negative y is NaN, and where it is 0 y is infinite. May work in place.
 * @throws Error unless the base is -1 or a positive number other than 1.
 */
template <typename Dtype>
class LogLayer : public NeuronLayer<Dtype> {
 public:
  explicit LogLayer(const LayerParameter& param) : NeuronLayer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Log"; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  Dtype base_scale_;  ///< 1 / ln(base)
};

}  // namespace caffe

#endif  // CAFFE_LOG_LAYER_HPP_
