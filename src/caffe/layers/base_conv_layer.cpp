#include "caffe/layers/base_conv_layer.hpp"

#include <algorithm>

#include "caffe/util/layer_params.hpp"

namespace caffe {

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                             const vector<Blob<Dtype>*>& /*top*/) {
  const ConvolutionParameter& param = this->layer_param_.convolution_param();
  channel_axis_ = bottom[0]->CanonicalAxisIndex(param.axis());
  num_spatial_axes_ = bottom[0]->num_axes() - channel_axis_ - 1;
  force_nd_im2col_ = param.force_nd_im2col();
  ReadWindows();
  ReadChannels(bottom);
  MakeParams();
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::ReadWindows() {
  const vector<AxisWindow> windows =
      ReadConvWindows(this->layer_param_.convolution_param(), num_spatial_axes_);
  const vector<int> shape(1, std::max(num_spatial_axes_, 1));
  for (Blob<int>* blob : {&kernel_shape_, &stride_, &pad_, &dilation_}) blob->Reshape(shape);
  is_1x1_ = true;
  for (int i = 0; i < num_spatial_axes_; ++i) {
    kernel_shape_.mutable_cpu_data()[i] = windows[i].kernel;
    stride_.mutable_cpu_data()[i] = windows[i].stride;
    pad_.mutable_cpu_data()[i] = windows[i].pad;
    dilation_.mutable_cpu_data()[i] = windows[i].dilation;
    is_1x1_ = is_1x1_ && windows[i].kernel == 1 && windows[i].stride == 1 && windows[i].pad == 0;
  }
}

template <typename Dtype>
AxisWindow BaseConvolutionLayer<Dtype>::window(int i) const {
  return {kernel_shape_.cpu_data()[i], stride_.cpu_data()[i], pad_.cpu_data()[i],
          dilation_.cpu_data()[i]};
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::ReadChannels(const vector<Blob<Dtype>*>& bottom) {
  const ConvolutionParameter& param = this->layer_param_.convolution_param();
  channels_ = bottom[0]->shape(channel_axis_);
  CHECK(param.num_output() > 0 && param.num_output() <= static_cast<unsigned>(INT_MAX))
      << "num_output is missing or out of range; got " << param.num_output();
  CHECK(param.group() > 0 && param.group() <= static_cast<unsigned>(INT_MAX))
      << "group must be at least 1, got " << param.group();
  num_output_ = static_cast<int>(param.num_output());
  group_ = static_cast<int>(param.group());
  CHECK(channels_ > 0) << "bottom[0] has the shape " << bottom[0]->shape_string()
                       << ", without channels on axis " << channel_axis_;
  CHECK(channels_ % group_ == 0) << "the bottom's " << channels_
                                 << " channels are not divisible by group " << group_;
  CHECK(num_output_ % group_ == 0)
      << "num_output " << num_output_ << " is not divisible by group " << group_;
  conv_in_channels_ = reverse_dimensions() ? num_output_ : channels_;
  conv_out_channels_ = reverse_dimensions() ? channels_ : num_output_;
  // A 1×1 kernel without spatial axes has no rows to slide over.
  is_depthwise_ = group_ > 1 && group_ == channels_ && num_spatial_axes_ > 0;
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::MakeParams() {
  const ConvolutionParameter& param = this->layer_param_.convolution_param();
  bias_term_ = param.bias_term();
  vector<int> weight_shape = {conv_out_channels_, conv_in_channels_ / group_};
  for (int i = 0; i < num_spatial_axes_; ++i) weight_shape.push_back(window(i).kernel);
  vector<ParamPlan> plans = {{"weights", weight_shape, param.weight_filler()}};
  if (bias_term_) plans.push_back({"biases", {num_output_}, param.bias_filler()});
  SetUpParams(plans, &this->blobs_);
  kernel_dim_ = this->blobs_[0]->count(1);
  weight_offset_ = conv_out_channels_ / group_ * kernel_dim_;
  this->param_propagate_down_.resize(this->blobs_.size(), true);
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::CheckBottoms(const vector<Blob<Dtype>*>& bottom) const {
  CHECK(bottom[0]->num_axes() == channel_axis_ + 1 + num_spatial_axes_)
      << "bottom[0] has the shape " << bottom[0]->shape_string() << ", expected "
      << channel_axis_ + 1 + num_spatial_axes_ << " axes";
  CHECK(bottom[0]->shape(channel_axis_) == channels_)
      << "bottom[0] has the shape " << bottom[0]->shape_string() << ", expected " << channels_
      << " channels for weights of shape " << this->blobs_[0]->shape_string() << " in " << group_
      << " group(s)";
  for (size_t i = 1; i < bottom.size(); ++i) {
    CHECK(bottom[i]->shape() == bottom[0]->shape())
        << "bottom[" << i << "] has the shape " << bottom[i]->shape_string()
        << ", expected that of bottom[0], " << bottom[0]->shape_string();
  }
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                          const vector<Blob<Dtype>*>& top) {
  CheckBottoms(bottom);
  CheckNotInPlace(bottom, top);
  bottom_shape_ = &bottom[0]->shape();
  num_ = bottom[0]->count(0, channel_axis_);
  compute_output_shape();
  top_shape_.assign(bottom_shape_->begin(), bottom_shape_->begin() + channel_axis_);
  top_shape_.push_back(num_output_);
  top_shape_.insert(top_shape_.end(), output_shape_.begin(), output_shape_.end());
  for (Blob<Dtype>* blob : top) blob->Reshape(top_shape_);
  bottom_dim_ = bottom[0]->count(channel_axis_);
  top_dim_ = top[0]->count(channel_axis_);
  out_spatial_dim_ = top[0]->count(channel_axis_ + 1);
  ReshapeConvolution(bottom, top);
  if (bias_term_ && bias_multiplier_.count() != out_spatial_dim_) {
    bias_multiplier_.Reshape(vector<int>(1, out_spatial_dim_));
    caffe_set(out_spatial_dim_, Dtype(1), bias_multiplier_.mutable_cpu_data());
  }
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::ReshapeConvolution(const vector<Blob<Dtype>*>& bottom,
                                                     const vector<Blob<Dtype>*>& top) {
  const Blob<Dtype>& input = reverse_dimensions() ? *top[0] : *bottom[0];
  const Blob<Dtype>& output = reverse_dimensions() ? *bottom[0] : *top[0];
  conv_out_spatial_dim_ = output.count(channel_axis_ + 1);
  if (conv_input_shape_.count() != num_spatial_axes_ + 1) {
    conv_input_shape_.Reshape(vector<int>(1, num_spatial_axes_ + 1));
    col_buffer_shape_.assign(num_spatial_axes_ + 1, 0);
  }
  bool changed = false;
  const auto set = [&changed](int value, int* target) {
    changed = changed || *target != value;
    *target = value;
  };
  set(conv_in_channels_, conv_input_shape_.mutable_cpu_data());
  set(kernel_dim_ * group_, &col_buffer_shape_[0]);
  for (int i = 1; i <= num_spatial_axes_; ++i) {
    set(input.shape(channel_axis_ + i), conv_input_shape_.mutable_cpu_data() + i);
    set(output.shape(channel_axis_ + i), &col_buffer_shape_[i]);
  }
  if (!changed) return;
  if (is_depthwise_) {
    ReshapeDirect();
  } else if (!is_1x1_) {
    col_buffer_.Reshape(col_buffer_shape_);
  }
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::ReshapeDirect() {
  vector<AxisWindow> windows;
  for (int i = 0; i < num_spatial_axes_; ++i) windows.push_back(window(i));
  direct_.Reshape({group_, conv_in_channels_, conv_out_channels_}, windows,
                  conv_input_shape_.cpu_data() + 1, col_buffer_shape_.data() + 1);
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::conv_im2col_cpu(const Dtype* data, Dtype* col_buff) const {
  im2col_nd_cpu(data, num_spatial_axes_, conv_input_shape_.cpu_data(), col_buffer_shape_.data(),
                kernel_shape_.cpu_data(), pad_.cpu_data(), stride_.cpu_data(), dilation_.cpu_data(),
                col_buff);
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::conv_col2im_cpu(const Dtype* col_buff, Dtype* data) const {
  col2im_nd_cpu(col_buff, num_spatial_axes_, conv_input_shape_.cpu_data(), col_buffer_shape_.data(),
                kernel_shape_.cpu_data(), pad_.cpu_data(), stride_.cpu_data(), dilation_.cpu_data(),
                data);
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::forward_cpu_gemm(const Dtype* input, const Dtype* weights,
                                                   Dtype* output, bool skip_im2col) {
  if (is_depthwise_) {
    direct_.Forward(input, weights, output);
    return;
  }
  const Dtype* columns = input;
  if (!is_1x1_) {
    if (!skip_im2col) conv_im2col_cpu(input, col_buffer_.mutable_cpu_data());
    columns = col_buffer_.cpu_data();
  }
  const int out_channels = conv_out_channels_ / group_, pixels = conv_out_spatial_dim_;
  for (int g = 0; g < group_; ++g) {
    caffe_cpu_gemm<Dtype>(CblasNoTrans, CblasNoTrans, out_channels, pixels, kernel_dim_, 1,
                          weights + g * weight_offset_, columns + g * kernel_dim_ * pixels, 0,
                          output + g * out_channels * pixels);
  }
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::backward_cpu_gemm(const Dtype* output, const Dtype* weights,
                                                    Dtype* input) {
  if (is_depthwise_) {
    direct_.BackwardInput(output, weights, input);
    return;
  }
  Dtype* columns = is_1x1_ ? input : col_buffer_.mutable_cpu_data();
  const int out_channels = conv_out_channels_ / group_, pixels = conv_out_spatial_dim_;
  for (int g = 0; g < group_; ++g) {
    caffe_cpu_gemm<Dtype>(CblasTrans, CblasNoTrans, kernel_dim_, pixels, out_channels, 1,
                          weights + g * weight_offset_, output + g * out_channels * pixels, 0,
                          columns + g * kernel_dim_ * pixels);
  }
  if (!is_1x1_) conv_col2im_cpu(columns, input);
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::weight_cpu_gemm(const Dtype* input, const Dtype* output,
                                                  Dtype* weights) {
  if (is_depthwise_) {
    direct_.BackwardWeights(input, output, weights);
    return;
  }
  const Dtype* columns = input;
  if (!is_1x1_) {
    conv_im2col_cpu(input, col_buffer_.mutable_cpu_data());
    columns = col_buffer_.cpu_data();
  }
  const int out_channels = conv_out_channels_ / group_, pixels = conv_out_spatial_dim_;
  for (int g = 0; g < group_; ++g) {
    caffe_cpu_gemm<Dtype>(CblasNoTrans, CblasTrans, out_channels, kernel_dim_, pixels, 1,
                          output + g * out_channels * pixels, columns + g * kernel_dim_ * pixels, 1,
                          weights + g * weight_offset_);
  }
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::forward_cpu_bias(Dtype* output, const Dtype* bias) {
  for (int c = 0; c < num_output_; ++c) {
    caffe_add_scalar(out_spatial_dim_, bias[c], output + c * out_spatial_dim_);
  }
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::backward_cpu_bias(Dtype* bias, const Dtype* input) {
  caffe_cpu_gemv<Dtype>(CblasNoTrans, num_output_, out_spatial_dim_, 1, input,
                        bias_multiplier_.cpu_data(), 1, bias);
}

INSTANTIATE_CLASS(BaseConvolutionLayer);

}  // namespace caffe
