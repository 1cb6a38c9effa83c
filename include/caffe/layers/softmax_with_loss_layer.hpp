#ifndef CAFFE_SOFTMAX_WITH_LOSS_LAYER_HPP_
#define CAFFE_SOFTMAX_WITH_LOSS_LAYER_HPP_

#include <vector>

#include "caffe/layers/loss_layer.hpp"
#include "caffe/util/labels.hpp"

namespace caffe {

/**
 * @brief Multinomial logistic loss of the softmax of scores.
 *
 * bottom[0]: scores x, seen as outer × classes × inner around
 * softmax_param.axis; bottom[1]: outer · inner integral labels y.
 * top[0] = −1/Z Σ log p[y], p = softmax(x) along the axis, with p raised to
 * FLT_MIN first, so one element's loss stops at 87.3 (as in Caffe). The sum
 * leaves out labels equal to loss_param.ignore_label; Z is GetNormalizer's,
 * VALID by default. Optional top[1]: p, in x's shape; it passes no gradient.
 * Gradient: (p − onehot(y)) / Z, 0 where ignored; none for labels.
 * @throws Error for another number of labels, a label that is no integer or no
 * class, a request for the labels' gradient, or a loss weight on top[1].
 */
template <typename Dtype>
class SoftmaxWithLossLayer : public LossLayer<Dtype> {
 public:
  explicit SoftmaxWithLossLayer(const LayerParameter& param) : LossLayer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "SoftmaxWithLoss"; }
  int ExactNumTopBlobs() const override { return -1; }
  int MinTopBlobs() const override { return 1; }
  int MaxTopBlobs() const override { return 2; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  Blob<Dtype> prob_;

 private:
  LabelRule Rule() const { return LabelRule(classes_, this->layer_param_.loss_param()); }

  LossParameter_NormalizationMode normalization_ = LossParameter_NormalizationMode_VALID;
  int outer_num_ = 0;
  int classes_ = 0;
  int inner_num_ = 0;
  Dtype normalizer_ = 1;  ///< of the last Forward
};

}  // namespace caffe

#endif  // CAFFE_SOFTMAX_WITH_LOSS_LAYER_HPP_
