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
  has_center_lr_ = param.has_center_lr();
  center_lr_ = param.center_lr();
  CHECK(center_lr_ >= 0) << "center_lr must not be negative, got " << center_lr_;
  classes_ = static_cast<int>(param.num_output());
  dim_ = bottom[0]->count(bottom[0]->CanonicalAxisIndex(param.axis()));
  CheckLossWeights(static_cast<int>(top.size()));
  SetUpCenters();
  sums_.Resize(classes_, dim_);
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
void CenterLossLayer<Dtype>::SetUpCenters() {
  vector<int> shape(2);
  shape[0] = classes_;
  shape[1] = dim_;
  if (this->blobs_.empty()) {
    this->blobs_.resize(1);
    this->blobs_[0].reset(new Blob<Dtype>(shape));
    shared_ptr<Filler<Dtype> > filler(
        GetFiller<Dtype>(this->layer_param_.center_loss_param().center_filler()));
    filler->Fill(this->blobs_[0].get());
  }
  CHECK(this->blobs_.size() == 1 && this->blobs_[0]->shape() == shape)
      << "the stored centers have the shape " << this->blobs_[0]->shape_string() << ", expected "
      << classes_ << " classes x " << dim_ << " features";
  this->param_propagate_down_.resize(1, true);
  if (!has_center_lr_) return;
  // The net reads these after LayerSetUp, so the solver leaves the centers alone.
  LayerParameter& param = this->layer_param_;
  if (param.param_size() == 0) param.add_param();
  param.mutable_param(0)->set_lr_mult(0);
  param.mutable_param(0)->set_decay_mult(0);
}

template <typename Dtype>
void CenterLossLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                     const vector<Blob<Dtype>*>& top) {
  const int axis =
      bottom[0]->CanonicalAxisIndex(this->layer_param_.center_loss_param().axis());
  num_ = bottom[0]->count(0, axis);
  CHECK(bottom[0]->count(axis) == dim_)
      << "bottom[0] of shape " << bottom[0]->shape_string() << " has "
      << bottom[0]->count(axis) << " features from axis " << axis << " on, the centers have "
      << dim_;
  CHECK(bottom[1]->count() == num_)
      << "bottom[1] has " << bottom[1]->count() << " labels, expected " << num_
      << ": one for each feature vector of bottom[0] of shape " << bottom[0]->shape_string();
  for (size_t i = 0; i < top.size(); ++i) top[i]->Reshape(vector<int>());
  samples_.reserve(num_);
}

template <typename Dtype>
CenterBatch<Dtype> CenterLossLayer<Dtype>::Batch(const vector<Blob<Dtype>*>& bottom) const {
  const CenterBatch<Dtype> batch = {bottom[0]->cpu_data(), this->blobs_[0]->cpu_data(), dim_,
                                    &samples_};
  return batch;
}

template <typename Dtype>
void CenterLossLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                         const vector<Blob<Dtype>*>& top) {
#ifndef CAFFE_LAYER_HAS_UPDATE_HOOKS
  MeasureMovement();
  RememberCenters();
#endif
  const LabelRule rule(classes_, this->layer_param_.loss_param());
  const Dtype* label = bottom[1]->cpu_data();
  samples_.clear();
  for (int i = 0; i < num_; ++i) {
    CenterSample sample = {i, 0};
    if (ReadLabel(label[i], i, rule, &sample.label)) samples_.push_back(sample);
  }
  const CenterDistances sum = SumCenterDistances(Batch(bottom));
  const double counted = samples_.empty() ? 1 : static_cast<double>(samples_.size());
  top[0]->mutable_cpu_data()[0] = static_cast<Dtype>(sum.squared / counted / 2);
  if (top.size() > 1) top[1]->mutable_cpu_data()[0] = static_cast<Dtype>(sum.distance / counted);
  if (top.size() > 2) top[2]->mutable_cpu_data()[0] = static_cast<Dtype>(moved_);
  tally_.distance += sum.distance;
  tally_.samples += static_cast<int64_t>(samples_.size());
}

