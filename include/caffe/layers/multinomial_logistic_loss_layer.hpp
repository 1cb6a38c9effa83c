#ifndef CAFFE_MULTINOMIAL_LOGISTIC_LOSS_LAYER_HPP_
#define CAFFE_MULTINOMIAL_LOGISTIC_LOSS_LAYER_HPP_

#include <vector>

#include "caffe/layers/loss_layer.hpp"

namespace caffe {

/**
 * @brief Multinomial logistic loss of probabilities; for scores, SoftmaxWithLoss is the stable way.
 *
 * bottom[0]: probabilities p, N × classes (further axes flattened); bottom[1]:
 * N integral labels y. top[0] = −1/N Σ log max(p[y], kLOG_THRESHOLD).
 * Gradient: −1 / (N max(p[y], kLOG_THRESHOLD)) at the labels, 0 elsewhere; none for labels.
 * (Below the threshold the loss is flat, but the gradient is kept, as in Caffe.)
 * @throws Error for another number of labels, a label that is no integer or no
 * class, or a request for the labels' gradient.
 */
template <typename Dtype>
class MultinomialLogisticLossLayer : public LossLayer<Dtype> {
 public:
  explicit MultinomialLogisticLossLayer(const LayerParameter& param) : LossLayer<Dtype>(param) {}
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "MultinomialLogisticLoss"; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;
};

}  // namespace caffe

#endif  // CAFFE_MULTINOMIAL_LOGISTIC_LOSS_LAYER_HPP_
