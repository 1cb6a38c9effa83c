#include "caffe/layers/prelu_layer.hpp"

#include "caffe/util/elementwise.hpp"
#include "caffe/util/parameters.hpp"

namespace caffe {

template <typename Dtype>
void PReLULayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                   const vector<Blob<Dtype>*>& /*top*/) {
  CHECK(bottom[0]->num_axes() >= 2)
      << "takes a bottom with channels on axis 1, got the shape " << bottom[0]->shape_string();
  const PReLUParameter& param = this->layer_param_.prelu_param();
  channel_shared_ = param.channel_shared();
  const vector<int> shape = channel_shared_ ? vector<int>() : vector<int>{bottom[0]->shape(1)};
  SetUpParameter("slope", 0, shape,
                 param.has_filler() ? param.filler() : ConstantFillerParameter(0.25F),
                 &this->blobs_);
  this->param_propagate_down_.resize(1, true);
}

template <typename Dtype>
void PReLULayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                const vector<Blob<Dtype>*>& top) {
  const int slopes = this->blobs_[0]->count();
  CHECK(channel_shared_ || (bottom[0]->num_axes() >= 2 && bottom[0]->shape(1) == slopes))
      << "the bottom has the shape " << bottom[0]->shape_string() << ", expected " << slopes
      << " channels on axis 1";
  NeuronLayer<Dtype>::Reshape(bottom, top);
}

template <typename Dtype>
void PReLULayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                    const vector<Blob<Dtype>*>& top) {
  this->KeepInput(bottom, top);
  const int channels = bottom[0]->shape(1), plane = bottom[0]->count(2);
  const Dtype* slopes = this->blobs_[0]->cpu_data();
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
#pragma omp parallel for if (bottom[0]->count() >= kParallelElements)
  for (int p = 0; p < bottom[0]->shape(0) * channels; ++p) {
    const Dtype slope = slopes[channel_shared_ ? 0 : p % channels];
    for (int i = p * plane; i < (p + 1) * plane; ++i) y[i] = x[i] > 0 ? x[i] : slope * x[i];
  }
}

template <typename Dtype>
void PReLULayer<Dtype>::AddSlopeGradient(const Dtype* x, const Dtype* dy,
                                         const Blob<Dtype>& bottom) {
  const int channels = bottom.shape(1), plane = bottom.count(2);
  Dtype* slope_diff = this->blobs_[0]->mutable_cpu_diff();
  double shared = 0;
  for (int c = 0; c < channels; ++c) {
    double sum = 0;
    for (int n = 0; n < bottom.shape(0); ++n) {
      const int offset = (n * channels + c) * plane;
      for (int i = offset; i < offset + plane; ++i) {
        if (x[i] <= 0) sum += x[i] * dy[i];
      }
    }
    if (!channel_shared_) slope_diff[c] += static_cast<Dtype>(sum);
    shared += sum;
  }
  if (channel_shared_) slope_diff[0] += static_cast<Dtype>(shared);
}

template <typename Dtype>
void PReLULayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                     const vector<bool>& propagate_down,
                                     const vector<Blob<Dtype>*>& bottom) {
  const Dtype* x = this->Input(bottom, top);
  const Dtype* dy = top[0]->cpu_diff();
  // First, since in place the bottom's gradient overwrites the top's.
  if (this->param_propagate_down_[0]) AddSlopeGradient(x, dy, *bottom[0]);
  if (!propagate_down[0]) return;
  const int channels = bottom[0]->shape(1), plane = bottom[0]->count(2);
  const Dtype* slopes = this->blobs_[0]->cpu_data();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
#pragma omp parallel for if (bottom[0]->count() >= kParallelElements)
  for (int p = 0; p < bottom[0]->shape(0) * channels; ++p) {
    const Dtype slope = slopes[channel_shared_ ? 0 : p % channels];
    for (int i = p * plane; i < (p + 1) * plane; ++i) dx[i] = x[i] > 0 ? dy[i] : slope * dy[i];
  }
}

INSTANTIATE_CLASS(PReLULayer);
REGISTER_LAYER_CLASS(PReLU);

}  // namespace caffe
