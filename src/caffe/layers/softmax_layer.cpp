#include "caffe/layers/softmax_layer.hpp"

#include <algorithm>

#include "caffe/util/elementwise.hpp"
#include "caffe/util/softmax.hpp"

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

template <typename Dtype>
void SoftmaxLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                      const vector<Blob<Dtype>*>& top) {
  Softmax(SoftmaxShape{outer_num_, bottom[0]->shape(softmax_axis_), inner_num_},
          bottom[0]->cpu_data(), top[0]->mutable_cpu_data());
}

namespace {

/** dx of channels × inner, in the order of memory; `dot` has room for inner numbers. */
template <typename Dtype>
void GradientOfOne(const Dtype* y, const Dtype* dy, int channels, int inner, Dtype* dot,
                   Dtype* dx) {
  std::fill(dot, dot + inner, Dtype(0));
  for (int c = 0; c < channels; ++c) {
    for (int i = 0; i < inner; ++i) dot[i] += y[c * inner + i] * dy[c * inner + i];
  }
  for (int c = 0; c < channels; ++c) {
    for (int i = 0; i < inner; ++i) {
      const int at = c * inner + i;
      dx[at] = (dy[at] - dot[i]) * y[at];
    }
  }
}

}  // namespace

template <typename Dtype>
void SoftmaxLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                       const vector<bool>& propagate_down,
                                       const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const Dtype* y = top[0]->cpu_data();
  const Dtype* dy = top[0]->cpu_diff();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  Dtype* dot = scale_.mutable_cpu_data();
  const int channels = top[0]->shape(softmax_axis_);
#pragma omp parallel for if (bottom[0]->count() >= kParallelElements)
  for (int n = 0; n < outer_num_; ++n) {
    const int offset = n * channels * inner_num_;
    GradientOfOne(y + offset, dy + offset, channels, inner_num_, dot + n * inner_num_, dx + offset);
  }
}

INSTANTIATE_CLASS(SoftmaxLayer);
REGISTER_LAYER_CLASS(Softmax);

}  // namespace caffe
