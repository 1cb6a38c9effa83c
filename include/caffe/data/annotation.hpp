#ifndef CAFFE_DATA_ANNOTATION_HPP_
#define CAFFE_DATA_ANNOTATION_HPP_

#include <string>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/detection/box.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/** @brief One object of an image: where it is, as fractions of the image, and what. */
struct AnnotatedBox {
  Box<float> box;
  int label = 0;
  int instance = 0;  ///< counts within the class
  bool difficult = false;
};

/**
 * @brief The objects of a record, group by group, each clipped to the image.
 *
 * A box that is not finite, has a maximum at or below its minimum, or lies
 * outside the image, can be no target: it is left out, and told in `complaint`
 * (which stays as it is if all are sound).
 * @throws Error for a label below 0 or above 2^24, which a blob of floats cannot hold.
 */
vector<AnnotatedBox> BoxesOf(const AnnotatedDatum& datum, string* complaint);

/** @brief Whether a box stays when the image is cut to the window: see EmitConstraint. */
bool Emits(const EmitConstraint& constraint, const Box<float>& window, const Box<float>& box);

/**
 * @brief The boxes as the window sees them: in fractions of the window, clipped to it.
 *
 * Boxes of which nothing is inside are left out, and where there is a
 * constraint (or nullptr) those that do not meet it.
 */
vector<AnnotatedBox> ProjectBoxes(const vector<AnnotatedBox>& boxes, const Box<float>& window,
                                  const EmitConstraint* constraint);

/** @brief Left becomes right. */
void MirrorBoxes(vector<AnnotatedBox>* boxes);

/** @brief The values of one box in a label blob's row. */
constexpr int kLabelRow = 8;

/**
 * @brief Appends (item, label, instance, xmin, ymin, xmax, ymax, difficult) for each box.
 */
template <typename Dtype>
void AppendLabelRows(int item, const vector<AnnotatedBox>& boxes, vector<Dtype>* rows);

}  // namespace caffe

#endif  // CAFFE_DATA_ANNOTATION_HPP_
