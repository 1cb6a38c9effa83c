#include "caffe/layers/batch_norm_layer.hpp"

#include "caffe/util/elementwise.hpp"
#include "caffe/util/parameters.hpp"

namespace caffe {

namespace {

/** Where the elements of a channel lie: num runs of `plane`, each `stride` after the last. */
struct Channel {
  template <typename Dtype>
  Channel(const Blob<Dtype>& blob, int channels)
      : num(blob.num_axes() > 1 ? blob.shape(0) : 1),
        plane(num == 0 || channels == 0 ? 0 : blob.count() / (num * channels)),
        stride(channels * plane) {}
  int elements() const { return num * plane; }

  /** Calls f(i) for each element i of channel c, in the order of memory. */
  template <typename Function>
  void ForEach(int c, const Function& f) const {
    for (int n = 0; n < num; ++n) {
      const int begin = n * stride + c * plane;
      for (int i = begin; i < begin + plane; ++i) f(i);
    }
  }

  int num, plane, stride;
};

}  // namespace

template <typename Dtype>
void BatchNormLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                       const vector<Blob<Dtype>*>& /*top*/) {
  const BatchNormParameter& param = this->layer_param_.batch_norm_param();
  use_global_stats_ =
      param.has_use_global_stats() ? param.use_global_stats() : this->phase_ == TEST;
  moving_average_fraction_ = param.moving_average_fraction();
  eps_ = param.eps();
  channels_ = bottom[0]->num_axes() > 1 ? bottom[0]->shape(1) : 1;
  const FillerParameter zero = ConstantFillerParameter(0);
  SetUpParameter("mean", 0, {channels_}, zero, &this->blobs_);
  SetUpParameter("variance", 1, {channels_}, zero, &this->blobs_);
  SetUpParameter("number of terms", 2, {1}, zero, &this->blobs_);
  for (int i = 0; i < 3; ++i) {
    if (this->layer_param_.param_size() == i) this->layer_param_.add_param();
    this->layer_param_.mutable_param(i)->set_lr_mult(0);
  }
}

template <typename Dtype>
void BatchNormLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                    const vector<Blob<Dtype>*>& top) {
  const int channels = bottom[0]->num_axes() > 1 ? bottom[0]->shape(1) : 1;
  CHECK(channels == channels_) << "the bottom has the shape " << bottom[0]->shape_string()
                               << ", expected " << channels_ << " channels on axis 1";
  mean_.Reshape({channels_});
  variance_.Reshape({channels_});
  if (top[0] == bottom[0]) {
    x_norm_.ReshapeLike(*bottom[0]);
  } else {
    top[0]->ReshapeLike(*bottom[0]);
  }
}

template <typename Dtype>
void BatchNormLayer<Dtype>::BatchStatistics(const Blob<Dtype>& bottom) {
  const Channel channel(bottom, channels_);
  const int elements = channel.elements();
  CHECK(elements > 0) << "the statistics of an empty batch, of shape " << bottom.shape_string();
  const Dtype* x = bottom.cpu_data();
  Dtype* mean = mean_.mutable_cpu_data();
  Dtype* variance = variance_.mutable_cpu_data();
#pragma omp parallel for if (bottom.count() >= kParallelElements)
  for (int c = 0; c < channels_; ++c) {
    // Two passes: a variance from sums of squares cancels where the mean is large.
    double sum = 0, squares = 0;
    channel.ForEach(c, [&](int i) { sum += x[i]; });
    const double center = sum / elements;
    channel.ForEach(c, [&](int i) { squares += (x[i] - center) * (x[i] - center); });
    mean[c] = static_cast<Dtype>(center);
    variance[c] = static_cast<Dtype>(squares / elements);
  }
}

