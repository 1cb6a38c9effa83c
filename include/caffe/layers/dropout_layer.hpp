#ifndef CAFFE_DROPOUT_LAYER_HPP_
#define CAFFE_DROPOUT_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/layers/neuron_layer.hpp"

namespace caffe {

/**
 * @brief In TRAIN, y = x / (1 - p) with probability 1 - p, else 0 (Srivastava et
 * al. 2014, scaled while training as in Caffe); in TEST, y = x.
 *
 * p is `dropout_ratio`, 0.5 by default. The draws come from the thread's
 * generator (Caffe::set_random_seed). Gradient: dy times the factor that x had.
 * May work in place.
 * @throws Error unless 0 <= p < 1.
 */
template <typename Dtype>
class DropoutLayer : public NeuronLayer<Dtype> {
 public:
  explicit DropoutLayer(const LayerParameter& param) : NeuronLayer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Dropout"; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  Blob<unsigned int> rand_vec_;  ///< 1 where x is kept
  Dtype threshold_;              ///< the probability p of dropping an element
  Dtype scale_;                  ///< 1 / (1 - p)
};

}  // namespace caffe

#endif  // CAFFE_DROPOUT_LAYER_HPP_
