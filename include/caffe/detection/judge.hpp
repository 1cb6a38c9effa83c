#ifndef CAFFE_DETECTION_JUDGE_HPP_
#define CAFFE_DETECTION_JUDGE_HPP_

#include <vector>

#include "caffe/detection/box.hpp"

namespace caffe {

enum Verdict {
  TRUE_POSITIVE,
  FALSE_POSITIVE,
  NOT_COUNTED  ///< it found an object marked difficult, and those are not evaluated
};

struct JudgeOptions {
  double overlap_threshold;  ///< the least overlap with an object that is found
  bool evaluate_difficult;   ///< objects marked difficult count as any other
  bool in_pixels;  ///< boxes are in whole pixels, the last one included: a side is max − min + 1
};

/** @brief An object of the class that is judged. */
template <typename T>
struct JudgedObject {
  Box<T> box;
  bool is_difficult;
};

/**
 * @brief Which detections of one class in one image are right (VOC, Everingham
 * et al. 2010, section 4.2).
 *
 * In the given order, which is that of falling scores, each detection takes the
 * object that it overlaps most (of equal overlaps the first), if by at least
 * overlap_threshold. The first to take an object is a true positive, a later
 * one a false positive.
 */
template <typename T>
void JudgeDetections(const std::vector<Box<T>>& detections,
                     const std::vector<JudgedObject<T>>& objects, const JudgeOptions& options,
                     std::vector<Verdict>* verdicts);

}  // namespace caffe

#endif  // CAFFE_DETECTION_JUDGE_HPP_
