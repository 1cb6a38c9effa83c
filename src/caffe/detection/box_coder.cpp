#include "caffe/detection/box_coder.hpp"

#include <cmath>

namespace caffe {

namespace {

template <typename T>
void Corners(const Box<T>& box, T* corners) {
  corners[0] = box.xmin;
  corners[1] = box.ymin;
  corners[2] = box.xmax;
  corners[3] = box.ymax;
}

/** The unit of each of the four offsets: the prior's sides, or 1 for CORNER. */
template <typename T>
void Units(BoxCodeType type, const Box<T>& prior, T* units) {
  const bool relative = type != BOX_CODE_CORNER;
  units[0] = units[2] = relative ? Width(prior) : T(1);
  units[1] = units[3] = relative ? Height(prior) : T(1);
}

}  // namespace

template <typename T>
void BoxCoder::Encode(const Box<T>& prior, const T* variance, const Box<T>& box, T* code) const {
  T units[4];
  Units(type, prior, units);
  if (type == BOX_CODE_CENTER_SIZE) {
    code[0] = ((box.xmin + box.xmax) - (prior.xmin + prior.xmax)) / 2 / units[0];
    code[1] = ((box.ymin + box.ymax) - (prior.ymin + prior.ymax)) / 2 / units[1];
    code[2] = std::log(Width(box) / units[2]);
    code[3] = std::log(Height(box) / units[3]);
  } else {
    T from[4], to[4];
    Corners(prior, from);
    Corners(box, to);
    for (int i = 0; i < 4; ++i) code[i] = (to[i] - from[i]) / units[i];
  }
  if (variance_in_target) return;
  for (int i = 0; i < 4; ++i) code[i] /= variance[i];
}

template <typename T>
Box<T> BoxCoder::Decode(const Box<T>& prior, const T* variance, const T* code) const {
  T units[4], offset[4];
  Units(type, prior, units);
  for (int i = 0; i < 4; ++i) offset[i] = variance_in_target ? code[i] : code[i] * variance[i];
  if (type == BOX_CODE_CENTER_SIZE) {
    const T center_x = (prior.xmin + prior.xmax) / 2 + offset[0] * units[0];
    const T center_y = (prior.ymin + prior.ymax) / 2 + offset[1] * units[1];
    const T half_width = std::exp(offset[2]) * units[2] / 2;
    const T half_height = std::exp(offset[3]) * units[3] / 2;
    const Box<T> box = {center_x - half_width, center_y - half_height, center_x + half_width,
                        center_y + half_height};
    return box;
  }
  const Box<T> box = {prior.xmin + offset[0] * units[0], prior.ymin + offset[1] * units[1],
                      prior.xmax + offset[2] * units[2], prior.ymax + offset[3] * units[3]};
  return box;
}

template void BoxCoder::Encode(const Box<float>&, const float*, const Box<float>&, float*) const;
template void BoxCoder::Encode(const Box<double>&, const double*, const Box<double>&,
                               double*) const;
template Box<float> BoxCoder::Decode(const Box<float>&, const float*, const float*) const;
template Box<double> BoxCoder::Decode(const Box<double>&, const double*, const double*) const;

}  // namespace caffe
