#ifndef CAFFE_LOSS_LAYER_HPP_
#define CAFFE_LOSS_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/** Probabilities are raised to this before their logarithm is taken, as in Caffe. */
const float kLOG_THRESHOLD = 1e-20;

/**
 * @brief The normalization that a LossParameter asks for.
 *
 * `normalization` decides where it is given; else the deprecated `normalize`
 * (true: VALID, false: BATCH_SIZE); else the layer's own default.
 */
LossParameter_NormalizationMode LossNormalization(
    const LossParameter& param,
    LossParameter_NormalizationMode layer_default = LossParameter_NormalizationMode_VALID);

/**
 * @brief What a summed loss is divided by.
 *
 * FULL: outer_num · inner_num; VALID: valid_count, or as FULL where it is −1;
 * BATCH_SIZE: outer_num; NONE: 1. Never less than 1, so that a batch without
 * a counted label has the loss 0, not NaN.
 * @throws Error for a negative number (other than valid_count −1).
 */
template <typename Dtype>
Dtype GetNormalizer(LossParameter_NormalizationMode mode, int outer_num, int inner_num,
                    int valid_count);

/**
 * @brief The base of losses: two bottoms (predictions, labels) with the same
 * first axis, and a scalar top.
 *
 * Where no loss_weight is given, top[0] has the weight 1 and any further tops
 * 0. (Caffe refuses several tops without loss_weight.) By default bottom[1]
 * gets no gradient, force_backward or not.
 */
template <typename Dtype>
class LossLayer : public Layer<Dtype> {
 public:
  explicit LossLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  /** @throws Error if the first axes of the two bottoms differ. */
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  int ExactNumBottomBlobs() const override { return 2; }
  /** @brief A top without a name is made for a loss that names none. */
  bool AutoTopBlobs() const override { return true; }
  int ExactNumTopBlobs() const override { return 1; }
  bool AllowForceBackward(const int bottom_index) const override { return bottom_index != 1; }

 protected:
  /** @brief caffe::GetNormalizer under the name that layers written for the SSD branch call. */
  Dtype GetNormalizer(const LossParameter_NormalizationMode normalization_mode, const int outer_num,
                      const int inner_num, const int valid_count) {
    return ::caffe::GetNormalizer<Dtype>(normalization_mode, outer_num, inner_num, valid_count);
  }
};

}  // namespace caffe

#endif  // CAFFE_LOSS_LAYER_HPP_
