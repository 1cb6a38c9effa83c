#include "caffe/layers/slice_layer.hpp"

#include <vector>

#include "caffe/util/strips.hpp"

namespace caffe {

template <typename Dtype>
void SliceLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                   const vector<Blob<Dtype>*>& /*top*/) {
  const SliceParameter& param = this->layer_param_.slice_param();
  CHECK(!(param.has_axis() && param.has_slice_dim()))
      << "slice_param has axis and slice_dim; expected axis alone";
  if (!param.has_slice_dim()) {
    slice_axis_ = bottom[0]->CanonicalAxisIndex(param.axis());
    return;
  }
  CHECK(param.slice_dim() < static_cast<unsigned>(bottom[0]->num_axes()))
      << "slice_dim " << param.slice_dim() << " out of range for a blob of shape "
      << bottom[0]->shape_string();
  slice_axis_ = static_cast<int>(param.slice_dim());
}

template <typename Dtype>
vector<int> SliceLayer<Dtype>::Lengths(int axis_length, int num_top) const {
  const SliceParameter& param = this->layer_param_.slice_param();
  if (param.slice_point_size() == 0) {
    CHECK(axis_length % num_top == 0)
        << "axis " << slice_axis_ << " of length " << axis_length << " is not divisible by the "
        << num_top << " tops; give slice_point";
    return vector<int>(num_top, axis_length / num_top);
  }
  CHECK(param.slice_point_size() == num_top - 1)
      << num_top << " tops need " << num_top - 1 << " of slice_point, got "
      << param.slice_point_size();
  vector<int> lengths;
  unsigned previous = 0;
  for (const unsigned point : param.slice_point()) {
    CHECK(point > previous && point < static_cast<unsigned>(axis_length))
        << "slice_point " << point << " must be above " << previous << " and below " << axis_length
        << ", the length of axis " << slice_axis_;
    lengths.push_back(static_cast<int>(point - previous));
    previous = point;
  }
  lengths.push_back(axis_length - static_cast<int>(previous));
  return lengths;
}

template <typename Dtype>
void SliceLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                const vector<Blob<Dtype>*>& top) {
  vector<int> shape = bottom[0]->shape();
  const vector<int> lengths = Lengths(bottom[0]->shape(slice_axis_), static_cast<int>(top.size()));
  for (size_t i = 0; i < top.size(); ++i) {
    CHECK(top[i] != bottom[0]) << "cannot work in place, but top[" << i << "] is the bottom";
    shape[slice_axis_] = lengths[i];
    top[i]->Reshape(shape);
  }
}

template <typename Dtype>
void SliceLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                    const vector<Blob<Dtype>*>& top) {
  const Dtype* whole = bottom[0]->cpu_data();
  const int rows = bottom[0]->count(0, slice_axis_);
  const int width = bottom[0]->count(slice_axis_);
  for (Blob<Dtype>* blob : top) {
    const int part = blob->count(slice_axis_);
    CopyStrips(StripShape{rows, part, width, part}, whole, blob->mutable_cpu_data());
    whole += part;
  }
}

template <typename Dtype>
void SliceLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                     const vector<bool>& propagate_down,
                                     const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  Dtype* whole = bottom[0]->mutable_cpu_diff();
  const int rows = bottom[0]->count(0, slice_axis_);
  const int width = bottom[0]->count(slice_axis_);
  for (const Blob<Dtype>* blob : top) {
    const int part = blob->count(slice_axis_);
    CopyStrips(StripShape{rows, part, part, width}, blob->cpu_diff(), whole);
    whole += part;
  }
}

INSTANTIATE_CLASS(SliceLayer);
REGISTER_LAYER_CLASS(Slice);

}  // namespace caffe
