#include "caffe/layers/normalize_layer.hpp"

#include <algorithm>

#include "caffe/util/elementwise.hpp"
#include "caffe/util/parameters.hpp"

namespace caffe {

template <typename Dtype>
void NormalizeLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                       const vector<Blob<Dtype>*>& /*top*/) {
  const NormalizeParameter& param = this->layer_param_.norm_param();
  CHECK(bottom[0]->num_axes() >= 2)
      << "takes a bottom with channels on axis 1, got the shape " << bottom[0]->shape_string();
  across_spatial_ = param.across_spatial();
  channel_shared_ = param.channel_shared();
  norm_step_ = across_spatial_ ? 0 : 1;
  scale_step_ = channel_shared_ ? 0 : 1;
  eps_ = param.eps();
  const vector<int> shape = channel_shared_ ? vector<int>() : vector<int>{bottom[0]->shape(1)};
  SetUpParameter("scale", 0, shape,
                 param.has_scale_filler() ? param.scale_filler() : ConstantFillerParameter(1),
                 &this->blobs_);
  this->param_propagate_down_.resize(1, true);
}

template <typename Dtype>
void NormalizeLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                    const vector<Blob<Dtype>*>& top) {
  CHECK(top[0] != bottom[0]) << "cannot work in place: its gradient needs the bottom's values";
  const int scales = this->blobs_[0]->count();
  CHECK(bottom[0]->num_axes() >= 2 && (channel_shared_ || bottom[0]->shape(1) == scales))
      << "the bottom has the shape " << bottom[0]->shape_string() << ", expected " << scales
      << " channels on axis 1";
  top[0]->ReshapeLike(*bottom[0]);
  num_ = bottom[0]->shape(0);
  channels_ = bottom[0]->shape(1);
  positions_ = bottom[0]->count(2);
  norm_.Reshape({num_, across_spatial_ ? 1 : positions_});
  dot_.ReshapeLike(norm_);
}

template <typename Dtype>
void NormalizeLayer<Dtype>::ForwardImage(const Dtype* x, double* norm, Dtype* y) const {
  const Dtype* scale = this->blobs_[0]->cpu_data();
  const int norms = norm_.shape(1);
  std::fill(norm, norm + norms, static_cast<double>(eps_));
  for (int c = 0; c < channels_; ++c) {
    for (int p = 0; p < positions_; ++p) {
      const double value = x[c * positions_ + p];
      norm[p * norm_step_] += value * value;
    }
  }
  for (int i = 0; i < norms; ++i) norm[i] = std::sqrt(norm[i]);
  for (int c = 0; c < channels_; ++c) {
    const double s = scale[c * scale_step_];
    for (int p = 0; p < positions_; ++p) {
      const int i = c * positions_ + p;
      y[i] = static_cast<Dtype>(s * x[i] / norm[p * norm_step_]);
    }
  }
}

template <typename Dtype>
void NormalizeLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                        const vector<Blob<Dtype>*>& top) {
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  double* norm = norm_.mutable_cpu_data();
  const int size = channels_ * positions_, norms = norm_.shape(1);
#pragma omp parallel for if (bottom[0]->count() >= kParallelElements)
  for (int n = 0; n < num_; ++n) ForwardImage(x + n * size, norm + n * norms, y + n * size);
}

template <typename Dtype>
void NormalizeLayer<Dtype>::BackwardImage(const Dtype* x, const Dtype* dy, const double* norm,
                                          double* dot, Dtype* dx) const {
  const Dtype* scale = this->blobs_[0]->cpu_data();
  std::fill(dot, dot + norm_.shape(1), 0.0);
  for (int c = 0; c < channels_; ++c) {
    const double s = scale[c * scale_step_];
    for (int p = 0; p < positions_; ++p) {
      const int i = c * positions_ + p;
      dot[p * norm_step_] += s * dy[i] * x[i];
    }
  }
  for (int c = 0; c < channels_; ++c) {
    const double s = scale[c * scale_step_];
    for (int p = 0; p < positions_; ++p) {
      const int i = c * positions_ + p;
      const double r = norm[p * norm_step_];
      dx[i] = static_cast<Dtype>((s * dy[i] - x[i] * dot[p * norm_step_] / (r * r)) / r);
    }
  }
}

template <typename Dtype>
void NormalizeLayer<Dtype>::AddScaleGradient(const Dtype* x, const Dtype* dy) {
  Dtype* scale_diff = this->blobs_[0]->mutable_cpu_diff();
  const double* norm = norm_.cpu_data();
  const int norms = norm_.shape(1);
  double shared = 0;
  for (int c = 0; c < channels_; ++c) {
    double sum = 0;
    for (int n = 0; n < num_; ++n) {
      for (int p = 0; p < positions_; ++p) {
        const int i = (n * channels_ + c) * positions_ + p;
        sum += dy[i] * x[i] / norm[n * norms + p * norm_step_];
      }
    }
    if (!channel_shared_) scale_diff[c] += static_cast<Dtype>(sum);
    shared += sum;
  }
  if (channel_shared_) scale_diff[0] += static_cast<Dtype>(shared);
}

template <typename Dtype>
void NormalizeLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                         const vector<bool>& propagate_down,
                                         const vector<Blob<Dtype>*>& bottom) {
  const Dtype* x = bottom[0]->cpu_data();
  const Dtype* dy = top[0]->cpu_diff();
  if (this->param_propagate_down_[0]) AddScaleGradient(x, dy);
  if (!propagate_down[0]) return;
  const double* norm = norm_.cpu_data();
  double* dot = dot_.mutable_cpu_data();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  const int size = channels_ * positions_, norms = norm_.shape(1);
#pragma omp parallel for if (bottom[0]->count() >= kParallelElements)
  for (int n = 0; n < num_; ++n) {
    BackwardImage(x + n * size, dy + n * size, norm + n * norms, dot + n * norms, dx + n * size);
  }
}

INSTANTIATE_CLASS(NormalizeLayer);
REGISTER_LAYER_CLASS(Normalize);

}  // namespace caffe
