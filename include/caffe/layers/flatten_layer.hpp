#ifndef CAFFE_FLATTEN_LAYER_HPP_
#define CAFFE_FLATTEN_LAYER_HPP_

#include <vector>

#include "caffe/layers/view_layer.hpp"

namespace caffe {

/**
 * @brief Joins the axes from flatten_param.axis (1) to end_axis (−1, the last), both included.
 *
 * N×C×H×W becomes N×CHW by default. Negative axes count from the end. A view: see ViewLayer.
 * @throws Error for an axis out of range, or end_axis before axis.
 */
template <typename Dtype>
class FlattenLayer : public ViewLayer<Dtype> {
 public:
  explicit FlattenLayer(const LayerParameter& param) : ViewLayer<Dtype>(param) {}
  const char* type() const override { return "Flatten"; }

 protected:
  vector<int> TopShape(const Blob<Dtype>& bottom) const override;
};

}  // namespace caffe

#endif  // CAFFE_FLATTEN_LAYER_HPP_
