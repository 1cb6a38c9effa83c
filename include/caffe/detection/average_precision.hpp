#ifndef CAFFE_DETECTION_AVERAGE_PRECISION_HPP_
#define CAFFE_DETECTION_AVERAGE_PRECISION_HPP_

#include <vector>

namespace caffe {

enum ApVersion {
  AP_11POINT,       ///< mean of the best precision at recall ≥ 0, 0.1, …, 1 (VOC 2007)
  AP_MAX_INTEGRAL,  ///< area under the envelope of the curve (VOC 2010 and later)
  AP_INTEGRAL       ///< area under the curve as it is
};

/** @brief One detection of a class: its score, and whether it found a ground truth. */
struct ScoredDetection {
  double score;
  bool is_true_positive;
};

/** @brief Precision and recall after each detection, in falling order of scores. */
struct PrecisionRecall {
  std::vector<double> precision;
  std::vector<double> recall;
  std::vector<double> score;
};

/**
 * @brief precision[i] = TP / (i + 1), recall[i] = TP / num_positives, TP the
 * true positives among the i + 1 highest scores; equal scores keep their order.
 * Empty without detections or positives.
 */
PrecisionRecall ComputePrecisionRecall(std::vector<ScoredDetection> detections, int num_positives);

/** @brief The average precision in [0, 1]; 0 for an empty curve. */
double AveragePrecision(const PrecisionRecall& curve, ApVersion version);

}  // namespace caffe

#endif  // CAFFE_DETECTION_AVERAGE_PRECISION_HPP_
