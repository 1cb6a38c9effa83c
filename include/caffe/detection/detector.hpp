#ifndef CAFFE_DETECTION_DETECTOR_HPP_
#define CAFFE_DETECTION_DETECTOR_HPP_

#include <cstddef>
#include <vector>

#include "caffe/detection/box.hpp"
#include "caffe/detection/box_coder.hpp"
#include "caffe/detection/nms.hpp"

namespace caffe {

struct DetectorOptions {
  int num_classes;
  int background_label;  ///< never detected; -1: every class is an object
  bool share_location;   ///< one box a prior; else one for each class
  BoxCoder coder;
  double confidence_threshold;  ///< only higher scores are looked at
  NmsOptions nms;               ///< top_k: of each class and image
  int keep_top_k;               ///< of all classes, an image; -1: all
  double objectness_threshold;  ///< with anchor_conf: the least score of a prior that is looked at

  int num_loc_classes() const { return share_location ? 1 : num_classes; }
};

/**
 * @brief What a net says of a batch.
 *
 * loc  : num_images × num_priors × num_loc_classes × 4
 * conf : num_images × num_priors × num_classes, scores (after softmax or sigmoid)
 * variance : num_priors × 4
 * Of a net that refines its priors first (RefineDet, Zhang et al. 2018), else null:
 * anchor_loc  : num_images × num_priors × 4, the priors' own offsets
 * anchor_conf : num_images × num_priors × 2, [1] how likely the prior holds an object
 */
template <typename T>
struct Predictions {
  int num_images;
  int num_priors;
  const T* loc;
  const T* conf;
  const BoxArray<T>* priors;
  const T* variance;
  const T* anchor_loc;
  const T* anchor_conf;
};

template <typename T>
struct Detection {
  int image;
  int label;
  T score;
  Box<T> box;
};

/**
 * @brief From predictions to detections (SSD, Liu et al. 2016, section 2.2): for
 * each class its highest scores, decoded, without near duplicates; then the
 * keep_top_k highest of all classes of an image.
 *
 * A score or box that is not finite is no detection; num_broken says how many
 * there were. Images and classes are worked on in parallel; the result does
 * not depend on the number of threads. Of equal scores the lower label, then
 * the lower prior, comes first.
 */
template <typename T>
class Detector {
 public:
  explicit Detector(const DetectorOptions& options) : options_(options) {}

  /** @brief By image, then label, then falling score. Valid until the next call. */
  const std::vector<Detection<T>>& Detect(const Predictions<T>& predictions);
  /** @brief Scores, and boxes of candidates, of the last Detect that were not finite. */
  std::size_t num_broken() const { return num_broken_; }

 private:
  /** One class of one image. */
  struct Task {
    std::vector<Detection<T>> found;
    std::size_t num_broken = 0;
  };
  /** What a thread needs for a task. */
  struct Scratch {
    std::vector<int> priors, order, kept;
    std::vector<T> candidates, scores;
    BoxArray<T> boxes;
    NmsScratch nms;
  };

  void RunTask(const Predictions<T>& predictions, int image, int label, Scratch* scratch);
  std::size_t CollectCandidates(const Predictions<T>& predictions, int image, int label,
                                Scratch* scratch) const;
  Box<T> Decode(const Predictions<T>& predictions, int image, int prior, int label) const;
  void KeepBest(int image, Scratch* scratch);
  Task* TasksOf(int image) {
    return &tasks_[static_cast<std::size_t>(image) * options_.num_classes];
  }

  DetectorOptions options_;
  std::vector<Task> tasks_;       // images × classes
  std::vector<Scratch> scratch_;  // by thread
  std::vector<Detection<T>> detections_;
  std::size_t num_broken_ = 0;
};

}  // namespace caffe

#endif  // CAFFE_DETECTION_DETECTOR_HPP_
