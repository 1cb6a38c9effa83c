#include "caffe/layers/sigmoid_cross_entropy_loss_layer.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "caffe/util/labels.hpp"

namespace caffe {

template <typename Dtype>
void SigmoidCrossEntropyLossLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                                     const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::LayerSetUp(bottom, top);
  const LossParameter& param = this->layer_param_.loss_param();
  normalization_ = LossNormalization(param, LossParameter_NormalizationMode_BATCH_SIZE);
  has_ignore_label_ = param.has_ignore_label();
  ignore_label_ = static_cast<Dtype>(param.ignore_label());
}

template <typename Dtype>
void SigmoidCrossEntropyLossLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                                  const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::Reshape(bottom, top);
  CHECK(bottom[0]->count() == bottom[1]->count())
      << "scores and targets must have equally many elements, got the shapes "
      << bottom[0]->shape_string() << " and " << bottom[1]->shape_string();
}

template <typename Dtype>
void SigmoidCrossEntropyLossLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                                      const vector<Blob<Dtype>*>& top) {
  const int count = bottom[0]->count();
  const Dtype* score = bottom[0]->cpu_data();
  const Dtype* target = bottom[1]->cpu_data();
  double loss = 0;
  int valid = 0;
  for (int i = 0; i < count; ++i) {
    if (IsIgnored(target[i])) continue;
    const double x = score[i];
    loss += std::max(x, 0.0) - x * target[i] + std::log1p(std::exp(-std::fabs(x)));
    ++valid;
  }
  normalizer_ =
      this->GetNormalizer(normalization_, bottom[0]->shape(0), bottom[0]->count(1), valid);
  top[0]->mutable_cpu_data()[0] = static_cast<Dtype>(loss / normalizer_);
}

namespace {

template <typename Dtype>
Dtype Sigmoid(Dtype x) {
  // exp of a negative number alone, so that nothing overflows.
  const Dtype e = std::exp(-std::fabs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

}  // namespace

template <typename Dtype>
void SigmoidCrossEntropyLossLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                                       const vector<bool>& propagate_down,
                                                       const vector<Blob<Dtype>*>& bottom) {
  CheckNoGradient(this->layer_param_, propagate_down, 1, "targets");
  if (!propagate_down[0]) return;
  const int count = bottom[0]->count();
  const Dtype* score = bottom[0]->cpu_data();
  const Dtype* target = bottom[1]->cpu_data();
  const Dtype scale = top[0]->cpu_diff()[0] / normalizer_;
  Dtype* gradient = bottom[0]->mutable_cpu_diff();
  for (int i = 0; i < count; ++i) {
    gradient[i] = IsIgnored(target[i]) ? Dtype(0) : scale * (Sigmoid(score[i]) - target[i]);
  }
}

INSTANTIATE_CLASS(SigmoidCrossEntropyLossLayer);
REGISTER_LAYER_CLASS(SigmoidCrossEntropyLoss);

}  // namespace caffe