template <typename Dtype>
void BatchNormLayer<Dtype>::UpdateStoredStatistics(int elements) {
  const Dtype unbiased = elements > 1 ? Dtype(elements) / (elements - 1) : Dtype(1);
  const Dtype fraction = moving_average_fraction_;
  caffe_cpu_axpby(channels_, Dtype(1), mean_.cpu_data(), fraction,
                  this->blobs_[0]->mutable_cpu_data());
  caffe_cpu_axpby(channels_, unbiased, variance_.cpu_data(), fraction,
                  this->blobs_[1]->mutable_cpu_data());
  Dtype* terms = this->blobs_[2]->mutable_cpu_data();
  terms[0] = terms[0] * fraction + 1;
}

template <typename Dtype>
void BatchNormLayer<Dtype>::StoredStatistics() {
  const Dtype terms = this->blobs_[2]->cpu_data()[0];
  const Dtype scale = terms == 0 ? Dtype(0) : 1 / terms;
  caffe_cpu_scale(channels_, scale, this->blobs_[0]->cpu_data(), mean_.mutable_cpu_data());
  caffe_cpu_scale(channels_, scale, this->blobs_[1]->cpu_data(), variance_.mutable_cpu_data());
  const Dtype* variance = variance_.cpu_data();
  for (int c = 0; c < channels_; ++c) {
    CHECK(variance[c] + eps_ >= 0)
        << "the stored variance of channel " << c << " is " << variance[c];
  }
}

template <typename Dtype>
void BatchNormLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                        const vector<Blob<Dtype>*>& top) {
  const Channel channel(*bottom[0], channels_);
  if (use_global_stats_) {
    StoredStatistics();
  } else {
    BatchStatistics(*bottom[0]);
    UpdateStoredStatistics(channel.elements());
  }
  const Dtype* mean = mean_.cpu_data();
  const Dtype* variance = variance_.cpu_data();
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
#pragma omp parallel for if (bottom[0]->count() >= kParallelElements)
  for (int c = 0; c < channels_; ++c) {
    const Dtype center = mean[c], factor = 1 / std::sqrt(variance[c] + eps_);
    channel.ForEach(c, [=](int i) { y[i] = (x[i] - center) * factor; });
  }
  // A layer that comes after in place (Scale) overwrites this one's output.
  if (top[0] == bottom[0]) caffe_copy(top[0]->count(), y, x_norm_.mutable_cpu_data());
}

template <typename Dtype>
void BatchNormLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                         const vector<bool>& propagate_down,
                                         const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const bool in_place = top[0] == bottom[0];
  const Channel channel(*bottom[0], channels_);
  const Dtype* mean = mean_.cpu_data();
  const Dtype* variance = variance_.cpu_data();
  const Dtype* x = in_place ? x_norm_.cpu_data() : bottom[0]->cpu_data();
  const Dtype* dy = top[0]->cpu_diff();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
#pragma omp parallel for if (bottom[0]->count() >= kParallelElements)
  for (int c = 0; c < channels_; ++c) {
    const Dtype factor = 1 / std::sqrt(variance[c] + eps_);
    if (use_global_stats_) {
      channel.ForEach(c, [=](int i) { dx[i] = dy[i] * factor; });
      continue;
    }
    const Dtype center = in_place ? 0 : mean[c], to_y = in_place ? 1 : factor;
    double sum = 0, sum_with_y = 0;
    channel.ForEach(c, [&](int i) {
      sum += dy[i];
      sum_with_y += dy[i] * ((x[i] - center) * to_y);
    });
    const Dtype mean_dy = static_cast<Dtype>(sum / channel.elements());
    const Dtype mean_y_dy = static_cast<Dtype>(sum_with_y / channel.elements());
    channel.ForEach(
        c, [=](int i) { dx[i] = (dy[i] - mean_dy - (x[i] - center) * to_y * mean_y_dy) * factor; });
  }
}

INSTANTIATE_CLASS(BatchNormLayer);
REGISTER_LAYER_CLASS(BatchNorm);

}  // namespace caffe
