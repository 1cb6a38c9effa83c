#ifndef CAFFE_CENTER_LOSS_LAYER_HPP_
#define CAFFE_CENTER_LOSS_LAYER_HPP_

// C++11 on Caffe's public API: this layer is also installed into Caffe-SSD trees.
// What such a tree lacks stands under CAFFE_LAYER_HAS_UPDATE_HOOKS.

#include <string>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/layers/loss_layer.hpp"
#include "caffe/proto/caffe.pb.h"
#include "caffe/util/centers.hpp"
#include "caffe/util/labels.hpp"

namespace caffe {

/**
 * @brief Center loss (Wen et al., "A Discriminative Feature Learning Approach for Deep Face
 * Recognition", ECCV 2016, eq. 2 to 4): pulls the features of each class to a learned center.
 *
 * bottom[0]: features, flattened from center_loss_param.axis into N vectors
 * x_i of K elements; bottom[1]: N integral labels y_i in 0 … num_output − 1.
 * The centers c are blobs_[0], num_output × K, filled by center_filler. M is
 * the number of labels other than loss_param.ignore_label.
 *
 * - top[0] = 1/(2M) Σ ‖x_i − c_{y_i}‖², 0 where M is 0. Its gradient for x_i is
 *   (x_i − c_{y_i})/M times top[0]'s diff, 0 for ignored rows.
 * - top[1], optional: the mean of ‖x_i − c_{y_i}‖ over the M samples.
 * - top[2], optional: ‖change of c_j‖ by the last iteration's update, the mean
 *   over the classes; 0 before the first. Both are for the log: no gradient.
 *
 * The centers move by Δc_j = Σ_{i: y_i=j} (c_j − x_i) / (1 + n_j), n_j the
 * number of samples of class j. It depends on neither loss weight nor top diff.
 * - By default Δ is added to the diff of blobs_[0] and the solver applies it, so
 *   lr · lr_mult plays α (and momentum and decay act, unless set to 0).
 * - With center_lr = α the layer sets lr_mult and decay_mult of its parameter
 *   to 0, leaves the diff alone, and c_j ← c_j − α Δc_j exactly, whatever the solver.
 * Sums and counts of the sub-batches of an iteration (iter_size) are added
 * before the division, so the step is that of their union. In a host without
 * the update hooks each Backward stands alone: its Δ is added to the diff, or,
 * with center_lr, applied at its end.
 *
 * @throws Error for num_output 0, center_lr negative, another number of labels
 * or features, a label that is no integer or no class, a loss weight on top[1]
 * or top[2], stored centers of another shape, or a request for the labels' gradient.
 */
template <typename Dtype>
class CenterLossLayer : public LossLayer<Dtype> {
 public:
  explicit CenterLossLayer(const LayerParameter& param) : LossLayer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "CenterLoss"; }
  int ExactNumTopBlobs() const override { return -1; }
  int MinTopBlobs() const override { return 1; }
  int MaxTopBlobs() const override { return 3; }

#ifdef CAFFE_LAYER_HAS_UPDATE_HOOKS
  void OnClearParamDiffs() override { centers_.OnClearParamDiffs(); }
  void OnUpdate() override { centers_.OnUpdate(); }
  bool ParamDiffIsStep(int param_id) const override { return param_id == 0; }
  /** @brief Centers::Report. */
  string Report() const override;
#endif

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

 private:
  void CheckLossWeights(int num_top);

  int num_ = 0;
  Centers<Dtype> centers_;
  vector<CenterSample> samples_;  ///< that counted in the last Forward
};

}  // namespace caffe

#endif  // CAFFE_CENTER_LOSS_LAYER_HPP_
