#include "caffe/layers/concat_layer.hpp"

#include <vector>

#include "caffe/util/strips.hpp"

namespace caffe {

template <typename Dtype>
void ConcatLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                    const vector<Blob<Dtype>*>& /*top*/) {
  const ConcatParameter& param = this->layer_param_.concat_param();
  CHECK(!(param.has_axis() && param.has_concat_dim()))
      << "concat_param has axis and concat_dim; expected axis alone";
  if (!param.has_concat_dim()) {
    concat_axis_ = bottom[0]->CanonicalAxisIndex(param.axis());
    return;
  }
  CHECK(param.concat_dim() < static_cast<unsigned>(bottom[0]->num_axes()))
      << "concat_dim " << param.concat_dim() << " out of range for a blob of shape "
      << bottom[0]->shape_string();
  concat_axis_ = static_cast<int>(param.concat_dim());
}

template <typename Dtype>
void ConcatLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                 const vector<Blob<Dtype>*>& top) {
  vector<int> shape = bottom[0]->shape();
  CHECK(concat_axis_ < bottom[0]->num_axes())
      << "axis " << concat_axis_ << " out of range for a blob of shape "
      << bottom[0]->shape_string();
  for (size_t i = 0; i < bottom.size(); ++i) {
    CHECK(bottom[i] != top[0]) << "cannot work in place, but the top is bottom[" << i << "]";
    if (i == 0) continue;
    vector<int> expected = bottom[0]->shape();
    if (bottom[i]->num_axes() == bottom[0]->num_axes()) {
      expected[concat_axis_] = bottom[i]->shape(concat_axis_);
    }
    CHECK(bottom[i]->shape() == expected)
        << "bottom[" << i << "] has the shape " << bottom[i]->shape_string()
        << "; expected that of bottom[0], " << bottom[0]->shape_string() << ", except along axis "
        << concat_axis_;
    shape[concat_axis_] += bottom[i]->shape(concat_axis_);
  }
  top[0]->Reshape(shape);
}

template <typename Dtype>
void ConcatLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                     const vector<Blob<Dtype>*>& top) {
  Dtype* joined = top[0]->mutable_cpu_data();
  const int rows = top[0]->count(0, concat_axis_);
  const int width = top[0]->count(concat_axis_);
  for (const Blob<Dtype>* blob : bottom) {
    const int part = blob->count(concat_axis_);
    CopyStrips(StripShape{rows, part, part, width}, blob->cpu_data(), joined);
    joined += part;
  }
}

template <typename Dtype>
void ConcatLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                      const vector<bool>& propagate_down,
                                      const vector<Blob<Dtype>*>& bottom) {
  const Dtype* joined = top[0]->cpu_diff();
  const int rows = top[0]->count(0, concat_axis_);
  const int width = top[0]->count(concat_axis_);
  for (size_t i = 0; i < bottom.size(); ++i) {
    const int part = bottom[i]->count(concat_axis_);
    if (propagate_down[i]) {
      CopyStrips(StripShape{rows, part, width, part}, joined, bottom[i]->mutable_cpu_diff());
    }
    joined += part;
  }
}

INSTANTIATE_CLASS(ConcatLayer);
REGISTER_LAYER_CLASS(Concat);

}  // namespace caffe