template <typename Dtype>
void CenterLossLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                          const vector<bool>& propagate_down,
                                          const vector<Blob<Dtype>*>& bottom) {
  CheckNoGradient(this->layer_param_, propagate_down, 1, "labels");
  if (propagate_down[0]) {
    const int counted = static_cast<int>(samples_.size());
    Dtype* gradient = bottom[0]->mutable_cpu_diff();
    if (counted < num_) caffe_set(bottom[0]->count(), Dtype(0), gradient);
    if (counted > 0) {
      WriteCenterGradient(Batch(bottom), top[0]->cpu_diff()[0] / counted, gradient);
    }
  }
  MoveCenters(bottom);
}

template <typename Dtype>
void CenterLossLayer<Dtype>::MoveCenters(const vector<Blob<Dtype>*>& bottom) {
#ifndef CAFFE_LAYER_HAS_UPDATE_HOOKS
  sums_.Clear();
#endif
  if (has_center_lr_) {
    AddToCenterSums(Batch(bottom), &sums_);
#ifndef CAFFE_LAYER_HAS_UPDATE_HOOKS
    ApplyStep();
#endif
  } else if (this->param_propagate_down_[0]) {
    AddCenterStepOfBatch(Batch(bottom), &sums_, this->blobs_[0]->mutable_cpu_diff());
  }
}

/** The exact step of center_lr; the iteration's sums are used up. */
template <typename Dtype>
void CenterLossLayer<Dtype>::ApplyStep() {
  AddCenterStep(sums_, -center_lr_, this->blobs_[0]->mutable_cpu_data());
  sums_.Clear();
}

template <typename Dtype>
void CenterLossLayer<Dtype>::RememberCenters() {
  const Dtype* centers = this->blobs_[0]->cpu_data();
  previous_.assign(centers, centers + this->blobs_[0]->count());
}

template <typename Dtype>
void CenterLossLayer<Dtype>::MeasureMovement() {
  if (previous_.empty()) return;
  const Dtype* centers = this->blobs_[0]->cpu_data();
  moved_ = 0;
  for (int j = 0; j < classes_; ++j) {
    const size_t row = static_cast<size_t>(j) * dim_;
    moved_ += std::sqrt(SquaredDistance(dim_, centers + row, previous_.data() + row)) / classes_;
  }
  still_iterations_ = moved_ == 0 ? still_iterations_ + 1 : 0;
  tally_.movement += moved_;
  ++tally_.iterations;
}

#ifdef CAFFE_LAYER_HAS_UPDATE_HOOKS

template <typename Dtype>
void CenterLossLayer<Dtype>::OnClearParamDiffs() {
  sums_.Clear();
  RememberCenters();
}

template <typename Dtype>
void CenterLossLayer<Dtype>::OnUpdate() {
  if (has_center_lr_) ApplyStep();
  MeasureMovement();
}

template <typename Dtype>
string CenterLossLayer<Dtype>::Report() const {
  if (tally_.samples == 0 && tally_.iterations == 0) return "";
  std::ostringstream out;
  out << "mean distance to the centers "
      << (tally_.samples == 0 ? 0 : tally_.distance / tally_.samples) << " (" << tally_.samples
      << " samples), mean movement of the centers "
      << (tally_.iterations == 0 ? 0 : tally_.movement / tally_.iterations) << " an iteration ("
      << tally_.iterations << " iterations)";
  tally_ = Tally();
  const int kManyIterations = 10;
  if (still_iterations_ < kManyIterations || this->loss(0) == Dtype(0)) return out.str();
  out << "; WARNING: no center has moved during the last " << still_iterations_
      << " iterations, although the loss has weight: ";
  if (has_center_lr_ && center_lr_ == 0) {
    out << "center_lr is 0";
  } else if (!has_center_lr_ && !this->param_propagate_down_[0]) {
    out << "lr_mult of the centers is 0 and center_lr is not given";
  } else {
    out << "check that the layer's Backward runs, that labels count, and the learning rate";
  }
  return out.str();
}

#endif

INSTANTIATE_CLASS(CenterLossLayer);
REGISTER_LAYER_CLASS(CenterLoss);

}  // namespace caffe
