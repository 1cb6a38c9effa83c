#ifndef CAFFE_RESHAPE_LAYER_HPP_
#define CAFFE_RESHAPE_LAYER_HPP_

#include <vector>

#include "caffe/layers/view_layer.hpp"

namespace caffe {

/**
 * @brief Replaces some axes of the bottom's shape; the elements stay in order.
 *
 * reshape_param: the num_axes (−1: all to the end) axes from `axis` (0;
 * negative: −1 is behind the last) are replaced by shape.dim, where 0 keeps the
 * length of the bottom's axis at that place and one −1 is inferred from the count.
 * So axis: 1, num_axes: 0 inserts axes. A view: see ViewLayer.
 * @throws Error for axes out of range, a dim below −1 or a second −1, a 0
 * without an axis at its place, or a count that does not come out.
 */
template <typename Dtype>
class ReshapeLayer : public ViewLayer<Dtype> {
 public:
  explicit ReshapeLayer(const LayerParameter& param) : ViewLayer<Dtype>(param) {}
  const char* type() const override { return "Reshape"; }

 protected:
  vector<int> TopShape(const Blob<Dtype>& bottom) const override;
};

}  // namespace caffe

#endif  // CAFFE_RESHAPE_LAYER_HPP_
