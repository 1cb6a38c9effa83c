#include "caffe/layers/contrastive_loss_layer.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "caffe/util/labels.hpp"

namespace caffe {

template <typename Dtype>
void ContrastiveLossLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                          const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::Reshape(bottom, top);
  CHECK(bottom[0]->count() == bottom[1]->count())
      << "the features of a pair must have equal shapes, got " << bottom[0]->shape_string()
      << " and " << bottom[1]->shape_string();
  CHECK(bottom[2]->count() == bottom[0]->shape(0))
      << "bottom[2] has " << bottom[2]->count() << " labels, expected one for each of the "
      << bottom[0]->shape(0) << " pairs";
  diff_.ReshapeLike(*bottom[0]);
  factor_.resize(bottom[0]->shape(0));
}

namespace {

/** Twice the loss of one pair, and the factor of a − b in its gradient. */
struct PairLoss {
  double loss;
  double factor;
};

PairLoss LossOfPair(double square, bool is_alike, const ContrastiveLossParameter& param) {
  if (is_alike) return {square, 1};
  const double distance = std::sqrt(square);
  const double gap = param.margin() - (param.legacy_version() ? square : distance);
  // A NaN is not <= 0, so it shows in the loss.
  if (gap <= 0) return {0, 0};
  if (param.legacy_version()) return {gap, -1};
  return {gap * gap, distance == 0 ? 0 : -gap / distance};
}

}  // namespace

template <typename Dtype>
void ContrastiveLossLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                              const vector<Blob<Dtype>*>& top) {
  const int num = bottom[0]->shape(0);
  const int dim = bottom[0]->count(1);
  const Dtype* label = bottom[2]->cpu_data();
  Dtype* diff = diff_.mutable_cpu_data();
  caffe_sub(num * dim, bottom[0]->cpu_data(), bottom[1]->cpu_data(), diff);
  const LabelRule rule(2, false, 0);
  double loss = 0;
  for (int n = 0; n < num; ++n) {
    int is_alike = 0;
    ReadLabel(label[n], n, rule, &is_alike);
    const Dtype square = caffe_cpu_dot(dim, diff + n * dim, diff + n * dim);
    const PairLoss pair =
        LossOfPair(square, is_alike == 1, this->layer_param_.contrastive_loss_param());
    loss += pair.loss;
    factor_[n] = static_cast<Dtype>(pair.factor);
  }
  top[0]->mutable_cpu_data()[0] = static_cast<Dtype>(loss / std::max(1, num) / 2);
}

template <typename Dtype>
void ContrastiveLossLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                               const vector<bool>& propagate_down,
                                               const vector<Blob<Dtype>*>& bottom) {
  CheckNoGradient(this->layer_param_, propagate_down, 2, "labels");
  const int num = bottom[0]->shape(0);
  const int dim = bottom[0]->count(1);
  for (int b = 0; b < 2; ++b) {
    if (!propagate_down[b]) continue;
    const Dtype scale = (b == 0 ? 1 : -1) * top[0]->cpu_diff()[0] / std::max(1, num);
    const Dtype* diff = diff_.cpu_data();
    Dtype* gradient = bottom[b]->mutable_cpu_diff();
    for (int n = 0; n < num; ++n) {
      caffe_cpu_scale(dim, scale * factor_[n], diff + n * dim, gradient + n * dim);
    }
  }
}

INSTANTIATE_CLASS(ContrastiveLossLayer);
REGISTER_LAYER_CLASS(ContrastiveLoss);

}  // namespace caffe
