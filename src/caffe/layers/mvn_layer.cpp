#include "caffe/layers/mvn_layer.hpp"

#include <algorithm>

#include "caffe/util/elementwise.hpp"

namespace caffe {

template <typename Dtype>
void MVNLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int row_axes = this->layer_param_.mvn_param().across_channels() ? 1 : 2;
  rows_ = bottom[0]->count(0, std::min(row_axes, bottom[0]->num_axes()));
  elements_ = rows_ == 0 ? 0 : bottom[0]->count() / rows_;
  deviation_.Reshape({rows_});
  if (top[0] != bottom[0]) top[0]->ReshapeLike(*bottom[0]);
}

template <typename Dtype>
void MVNLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                  const vector<Blob<Dtype>*>& top) {
  const bool normalize = this->layer_param_.mvn_param().normalize_variance();
  const double eps = this->layer_param_.mvn_param().eps();
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  Dtype* deviation = deviation_.mutable_cpu_data();
#pragma omp parallel for if (bottom[0]->count() >= kParallelElements)
  for (int row = 0; row < rows_; ++row) {
    const int begin = row * elements_, end = begin + elements_;
    double sum = 0, squares = 0;
    for (int i = begin; i < end; ++i) sum += x[i];
    const double mean = sum / elements_;
    // Two passes: a variance from sums of squares cancels where the mean is large.
    for (int i = begin; i < end; ++i) squares += (x[i] - mean) * (x[i] - mean);
    const double sigma = std::sqrt(squares / elements_);
    const double factor = normalize ? 1 / (sigma + eps) : 1;
    for (int i = begin; i < end; ++i) y[i] = static_cast<Dtype>((x[i] - mean) * factor);
    deviation[row] = static_cast<Dtype>(sigma);
  }
}

template <typename Dtype>
void MVNLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                   const vector<bool>& propagate_down,
                                   const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const bool normalize = this->layer_param_.mvn_param().normalize_variance();
  const double eps = this->layer_param_.mvn_param().eps();
  const Dtype* y = top[0]->cpu_data();
  const Dtype* dy = top[0]->cpu_diff();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  const Dtype* deviation = deviation_.cpu_data();
#pragma omp parallel for if (bottom[0]->count() >= kParallelElements)
  for (int row = 0; row < rows_; ++row) {
    const int begin = row * elements_, end = begin + elements_;
    double sum = 0, sum_with_y = 0;
    for (int i = begin; i < end; ++i) {
      sum += dy[i];
      sum_with_y += static_cast<double>(y[i]) * dy[i];
    }
    const double sigma = deviation[row], mean = sum / elements_;
    const double slope =
        normalize && sigma > 0 ? sum_with_y / elements_ * ((sigma + eps) / sigma) : 0;
    const double factor = normalize ? 1 / (sigma + eps) : 1;
    for (int i = begin; i < end; ++i) {
      dx[i] = static_cast<Dtype>((dy[i] - mean - y[i] * slope) * factor);
    }
  }
}

INSTANTIATE_CLASS(MVNLayer);
REGISTER_LAYER_CLASS(MVN);

}  // namespace caffe
