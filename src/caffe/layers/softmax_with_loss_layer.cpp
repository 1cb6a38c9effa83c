#include "caffe/layers/softmax_with_loss_layer.hpp"

#include <algorithm>
#include <cfloat>
#include <vector>

#include "caffe/util/softmax.hpp"

namespace caffe {

template <typename Dtype>
void SoftmaxWithLossLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                             const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::LayerSetUp(bottom, top);
  const LayerParameter& param = this->layer_param_;
  normalization_ = LossNormalization(param.loss_param());
  CHECK(param.loss_weight_size() < 2 || param.loss_weight(1) == 0)
      << "top[1] holds probabilities and passes no gradient; expected the loss_weight 0, got "
      << param.loss_weight(1);
}

template <typename Dtype>
void SoftmaxWithLossLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                          const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::Reshape(bottom, top);
  const Blob<Dtype>& scores = *bottom[0];
  const int axis = scores.CanonicalAxisIndex(this->layer_param_.softmax_param().axis());
  outer_num_ = scores.count(0, axis);
  classes_ = scores.shape(axis);
  inner_num_ = scores.count(axis + 1);
  CHECK(bottom[1]->count() == outer_num_ * inner_num_)
      << "bottom[1] has " << bottom[1]->count() << " labels, expected " << outer_num_ * inner_num_
      << ": one for each vector along axis " << axis << " of scores of shape "
      << scores.shape_string();
  prob_.ReshapeLike(scores);
  if (top.size() > 1) top[1]->ReshapeLike(scores);
}

template <typename Dtype>
void SoftmaxWithLossLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                              const vector<Blob<Dtype>*>& top) {
  const Dtype* label = bottom[1]->cpu_data();
  Dtype* prob = prob_.mutable_cpu_data();
  Softmax(SoftmaxShape{outer_num_, classes_, inner_num_}, bottom[0]->cpu_data(), prob);
  const LabelRule rule = Rule();
  double loss = 0;
  int valid = 0;
  for (int i = 0; i < outer_num_ * inner_num_; ++i) {
    int y = 0;
    if (!ReadLabel(label[i], i, rule, &y)) continue;
    const Dtype p = prob[(i / inner_num_ * classes_ + y) * inner_num_ + i % inner_num_];
    loss -= std::log(std::max(p, Dtype(FLT_MIN)));
    ++valid;
  }
  normalizer_ = this->GetNormalizer(normalization_, outer_num_, inner_num_, valid);
  top[0]->mutable_cpu_data()[0] = static_cast<Dtype>(loss / normalizer_);
  if (top.size() > 1) top[1]->ShareData(prob_);
}

template <typename Dtype>
void SoftmaxWithLossLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                               const vector<bool>& propagate_down,
                                               const vector<Blob<Dtype>*>& bottom) {
  CheckNoGradient(this->layer_param_, propagate_down, 1, "labels");
  if (!propagate_down[0]) return;
  const Dtype* label = bottom[1]->cpu_data();
  const Dtype scale = top[0]->cpu_diff()[0] / normalizer_;
  Dtype* gradient = bottom[0]->mutable_cpu_diff();
  caffe_cpu_scale(bottom[0]->count(), scale, prob_.cpu_data(), gradient);
  const LabelRule rule = Rule();
  for (int i = 0; i < outer_num_ * inner_num_; ++i) {
    Dtype* column = gradient + i / inner_num_ * classes_ * inner_num_ + i % inner_num_;
    int y = 0;
    if (ReadLabel(label[i], i, rule, &y)) {
      column[y * inner_num_] -= scale;
    } else {
      for (int c = 0; c < classes_; ++c) column[c * inner_num_] = 0;
    }
  }
}

INSTANTIATE_CLASS(SoftmaxWithLossLayer);
REGISTER_LAYER_CLASS(SoftmaxWithLoss);

}  // namespace caffe
