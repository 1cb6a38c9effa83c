#ifndef CAFFE_MISH_LAYER_HPP_
#define CAFFE_MISH_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/layers/neuron_layer.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/**
 * @brief y = x tanh(ln(1 + exp(x))) (Misra 2019).
 *
 * A sample of a layer written for Caffe 1.0: nothing here is of this runtime.
 * With t the hyperbolic tangent and s the sigmoid of x, the gradient is
 * dx = (t + x s (1 - t²)) dy.
 */
template <typename Dtype>
class MishLayer : public NeuronLayer<Dtype> {
 public:
  explicit MishLayer(const LayerParameter& param) : NeuronLayer<Dtype>(param) {}
  virtual void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top);

  virtual inline const char* type() const { return "Mish"; }

 protected:
  virtual void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top);
  virtual void Forward_gpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top);
  virtual void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                            const vector<Blob<Dtype>*>& bottom);
  virtual void Backward_gpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                            const vector<Blob<Dtype>*>& bottom);

  Blob<Dtype> slope_;  // dy/dx, so that the layer may work in place
};

}  // namespace caffe

#endif  // CAFFE_MISH_LAYER_HPP_
