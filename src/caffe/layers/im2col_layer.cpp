#include "caffe/layers/im2col_layer.hpp"

#include "caffe/util/spatial.hpp"

namespace caffe {

template <typename Dtype>
void Im2colLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                    const vector<Blob<Dtype>*>& /*top*/) {
  const ConvolutionParameter& param = this->layer_param_.convolution_param();
  force_nd_im2col_ = param.force_nd_im2col();
  channel_axis_ = bottom[0]->CanonicalAxisIndex(param.axis());
  num_spatial_axes_ = bottom[0]->num_axes() - channel_axis_ - 1;
  CHECK(num_spatial_axes_ > 0) << "bottom[0] has the shape " << bottom[0]->shape_string()
                               << ", without spatial axes after the channel axis " << channel_axis_;
  channels_ = bottom[0]->shape(channel_axis_);
  const vector<AxisWindow> windows = ReadConvWindows(param, num_spatial_axes_);
  for (Blob<int>* blob : {&kernel_shape_, &stride_, &pad_, &dilation_}) {
    blob->Reshape(vector<int>(1, num_spatial_axes_));
  }
  for (int i = 0; i < num_spatial_axes_; ++i) {
    kernel_shape_.mutable_cpu_data()[i] = windows[i].kernel;
    stride_.mutable_cpu_data()[i] = windows[i].stride;
    pad_.mutable_cpu_data()[i] = windows[i].pad;
    dilation_.mutable_cpu_data()[i] = windows[i].dilation;
  }
}

template <typename Dtype>
void Im2colLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                 const vector<Blob<Dtype>*>& top) {
  CheckNotInPlace(bottom, top);
  CHECK(bottom[0]->num_axes() == channel_axis_ + 1 + num_spatial_axes_ &&
        bottom[0]->shape(channel_axis_) == channels_)
      << "bottom[0] has the shape " << bottom[0]->shape_string() << ", expected "
      << channel_axis_ + 1 + num_spatial_axes_ << " axes and " << channels_ << " channels";
  top_shape_ = bottom[0]->shape();
  int64_t columns = channels_;
  for (int i = 0; i < num_spatial_axes_; ++i) {
    const AxisWindow window = {kernel_shape_.cpu_data()[i], stride_.cpu_data()[i],
                               pad_.cpu_data()[i], dilation_.cpu_data()[i]};
    int* size = &top_shape_[channel_axis_ + 1 + i];
    *size = ConvOutputSize(*size, window, i);
    columns *= window.kernel;
    CHECK(columns <= INT_MAX) << "the kernel makes too many columns: " << columns;
  }
  top_shape_[channel_axis_] = static_cast<int>(columns);
  top[0]->Reshape(top_shape_);
  num_ = bottom[0]->count(0, channel_axis_);
  bottom_dim_ = bottom[0]->count(channel_axis_);
  top_dim_ = top[0]->count(channel_axis_);
}

template <typename Dtype>
void Im2colLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                     const vector<Blob<Dtype>*>& top) {
  const Dtype* images = bottom[0]->cpu_data();
  Dtype* columns = top[0]->mutable_cpu_data();
  for (int n = 0; n < num_; ++n) {
    im2col_nd_cpu(images + n * bottom_dim_, num_spatial_axes_,
                  bottom[0]->shape().data() + channel_axis_, top_shape_.data() + channel_axis_,
                  kernel_shape_.cpu_data(), pad_.cpu_data(), stride_.cpu_data(),
                  dilation_.cpu_data(), columns + n * top_dim_);
  }
}

template <typename Dtype>
void Im2colLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                      const vector<bool>& propagate_down,
                                      const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const Dtype* columns = top[0]->cpu_diff();
  Dtype* images = bottom[0]->mutable_cpu_diff();
  for (int n = 0; n < num_; ++n) {
    col2im_nd_cpu(columns + n * top_dim_, num_spatial_axes_,
                  bottom[0]->shape().data() + channel_axis_, top_shape_.data() + channel_axis_,
                  kernel_shape_.cpu_data(), pad_.cpu_data(), stride_.cpu_data(),
                  dilation_.cpu_data(), images + n * bottom_dim_);
  }
}

INSTANTIATE_CLASS(Im2colLayer);
REGISTER_LAYER_CLASS(Im2col);

}  // namespace caffe
