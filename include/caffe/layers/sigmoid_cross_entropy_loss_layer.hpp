#ifndef CAFFE_SIGMOID_CROSS_ENTROPY_LOSS_LAYER_HPP_
#define CAFFE_SIGMOID_CROSS_ENTROPY_LOSS_LAYER_HPP_

#include <vector>

#include "caffe/layers/loss_layer.hpp"

namespace caffe {

/**
 * @brief Cross entropy of sigmoids: one independent yes-or-no question an element.
 *
 * bottom[0]: scores x; bottom[1]: targets t, equally many, usually in [0, 1].
 * top[0] = −1/Z Σ (t log σ(x) + (1 − t) log(1 − σ(x))), computed as
 * Σ max(x, 0) − x t + log(1 + e^−|x|), which no finite x overflows. Targets
 * equal to loss_param.ignore_label are left out (Caffe compares their integer
 * part, so that there 0.5 is ignored with ignore_label 0). Z is GetNormalizer's with
 * outer = the first axis and inner = the rest; the default is BATCH_SIZE.
 * Gradient: (σ(x) − t) / Z, 0 where ignored; none for targets.
 * @throws Error if the counts differ, or for a request for the targets' gradient.
 */
template <typename Dtype>
class SigmoidCrossEntropyLossLayer : public LossLayer<Dtype> {
 public:
  explicit SigmoidCrossEntropyLossLayer(const LayerParameter& param) : LossLayer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "SigmoidCrossEntropyLoss"; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

 private:
  bool IsIgnored(Dtype target) const { return has_ignore_label_ && target == ignore_label_; }

  LossParameter_NormalizationMode normalization_ = LossParameter_NormalizationMode_BATCH_SIZE;
  bool has_ignore_label_ = false;
  Dtype ignore_label_ = 0;
  Dtype normalizer_ = 1;  ///< of the last Forward
};

}  // namespace caffe

#endif  // CAFFE_SIGMOID_CROSS_ENTROPY_LOSS_LAYER_HPP_
