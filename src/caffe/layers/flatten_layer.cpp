#include "caffe/layers/flatten_layer.hpp"

#include <vector>

namespace caffe {

template <typename Dtype>
vector<int> FlattenLayer<Dtype>::TopShape(const Blob<Dtype>& bottom) const {
  const FlattenParameter& param = this->layer_param_.flatten_param();
  const int first = bottom.CanonicalAxisIndex(param.axis());
  const int last = bottom.CanonicalAxisIndex(param.end_axis());
  CHECK(first <= last) << "end_axis " << param.end_axis() << " lies before axis " << param.axis()
                       << " of a blob of shape " << bottom.shape_string();
  vector<int> shape(bottom.shape().begin(), bottom.shape().begin() + first);
  shape.push_back(bottom.count(first, last + 1));
  shape.insert(shape.end(), bottom.shape().begin() + last + 1, bottom.shape().end());
  return shape;
}

INSTANTIATE_CLASS(FlattenLayer);
REGISTER_LAYER_CLASS(Flatten);

}  // namespace caffe
