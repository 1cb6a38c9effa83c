#include "caffe/layers/center_loss_layer.hpp"

#include <climits>
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "caffe/filler.hpp"
#include "caffe/util/math_functions.hpp"

namespace caffe {

template <typename Dtype>
void CenterLossLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                        const vector<Blob<Dtype>*>& top) {
  const CenterLossParameter& param = this->layer_param_.center_loss_param();
  CHECK(param.num_output() >= 1 && param.num_output() <= static_cast<unsigned>(INT_MAX))
      << "center_loss_param.num_output is the number of classes; expected at least 1, got "
      << param.num_output();
  CheckLossWeights(static_cast<int>(top.size()));
  CenterOptions options;
  options.classes = static_cast<int>(param.num_output());
  options.dim = bottom[0]->count(bottom[0]->CanonicalAxisIndex(param.axis()));
  options.filler = param.center_filler();
  options.has_center_lr = param.has_center_lr();
  options.center_lr = param.center_lr();
  centers_.SetUp(options, &this->layer_param_, &this->blobs_);
  this->param_propagate_down_.resize(1, true);
}

template <typename Dtype>
void CenterLossLayer<Dtype>::CheckLossWeights(int num_top) {
  LayerParameter& param = this->layer_param_;
  if (param.loss_weight_size() == 0) {
    for (int i = 0; i < num_top; ++i) param.add_loss_weight(i == 0 ? 1.0f : 0.0f);
  }
  for (int i = 1; i < param.loss_weight_size(); ++i) {
    CHECK(param.loss_weight(i) == 0) << "top[" << i << "] is for the log and has no gradient; "
                                     << "expected the loss_weight 0, got " << param.loss_weight(i);
  }
}

template <typename Dtype>
void CenterLossLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                     const vector<Blob<Dtype>*>& top) {
  const int axis = bottom[0]->CanonicalAxisIndex(this->layer_param_.center_loss_param().axis());
  num_ = bottom[0]->count(0, axis);
  CHECK(bottom[0]->count(axis) == centers_.dim())
      << "bottom[0] of shape " << bottom[0]->shape_string() << " has " << bottom[0]->count(axis)
      << " features from axis " << axis << " on, the centers have " << centers_.dim();
  CHECK(bottom[1]->count() == num_)
      << "bottom[1] has " << bottom[1]->count() << " labels, expected " << num_
      << ": one for each feature vector of bottom[0] of shape " << bottom[0]->shape_string();
  for (size_t i = 0; i < top.size(); ++i) top[i]->Reshape(vector<int>());
  samples_.reserve(num_);
}

template <typename Dtype>
void CenterLossLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                         const vector<Blob<Dtype>*>& top) {
  const LabelRule rule(centers_.classes(), this->layer_param_.loss_param());
  const Dtype* label = bottom[1]->cpu_data();
  samples_.clear();
  for (int i = 0; i < num_; ++i) {
    CenterSample sample = {i, 0};
    if (ReadLabel(label[i], i, rule, &sample.label)) samples_.push_back(sample);
  }
  const CenterDistances sum = SumCenterDistances(centers_.Batch(bottom[0]->cpu_data(), &samples_));
  centers_.OnForward(sum, samples_.size());
  const double counted = samples_.empty() ? 1 : static_cast<double>(samples_.size());
  top[0]->mutable_cpu_data()[0] = static_cast<Dtype>(sum.squared / counted / 2);
  if (top.size() > 1) top[1]->mutable_cpu_data()[0] = static_cast<Dtype>(sum.distance / counted);
  if (top.size() > 2) top[2]->mutable_cpu_data()[0] = static_cast<Dtype>(centers_.moved());
}

template <typename Dtype>
void CenterLossLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                          const vector<bool>& propagate_down,
                                          const vector<Blob<Dtype>*>& bottom) {
  CheckNoGradient(this->layer_param_, propagate_down, 1, "labels");
  const CenterBatch<Dtype> batch = centers_.Batch(bottom[0]->cpu_data(), &samples_);
  if (propagate_down[0]) {
    Dtype* gradient = bottom[0]->mutable_cpu_diff();
    caffe_set(bottom[0]->count(), Dtype(0), gradient);
    const int counted = static_cast<int>(samples_.size());
    if (counted > 0) AddCenterGradient(batch, top[0]->cpu_diff()[0] / counted, gradient);
  }
  centers_.OnBackward(batch, this->param_propagate_down(0));
}

#ifdef CAFFE_LAYER_HAS_UPDATE_HOOKS

template <typename Dtype>
string CenterLossLayer<Dtype>::Report() const {
  return centers_.Report(this->loss(0) != Dtype(0), this->param_propagate_down(0));
}

#endif

INSTANTIATE_CLASS(CenterLossLayer);
REGISTER_LAYER_CLASS(CenterLoss);

}  // namespace caffe
