#ifndef CAFFE_DETECTION_MULTIBOX_TARGETS_HPP_
#define CAFFE_DETECTION_MULTIBOX_TARGETS_HPP_

#include <vector>

#include "caffe/detection/box.hpp"
#include "caffe/detection/box_coder.hpp"
#include "caffe/detection/conf_loss.hpp"
#include "caffe/detection/matcher.hpp"
#include "caffe/detection/miner.hpp"

namespace caffe {

/** @brief The values are the schema's. */
enum LocLossType { LOC_L2 = 0, LOC_SMOOTH_L1 = 1 };

struct MultiBoxOptions {
  int num_classes;
  int background_label;
  bool share_location;          ///< one box a prior; else one for each class
  bool map_object_to_agnostic;  ///< every object has the label background_label + 1
  bool use_prior_for_matching;  ///< match priors; else decoded predictions
  bool use_difficult;           ///< ground truth marked difficult is learned too
  bool bp_inside;               ///< no gradient for coordinates of matches outside the image
  ConfLossType conf_loss;
  LocLossType loc_loss;
  double loc_weight;
  BoxCoder coder;
  MatchOptions match;
  MiningOptions mining;
  bool use_prior_for_nms;     ///< mining's suppression looks at priors; else at predictions
  int empty_image_negatives;  ///< so many negatives are mined from an image without ground truth

  int num_loc_classes() const { return share_location ? 1 : num_classes; }
};

/** @brief The objects of one image. */
template <typename T>
struct GroundTruth {
  std::vector<Box<T>> boxes;
  std::vector<int> labels;
  std::vector<char> difficult;
};

/**
 * @brief One batch, as the loss sees it.
 *
 * loc  : num_images × num_priors × num_loc_classes × 4
 * conf : num_images × num_priors × num_classes, before softmax or sigmoid
 * variance : num_priors × 4
 */
template <typename T>
struct MultiBoxBatch {
  int num_images;
  int num_priors;
  const T* loc;
  const T* conf;
  const BoxArray<T>* priors;
  const T* variance;
  const std::vector<GroundTruth<T>>* ground_truth;
};

/** @brief A prior that learns an object. */
struct Positive {
  int image;
  int prior;
  int loc_class;  ///< 0 when the location is shared, else the label whose box learns
  int label;
  int ground_truth;  ///< index into the image's GroundTruth
};

/** @brief A prior that learns to be background. */
struct Negative {
  int image;
  int prior;
};

/** @brief Which priors learn what; by image, then location class, then prior. */
struct MultiBoxTargets {
  std::vector<Positive> positives;
  std::vector<Negative> negatives;
};

/**
 * @brief Matches the priors of every image with its ground truth, and mines.
 *
 * An image without (usable) ground truth has no positive, and negatives only
 * through empty_image_negatives, as in Caffe-SSD. Ground truth of no area
 * matches nothing. Images are worked on in parallel; the result does not
 * depend on the number of threads. Mining losses that are NaN count as the
 * largest, so that broken predictions reach the loss instead of hiding.
 */
template <typename T>
void AssignTargets(const MultiBoxBatch<T>& batch, const MultiBoxOptions& options,
                   MultiBoxTargets* targets);

/**
 * @brief The differences that the localization loss of one positive sees:
 * (prediction − encoded ground truth) for each of the four coordinates, over
 * the variance with variance_in_target, and 0 where bp_inside says so.
 */
template <typename T>
void LocDifferences(const MultiBoxBatch<T>& batch, const MultiBoxOptions& options,
                    const Positive& positive, T* differences);

/** @brief ½d² for L2; for SMOOTH_L1 ½d² where |d| < 1, else |d| − ½ (Girshick 2015, eq. 3). */
template <typename T>
T LocLoss(LocLossType type, T difference);
/** @brief Its derivative. */
template <typename T>
T LocLossGradient(LocLossType type, T difference);

/** @brief Zeroes n numbers by all threads: gradients of a batch are a hundred megabytes. */
template <typename T>
void ClearGradient(std::size_t n, T* gradient);

}  // namespace caffe

#endif  // CAFFE_DETECTION_MULTIBOX_TARGETS_HPP_
