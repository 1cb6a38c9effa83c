#include "caffe/layers/softmax_layer.hpp"

#include <algorithm>

#include "caffe/util/elementwise.hpp"

namespace caffe {

template <typename Dtype>
void SoftmaxLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                  const vector<Blob<Dtype>*>& top) {
  softmax_axis_ = bottom[0]->CanonicalAxisIndex(this->layer_param_.softmax_param().axis());
  if (top[0] != bottom[0]) top[0]->ReshapeLike(*bottom[0]);
  outer_num_ = bottom[0]->count(0, softmax_axis_);
  inner_num_ = bottom[0]->count(softmax_axis_ + 1);
  scale_.Reshape({outer_num_, inner_num_});
}

namespace {

// Row by row of the memory, so that a softmax over channels reads in order.
template <typename Dtype>
void SoftmaxOfOne(const Dtype* x, int channels, int inner, Dtype* scale, Dtype* y) {
  std::copy(x, x + inner, scale);
  for (int c = 1; c < channels; ++c) {
    for (int i = 0; i < inner; ++i) scale[i] = std::max(scale[i], x[c * inner + i]);
  }
  for (int c = 0; c < channels; ++c) {
    for (int i = 0; i < inner; ++i) y[c * inner + i] = std::exp(x[c * inner + i] - scale[i]);
  }
  std::fill(scale, scale + inner, Dtype(0));
  for (int c = 0; c < channels; ++c) {
    for (int i = 0; i < inner; ++i) scale[i] += y[c * inner + i];
  }
  for (int c = 0; c < channels; ++c) {
    for (int i = 0; i < inner; ++i) y[c * inner + i] /= scale[i];
  }
}

template <typename Dtype>
void GradientOfOne(const Dtype* y, const Dtype* dy, int channels, int inner, Dtype* scale,
                   Dtype* dx) {
  std::fill(scale, scale + inner, Dtype(0));
  for (int c = 0; c < channels; ++c) {
    for (int i = 0; i < inner; ++i) scale[i] += y[c * inner + i] * dy[c * inner + i];
  }
  for (int c = 0; c < channels; ++c) {
    for (int i = 0; i < inner; ++i) {
      const int at = c * inner + i;
      dx[at] = (dy[at] - scale[i]) * y[at];
    }
  }
}

}  // namespace

template <typename Dtype>
void SoftmaxLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                      const vector<Blob<Dtype>*>& top) {
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  Dtype* scale = scale_.mutable_cpu_data();
  const int channels = bottom[0]->shape(softmax_axis_);
  if (channels == 0) return;
#pragma omp parallel for if (bottom[0]->count() >= kParallelElements)
  for (int n = 0; n < outer_num_; ++n) {
    const int offset = n * channels * inner_num_;
    SoftmaxOfOne(x + offset, channels, inner_num_, scale + n * inner_num_, y + offset);
  }
}

template <typename Dtype>
void SoftmaxLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                       const vector<bool>& propagate_down,
                                       const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const Dtype* y = top[0]->cpu_data();
  const Dtype* dy = top[0]->cpu_diff();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  Dtype* scale = scale_.mutable_cpu_data();
  const int channels = top[0]->shape(softmax_axis_);
#pragma omp parallel for if (bottom[0]->count() >= kParallelElements)
  for (int n = 0; n < outer_num_; ++n) {
    const int offset = n * channels * inner_num_;
    GradientOfOne(y + offset, dy + offset, channels, inner_num_, scale + n * inner_num_,
                  dx + offset);
  }
}

INSTANTIATE_CLASS(SoftmaxLayer);
REGISTER_LAYER_CLASS(Softmax);

}  // namespace caffe
