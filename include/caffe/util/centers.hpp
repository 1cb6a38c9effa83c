#ifndef CAFFE_UTIL_CENTERS_HPP_
#define CAFFE_UTIL_CENTERS_HPP_

// C++11 on Caffe's public API: layers that are also installed into a Caffe tree use it.
// What such a tree lacks stands under CAFFE_LAYER_HAS_UPDATE_HOOKS.

#include <stdint.h>

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/filler.hpp"
#include "caffe/layer.hpp"  // tells which host this is
#include "caffe/proto/caffe.pb.h"
#include "caffe/util/center_step.hpp"

namespace caffe {

/** @brief What a layer with centers read from its parameters. */
struct CenterOptions {
  int classes;
  int dim;
  FillerParameter filler;
  bool has_center_lr;
  double center_lr;
};

/**
 * @brief The centers of a layer: their parameter blob (classes × dim), how
 * they move, and what is worth a line in the log. CenterLoss and
 * MultiBoxCenterLoss are made of it.
 *
 * The centers move by Δc_j = Σ_{i: y_i=j} (c_j − x_i) / (1 + n_j) (Wen et al.,
 * ECCV 2016, eq. 4), n_j the samples of class j over all sub-batches of an
 * iteration. By default Δ is added to the blob's diff, for the solver; with
 * center_lr = α, lr_mult and decay_mult of the blob are set to 0, its diff is
 * left alone, and c_j ← c_j − α Δc_j exactly. In a host without the update
 * hooks each Backward stands alone.
 */
template <typename Dtype>
class Centers {
 public:
  Centers() : blob_(nullptr), moved_(0), still_iterations_(0) {}

  /**
   * @brief Makes the blob, or checks the one that the net's file brought.
   * @throws Error for a negative center_lr, or stored centers of another shape.
   */
  void SetUp(const CenterOptions& options, LayerParameter* param,
             vector<shared_ptr<Blob<Dtype>>>* blobs);

  int classes() const { return options_.classes; }
  int dim() const { return options_.dim; }
  CenterBatch<Dtype> Batch(const Dtype* features, const std::vector<CenterSample>* samples) const {
    const CenterBatch<Dtype> batch = {features, blob_->cpu_data(), options_.dim, samples};
    return batch;
  }
  /** @brief To be called once in every Forward, with the distances of its samples. */
  void OnForward(const CenterDistances& distances, size_t num_samples);
  /** @brief To be called once in every Backward; `learns`: whether the blob wants a diff. */
  void OnBackward(const CenterBatch<Dtype>& batch, bool learns);
  /** @brief ‖change of c_j‖ by the last update, the mean over the classes. */
  double moved() const { return moved_; }

  /** @name What the layer passes on from the hooks of the same names. */
  ///@{
  void OnClearParamDiffs();
  void OnUpdate();
  /** @brief Mean distance and movement since the last report; a warning where they stand still. */
  std::string Report(bool loss_has_weight, bool learns) const;
  ///@}

 private:
  /** Sums since the last report. */
  struct Tally {
    Tally() : distance(0), samples(0), movement(0), iterations(0) {}
    double distance;
    int64_t samples;
    double movement;
    int iterations;
  };

  void ApplyStep();
  void Remember();
  void MeasureMovement();

  CenterOptions options_;
  Blob<Dtype>* blob_;
  CenterSums<Dtype> sums_;       ///< of the current iteration
  std::vector<Dtype> previous_;  ///< the centers before the current iteration's update
  double moved_;
  int still_iterations_;  ///< updates in a row that left every center where it was
  mutable Tally tally_;
};

}  // namespace caffe

#endif  // CAFFE_UTIL_CENTERS_HPP_
