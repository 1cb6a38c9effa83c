#ifndef CAFFE_CONTRASTIVE_LOSS_LAYER_HPP_
#define CAFFE_CONTRASTIVE_LOSS_LAYER_HPP_

#include <vector>

#include "caffe/layers/loss_layer.hpp"

namespace caffe {

/**
 * @brief Contrastive loss on pairs of features (Hadsell, Chopra, LeCun, CVPR 2006).
 *
 * bottom[0], bottom[1]: features a and b, N × K (further axes flattened);
 * bottom[2]: N labels y, 1 for a pair that is alike and 0 for one that is not.
 * With d = ‖a − b‖ and margin m, top[0] = 1/(2N) Σ y d² + (1 − y) h, where
 * h = max(m − d, 0)², or, with legacy_version, h = max(m − d², 0).
 * Gradient for a, its negative for b: (a − b)/N times 1 for a pair that is alike,
 * else −(m − d)/d (legacy: −1) while h > 0. At d = 0 it is 0: the loss has no
 * derivative there. (Caffe divides by d + 0.0001 instead, which is not the loss's gradient.)
 * @throws Error if the features' shapes differ, for a label other than 0 and 1,
 * another number of labels, or a request for the labels' gradient.
 */
template <typename Dtype>
class ContrastiveLossLayer : public LossLayer<Dtype> {
 public:
  explicit ContrastiveLossLayer(const LayerParameter& param) : LossLayer<Dtype>(param) {}
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "ContrastiveLoss"; }
  int ExactNumBottomBlobs() const override { return 3; }
  bool AllowForceBackward(const int bottom_index) const override { return bottom_index != 2; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

 private:
  Blob<Dtype> diff_;      ///< a − b of the last Forward
  vector<Dtype> factor_;  ///< of a − b, for each pair, in N times the gradient
};

}  // namespace caffe

#endif  // CAFFE_CONTRASTIVE_LOSS_LAYER_HPP_
