#ifndef CAFFE_DETECTION_BOX_CODER_HPP_
#define CAFFE_DETECTION_BOX_CODER_HPP_

#include "caffe/detection/box.hpp"

namespace caffe {

/** @brief How a box is written relative to a prior; the values are the schema's. */
enum BoxCodeType { BOX_CODE_CORNER = 1, BOX_CODE_CENTER_SIZE = 2, BOX_CODE_CORNER_SIZE = 3 };

/**
 * @brief Boxes as offsets from priors (SSD, Liu et al. 2016, eq. 2), and back.
 *
 * With prior p (center cx, cy, size w, h), box b and variances v:
 *   CORNER       (b.xmin − p.xmin) / v0, …, (b.ymax − p.ymax) / v3
 *   CENTER_SIZE  (b.cx − p.cx) / (p.w v0), (b.cy − p.cy) / (p.h v1), ln(b.w / p.w) / v2, ln(b.h /
 * p.h) / v3 CORNER_SIZE  (b.xmin − p.xmin) / (p.w v0), …, (b.ymax − p.ymax) / (p.h v3) With
 * variance_in_target the variances are left out: the loss applies them. Decode is the inverse of
 * Encode.
 */
struct BoxCoder {
  BoxCodeType type;
  bool variance_in_target;

  /**
   * @brief Writes four numbers. Priors and, for CENTER_SIZE, boxes need a
   * positive width and height (caller's duty; see IsEncodable).
   */
  template <typename T>
  void Encode(const Box<T>& prior, const T* variance, const Box<T>& box, T* code) const;
  template <typename T>
  Box<T> Decode(const Box<T>& prior, const T* variance, const T* code) const;
  /** @brief Whether Encode is defined for such a box: positive sides where sizes are divided by. */
  template <typename T>
  bool IsEncodable(const Box<T>& box) const {
    return type == BOX_CODE_CORNER || (Width(box) > T(0) && Height(box) > T(0));
  }
};

}  // namespace caffe

#endif  // CAFFE_DETECTION_BOX_CODER_HPP_
