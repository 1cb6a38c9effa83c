#ifndef CAFFE_MULTIBOX_CENTER_LOSS_LAYER_HPP_
#define CAFFE_MULTIBOX_CENTER_LOSS_LAYER_HPP_

// C++11 on Caffe's public API: this layer is also installed into Caffe-SSD trees.

#include <string>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layers/multibox_loss_layer.hpp"
#include "caffe/proto/caffe.pb.h"
#include "caffe/util/centers.hpp"

namespace caffe {

/**
 * @brief MultiBoxLoss with center loss (Wen et al., ECCV 2016) on a feature
 * vector of every matched prior, which separates classes that look alike.
 *
 *   loss = (L_conf + loc_weight L_loc + w ½ Σ ‖x − c_y‖²) / normalizer
 *
 * The sum runs over the matches that MultiBoxLoss learns from, x the prior's
 * features and y its object's label; with include_background also over the
 * mined negatives. w is multibox_center_loss_param.weight, or, where that is
 * not given, multibox_loss_param.center_loss_weight (1 by default). All terms
 * have MultiBoxLoss's one normalizer. With w = 0 the layer equals MultiBoxLoss.
 *
 * bottom[0..3] as MultiBoxLoss; bottom[4] mbox_center_conf :
 * N × (priors · center_features). blobs_[0]: the centers, num_classes ×
 * center_features; how they move is Centers' contract (caffe/util/centers.hpp),
 * independent of w and of the normalizer.
 * top[0] the loss; optional further tops, for the log: L_conf, loc_weight
 * L_loc and the center term, each over the normalizer.
 * A term whose propagate_down is false is left out, as in MultiBoxLoss.
 *
 * @throws Error as MultiBoxLoss, and for a missing center_features, a negative
 * weight, include_background without mining, or bottom[4] of another width.
 */
template <typename Dtype>
class MultiBoxCenterLossLayer : public MultiBoxLossLayer<Dtype> {
 public:
  explicit MultiBoxCenterLossLayer(const LayerParameter& param) : MultiBoxLossLayer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "MultiBoxCenterLoss"; }
  int ExactNumBottomBlobs() const override { return 5; }
  int MaxTopBlobs() const override { return 4; }
  bool AllowForceBackward(const int bottom_index) const override {
    return bottom_index < 2 || bottom_index == 4;
  }

#ifdef CAFFE_LAYER_HAS_UPDATE_HOOKS
  void OnClearParamDiffs() override { centers_.OnClearParamDiffs(); }
  void OnUpdate() override { centers_.OnUpdate(); }
  bool ParamDiffIsStep(int param_id) const override { return param_id == 0; }
  std::string Report() const override;
#endif

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;
  /** @brief The feature rows that count, and their labels: matches, then mined negatives. */
  void CollectSamples();

  double weight_;
  bool include_background_;
  Centers<Dtype> centers_;
  std::vector<CenterSample> samples_;  // of the last forward
};

}  // namespace caffe

#endif  // CAFFE_MULTIBOX_CENTER_LOSS_LAYER_HPP_
