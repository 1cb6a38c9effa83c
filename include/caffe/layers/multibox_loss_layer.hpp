#ifndef CAFFE_MULTIBOX_LOSS_LAYER_HPP_
#define CAFFE_MULTIBOX_LOSS_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/detection/multibox_targets.hpp"
#include "caffe/layer.hpp"
#include "caffe/layers/loss_layer.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/**
 * @brief Reads and checks multibox_loss_param and loss_param.
 * @throws Error for a missing num_classes, a background label outside the
 * classes, or do_neg_mining that contradicts mining_type.
 */
MultiBoxOptions ReadMultiBoxOptions(const LayerParameter& param);

/** @brief The normalization that loss_param asks for (VALID by default). */
LossParameter_NormalizationMode MultiBoxNormalization(const LossParameter& param);

/**
 * @brief The objects of each image, from rows of
 * (item, label, instance, xmin, ymin, xmax, ymax, difficult).
 *
 * Rows of item −1 are padding. @throws Error, with the row, for an item that
 * is no image of the batch, a label that is no class or is the background, or
 * coordinates that are not finite.
 */
template <typename Dtype>
void ReadGroundTruth(const Blob<Dtype>& rows, int num_images, const MultiBoxOptions& options,
                     vector<GroundTruth<Dtype>>* ground_truth);

/** @brief How many priors a PriorBox's top, bottom[2], holds. @throws Error unless it is 1 × 2 × 4
 * · priors, with one at least. */
template <typename Dtype>
int NumPriors(const Blob<Dtype>& blob);

/** @brief Boxes and variances, from a PriorBox's top. @throws Error for a variance that is not
 * positive. */
template <typename Dtype>
void ReadPriors(const Blob<Dtype>& blob, BoxArray<Dtype>* priors, vector<Dtype>* variance);

/**
 * @brief The loss of SSD (Liu et al. 2016, eq. 1): localization and confidence
 * of all images of a batch, over one normalizer.
 *
 *   loss = (L_conf + loc_weight L_loc) / normalizer
 *
 * L_conf and L_loc are sums over the chosen priors (detection/multibox_targets.hpp);
 * the normalizer is GetNormalizer's, with the images as outer, the priors as
 * inner and the matches as valid number. A term whose propagate_down is false
 * is left out, as in Caffe-SSD.
 *
 * bottom[0] mbox_loc      : N × (priors · location classes · 4)
 * bottom[1] mbox_conf     : N × (priors · num_classes)
 * bottom[2] mbox_priorbox : 1 × 2 × (priors · 4)
 * bottom[3] label         : 1 × 1 × objects × 8
 * top[0]  the loss; optional further tops: L_conf / normalizer,
 *         loc_weight L_loc / normalizer, for the log (no gradient comes from them).
 *
 * Unlike Caffe-SSD's: what a forward matched is never used by a later one; the
 * gradient with encode_variance_in_target is the derivative of the loss (there
 * it lacks the variance); several location classes may be mined.
 */
template <typename Dtype>
class MultiBoxLossLayer : public LossLayer<Dtype> {
 public:
  explicit MultiBoxLossLayer(const LayerParameter& param) : LossLayer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "MultiBoxLoss"; }
  int ExactNumBottomBlobs() const override { return 4; }
  int ExactNumTopBlobs() const override { return -1; }
  int MinTopBlobs() const override { return 1; }
  int MaxTopBlobs() const override { return 3; }
  bool AllowForceBackward(const int bottom_index) const override { return bottom_index < 2; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  /** @brief Whether the term of bottom `index` is part of the loss. */
  bool IsLearned(int index) const {
    return this->layer_param_.propagate_down_size() <= index ||
           this->layer_param_.propagate_down(index);
  }
  /** @brief What the sums of this batch are divided by. */
  Dtype Normalizer() {
    return this->GetNormalizer(normalization_, num_images_, num_priors_,
                               static_cast<int>(targets_.positives.size()));
  }
  MultiBoxBatch<Dtype> Batch(const vector<Blob<Dtype>*>& bottom) const;
  Dtype SumLocLoss(const MultiBoxBatch<Dtype>& batch) const;
  Dtype SumConfLoss(const MultiBoxBatch<Dtype>& batch) const;
  void BackwardLoc(const MultiBoxBatch<Dtype>& batch, Dtype weight, Dtype* gradient) const;
  void BackwardConf(const MultiBoxBatch<Dtype>& batch, Dtype weight, Dtype* gradient) const;
  /** @brief A prior of the batch whose confidences learn, and its label. */
  struct LearnedRow {
    size_t row;
    int label;
  };
  /** @brief Where something is mined: number `index` of the positives, then the negatives. */
  LearnedRow RowOf(long index) const;
  /** @brief The label that each prior learns where nothing is mined: priors × images. */
  void AllLabels(vector<int>* labels) const;

  MultiBoxOptions options_;
  LossParameter_NormalizationMode normalization_;
  int num_images_;
  int num_priors_;
  BoxArray<Dtype> priors_;
  vector<Dtype> variance_;
  vector<GroundTruth<Dtype>> ground_truth_;
  MultiBoxTargets targets_;  // of the last forward
};

}  // namespace caffe

#endif  // CAFFE_MULTIBOX_LOSS_LAYER_HPP_
