#ifndef CAFFE_UTIL_LABELS_HPP_
#define CAFFE_UTIL_LABELS_HPP_

// C++11 on Caffe's public API alone: layers that are also installed into a Caffe tree use it.

#include <cmath>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/** @brief Which labels a layer takes: the classes 0 … num_classes − 1, and one value to leave out.
 */
struct LabelRule {
  LabelRule(int num_classes, bool has_ignore_label, int ignore_label)
      : num_classes(num_classes), has_ignore_label(has_ignore_label), ignore_label(ignore_label) {}
  LabelRule(int num_classes, const LossParameter& param)
      : num_classes(num_classes),
        has_ignore_label(param.has_ignore_label()),
        ignore_label(param.ignore_label()) {}

  int num_classes;
  bool has_ignore_label;
  int ignore_label;
};

/**
 * @brief Reads the label at `index` of a blob: labels are stored as floating-point numbers.
 * @return whether it counts: false, and *label untouched, for the ignore_label.
 * @throws Error naming index, value and range for a value that is not integral
 * (NaN included) or not a class.
 */
template <typename Dtype>
bool ReadLabel(Dtype value, int index, const LabelRule& rule, int* label) {
  if (rule.has_ignore_label && value == static_cast<Dtype>(rule.ignore_label)) return false;
  CHECK(value == std::floor(value)) << "label[" << index << "] is " << value
                                    << "; expected an integer from 0 to " << rule.num_classes - 1;
  CHECK(value >= 0 && value < static_cast<Dtype>(rule.num_classes))
      << "label[" << index << "] is " << value << ", out of the range 0 to "
      << rule.num_classes - 1;
  *label = static_cast<int>(value);
  return true;
}

/** @brief @throws Error naming the bottom if Backward is asked for a gradient that does not exist.
 */
inline void CheckNoGradient(const LayerParameter& param, const std::vector<bool>& propagate_down,
                            int index, const char* what) {
  if (index >= static_cast<int>(propagate_down.size()) || !propagate_down[index]) return;
  const std::string name = index < param.bottom_size() ? param.bottom(index) : std::string();
  LOG(FATAL) << "bottom[" << index << "] \"" << name << "\" holds " << what
             << ", which have no gradient; give it propagate_down: false";
}

}  // namespace caffe

#endif  // CAFFE_UTIL_LABELS_HPP_
