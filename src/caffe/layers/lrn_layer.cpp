#include "caffe/layers/lrn_layer.hpp"

#include <algorithm>

namespace caffe {

namespace {

// Below this many elements a team of threads costs more than it saves.
constexpr int kParallelCount = 1 << 12;

}  // namespace

template <typename Dtype>
bool LRNLayer<Dtype>::across() const {
  return this->layer_param_.lrn_param().norm_region() == LRNParameter_NormRegion_ACROSS_CHANNELS;
}

template <typename Dtype>
PoolWindows LRNLayer<Dtype>::windows() const {
  return {height_, width_, height_, width_, size_, size_, 1, 1, pre_pad_, pre_pad_};
}

template <typename Dtype>
void LRNLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                                 const vector<Blob<Dtype>*>& /*top*/) {
  const LRNParameter& param = this->layer_param_.lrn_param();
  CHECK(param.local_size() % 2 == 1 && param.local_size() <= static_cast<unsigned>(INT_MAX / 4))
      << "local_size must be odd, got " << param.local_size();
  size_ = static_cast<int>(param.local_size());
  pre_pad_ = (size_ - 1) / 2;
  alpha_ = param.alpha();
  beta_ = param.beta();
  k_ = across() ? param.k() : Dtype(1);
  if (!across() && param.k() != 1) {
    LOG(WARNING) << this->Who() << ": WITHIN_CHANNEL does not use k, which is " << param.k();
  }
}

template <typename Dtype>
void LRNLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CHECK(bottom[0]->num_axes() == 4)
      << "bottom[0] has the shape " << bottom[0]->shape_string() << ", expected N x C x H x W";
  num_ = bottom[0]->num();
  channels_ = bottom[0]->channels();
  height_ = bottom[0]->height();
  width_ = bottom[0]->width();
  top[0]->ReshapeLike(*bottom[0]);
  scale_.ReshapeLike(*bottom[0]);
  buffer_.ReshapeLike(*bottom[0]);
}

template <typename Dtype>
void LRNLayer<Dtype>::CrossChannelScale(const Dtype* x) {
  const int plane = height_ * width_;
  Dtype* scale = scale_.mutable_cpu_data();
#pragma omp parallel for if (scale_.count() > kParallelCount)
  for (int i = 0; i < num_ * channels_; ++i) {
    const int c = i % channels_;
    const int first = i - std::min(c, pre_pad_);
    const int last = i + std::min(channels_ - 1 - c, pre_pad_);
    Dtype* s = scale + i * plane;
    std::fill(s, s + plane, Dtype(0));
    for (int j = first; j <= last; ++j) {
      for (int p = 0; p < plane; ++p) s[p] += x[j * plane + p] * x[j * plane + p];
    }
    for (int p = 0; p < plane; ++p) s[p] = k_ + alpha_ / size_ * s[p];
  }
}

template <typename Dtype>
void LRNLayer<Dtype>::WithinChannelScale(const Dtype* x) {
  caffe_sqr(buffer_.count(), x, buffer_.mutable_cpu_data());
  // Every window lies inside image and padding, so each average is over size_² elements.
  PoolAverage(windows(), num_ * channels_, buffer_.cpu_data(), scale_.mutable_cpu_data());
  Dtype* scale = scale_.mutable_cpu_data();
  for (int i = 0; i < scale_.count(); ++i) scale[i] = k_ + alpha_ * scale[i];
}

template <typename Dtype>
void LRNLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                  const vector<Blob<Dtype>*>& top) {
  const Dtype* x = bottom[0]->cpu_data();
  if (across()) {
    CrossChannelScale(x);
  } else {
    WithinChannelScale(x);
  }
  const Dtype* scale = scale_.cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  const int count = scale_.count();
#pragma omp parallel for if (count > kParallelCount)
  for (int i = 0; i < count; ++i) y[i] = x[i] * std::pow(scale[i], -beta_);
}

template <typename Dtype>
void LRNLayer<Dtype>::CrossChannelBackward_cpu(const Blob<Dtype>& top, Blob<Dtype>* bottom) {
  // dx[c] = dy[c] s[c]^−β − 2αβ/n · x[c] Σ_c' dy[c'] y[c'] / s[c'].
  const Dtype *x = bottom->cpu_data(), *y = top.cpu_data(), *dy = top.cpu_diff();
  const Dtype* s = scale_.cpu_data();
  Dtype *ratio = buffer_.mutable_cpu_data(), *dx = bottom->mutable_cpu_diff();
  const int count = scale_.count(), plane = height_ * width_;
  const Dtype factor = 2 * alpha_ * beta_ / size_;
#pragma omp parallel for if (count > kParallelCount)
  for (int i = 0; i < count; ++i) ratio[i] = dy[i] * y[i] / s[i];
#pragma omp parallel for if (count > kParallelCount)
  for (int i = 0; i < num_ * channels_; ++i) {
    const int c = i % channels_;
    const int first = i - std::min(c, pre_pad_);
    const int last = i + std::min(channels_ - 1 - c, pre_pad_);
    Dtype* sum = dx + i * plane;
    std::fill(sum, sum + plane, Dtype(0));
    for (int j = first; j <= last; ++j) {
      for (int p = 0; p < plane; ++p) sum[p] += ratio[j * plane + p];
    }
    for (int p = i * plane; p < (i + 1) * plane; ++p) {
      dx[p] = dy[p] * std::pow(s[p], -beta_) - factor * x[p] * dx[p];
    }
  }
}

template <typename Dtype>
void LRNLayer<Dtype>::WithinChannelBackward(const Blob<Dtype>& top, Blob<Dtype>* bottom) {
  // y = x s^−β with s = 1 + α · mean(x²): the mean's gradient is −αβ dy y / s.
  const Dtype *x = bottom->cpu_data(), *y = top.cpu_data(), *dy = top.cpu_diff();
  const Dtype* s = scale_.cpu_data();
  Dtype *dmean = buffer_.mutable_cpu_data(), *dsquare = buffer_.mutable_cpu_diff();
  Dtype* dx = bottom->mutable_cpu_diff();
  const int count = scale_.count();
  for (int i = 0; i < count; ++i) dmean[i] = -alpha_ * beta_ * dy[i] * y[i] / s[i];
  PoolAverageBackward(windows(), num_ * channels_, dmean, dsquare);
#pragma omp parallel for if (count > kParallelCount)
  for (int i = 0; i < count; ++i) {
    dx[i] = dy[i] * std::pow(s[i], -beta_) + 2 * x[i] * dsquare[i];
  }
}

template <typename Dtype>
void LRNLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                   const vector<bool>& propagate_down,
                                   const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  CHECK(bottom[0] != top[0]) << "the gradient needs the bottom, which the top has overwritten: "
                             << "name another top";
  if (across()) {
    CrossChannelBackward_cpu(*top[0], bottom[0]);
  } else {
    WithinChannelBackward(*top[0], bottom[0]);
  }
}

INSTANTIATE_CLASS(LRNLayer);
REGISTER_LAYER_CLASS(LRN);

}  // namespace caffe
