#include "caffe/layers/crop_layer.hpp"

#include "caffe/util/spatial.hpp"

namespace caffe {

template <typename Dtype>
void CropLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                  const vector<Blob<Dtype>*>& /*top*/) {
  const CropParameter& param = this->layer_param_.crop_param();
  const int cropped = bottom[0]->num_axes() - bottom[0]->CanonicalAxisIndex(param.axis());
  CHECK(param.offset_size() <= 1 || param.offset_size() == cropped)
      << "crop_param has " << param.offset_size() << " offsets for " << cropped
      << " axes from axis " << param.axis() << " on; expected none, one for all, or one for each";
}

template <typename Dtype>
void CropLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                               const vector<Blob<Dtype>*>& top) {
  const CropParameter& param = this->layer_param_.crop_param();
  CheckNotInPlace(bottom, top);
  const int num_axes = bottom[0]->num_axes();
  const int first = bottom[0]->CanonicalAxisIndex(param.axis());
  CHECK(bottom[1]->num_axes() >= num_axes)
      << "bottom[1] has the shape " << bottom[1]->shape_string() << ", expected at least "
      << num_axes << " axes to crop bottom[0] of shape " << bottom[0]->shape_string();
  offsets.Reshape(vector<int>(1, num_axes));
  bottom_shape_ = top_shape_ = bottom[0]->shape();
  for (int i = 0; i < num_axes; ++i) {
    int64_t offset = 0;
    if (i >= first) {
      if (param.offset_size() > 0) offset = param.offset(param.offset_size() == 1 ? 0 : i - first);
      top_shape_[i] = bottom[1]->shape(i);
      CHECK(offset + top_shape_[i] <= bottom_shape_[i])
          << "axis " << i << " of bottom[0] has " << bottom_shape_[i] << ", but the part starts at "
          << offset << " and has " << top_shape_[i];
    }
    offsets.mutable_cpu_data()[i] = static_cast<int>(offset);
  }
  top[0]->Reshape(top_shape_);
}

template <typename Dtype>
int CropLayer<Dtype>::SourceOfRow(int row) const {
  const int* offset = offsets.cpu_data();
  const int last = static_cast<int>(top_shape_.size()) - 1;
  int source = offset[last], below = bottom_shape_[last];
  for (int i = last - 1; i >= 0; --i) {
    source += (row % top_shape_[i] + offset[i]) * below;
    below *= bottom_shape_[i];
    row /= top_shape_[i];
  }
  return source;
}

template <typename Dtype>
void CropLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                   const vector<Blob<Dtype>*>& top) {
  const Dtype* in = bottom[0]->cpu_data();
  Dtype* out = top[0]->mutable_cpu_data();
  const int length = top_shape_.back();
  for (int row = 0; row * length < top[0]->count(); ++row) {
    caffe_copy(length, in + SourceOfRow(row), out + row * length);
  }
}

template <typename Dtype>
void CropLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                    const vector<bool>& propagate_down,
                                    const vector<Blob<Dtype>*>& bottom) {
  if (propagate_down[1]) {
    caffe_set(bottom[1]->count(), Dtype(0), bottom[1]->mutable_cpu_diff());
  }
  if (!propagate_down[0]) return;
  const Dtype* top_diff = top[0]->cpu_diff();
  Dtype* bottom_diff = bottom[0]->mutable_cpu_diff();
  caffe_set(bottom[0]->count(), Dtype(0), bottom_diff);
  const int length = top_shape_.back();
  for (int row = 0; row * length < top[0]->count(); ++row) {
    caffe_copy(length, top_diff + row * length, bottom_diff + SourceOfRow(row));
  }
}

INSTANTIATE_CLASS(CropLayer);
REGISTER_LAYER_CLASS(Crop);

}  // namespace caffe
