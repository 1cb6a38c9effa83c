#include "caffe/layers/multibox_loss_layer.hpp"

#include <vector>

namespace caffe {

template <typename Dtype>
void MultiBoxLossLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                          const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::LayerSetUp(bottom, top);
  options_ = ReadMultiBoxOptions(this->layer_param_);
  normalization_ = MultiBoxNormalization(this->layer_param_.loss_param());
}

template <typename Dtype>
void MultiBoxLossLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                       const vector<Blob<Dtype>*>& top) {
  num_images_ = bottom[0]->shape(0);
  num_priors_ = NumPriors(*bottom[2]);
  const int loc_width = num_priors_ * options_.num_loc_classes() * 4;
  const int conf_width = num_priors_ * options_.num_classes;
  CHECK(bottom[0]->count(1) == loc_width)
      << "bottom[0] has " << bottom[0]->count(1) << " values per image, expected " << num_priors_
      << " priors × " << options_.num_loc_classes() << " location class(es) × 4 = " << loc_width;
  CHECK(bottom[1]->shape(0) == num_images_)
      << "bottom[1] has " << bottom[1]->shape(0) << " images, bottom[0] " << num_images_;
  CHECK(bottom[1]->count(1) == conf_width)
      << "bottom[1] has " << bottom[1]->count(1) << " values per image, expected " << num_priors_
      << " priors × " << options_.num_classes << " classes = " << conf_width;
  for (size_t i = 0; i < top.size(); ++i) top[i]->Reshape(vector<int>());
}

template <typename Dtype>
MultiBoxBatch<Dtype> MultiBoxLossLayer<Dtype>::Batch(const vector<Blob<Dtype>*>& bottom) const {
  const MultiBoxBatch<Dtype> batch = {num_images_,           num_priors_, bottom[0]->cpu_data(),
                                      bottom[1]->cpu_data(), &priors_,    variance_.data(),
                                      &ground_truth_};
  return batch;
}

template <typename Dtype>
Dtype MultiBoxLossLayer<Dtype>::SumLocLoss(const MultiBoxBatch<Dtype>& batch) const {
  Dtype sum = 0;
  for (size_t i = 0; i < targets_.positives.size(); ++i) {
    Dtype differences[4];
    LocDifferences(batch, options_, targets_.positives[i], differences);
    for (int k = 0; k < 4; ++k) sum += LocLoss(options_.loc_loss, differences[k]);
  }
  return sum;
}

template <typename Dtype>
void MultiBoxLossLayer<Dtype>::AllLabels(vector<int>* labels) const {
  // An unmatched prior learns the background; LOGISTIC without one learns no class.
  const bool has_background = options_.background_label < options_.num_classes;
  labels->assign(static_cast<size_t>(num_images_) * num_priors_,
                 has_background ? options_.background_label : -1);
  for (size_t i = 0; i < targets_.positives.size(); ++i) {
    const Positive& positive = targets_.positives[i];
    (*labels)[static_cast<size_t>(positive.image) * num_priors_ + positive.prior] = positive.label;
  }
}

template <typename Dtype>
typename MultiBoxLossLayer<Dtype>::LearnedRow MultiBoxLossLayer<Dtype>::RowOf(long index) const {
  const long num_positives = static_cast<long>(targets_.positives.size());
  LearnedRow target;
  if (index < num_positives) {
    const Positive& positive = targets_.positives[index];
    target.row = static_cast<size_t>(positive.image) * num_priors_ + positive.prior;
    target.label = positive.label;
  } else {
    const Negative& negative = targets_.negatives[index - num_positives];
    target.row = static_cast<size_t>(negative.image) * num_priors_ + negative.prior;
    target.label = options_.background_label;
  }
  return target;
}

template <typename Dtype>
Dtype MultiBoxLossLayer<Dtype>::SumConfLoss(const MultiBoxBatch<Dtype>& batch) const {
  const int num_classes = options_.num_classes;
  Dtype sum = 0;
  if (options_.mining.type == MINE_NONE) {
    vector<int> labels;
    AllLabels(&labels);
    for (size_t i = 0; i < labels.size(); ++i) {
      sum += ConfLoss(options_.conf_loss, batch.conf + i * num_classes, num_classes, labels[i]);
    }
    return sum;
  }
  // By all threads, then added in one order.
  const long num_positives = static_cast<long>(targets_.positives.size());
  const long num_targets = num_positives + static_cast<long>(targets_.negatives.size());
  vector<Dtype> losses(num_targets);
#pragma omp parallel for schedule(static)
  for (long i = 0; i < num_targets; ++i) {
    const LearnedRow target = RowOf(i);
    losses[i] = ConfLoss(options_.conf_loss, batch.conf + target.row * num_classes, num_classes,
                         target.label);
  }
  for (long i = 0; i < num_targets; ++i) sum += losses[i];
  return sum;
}

template <typename Dtype>
void MultiBoxLossLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                           const vector<Blob<Dtype>*>& top) {
  ReadPriors(*bottom[2], &priors_, &variance_);
  ReadGroundTruth(*bottom[3], num_images_, options_, &ground_truth_);
  const MultiBoxBatch<Dtype> batch = Batch(bottom);
  AssignTargets(batch, options_, &targets_);
  const Dtype normalizer = Normalizer();
  const Dtype conf_loss = IsLearned(1) ? SumConfLoss(batch) / normalizer : Dtype(0);
  const Dtype loc_loss =
      IsLearned(0) ? Dtype(options_.loc_weight) * SumLocLoss(batch) / normalizer : Dtype(0);
  top[0]->mutable_cpu_data()[0] = loc_loss + conf_loss;
  if (top.size() > 1) top[1]->mutable_cpu_data()[0] = conf_loss;
  if (top.size() > 2) top[2]->mutable_cpu_data()[0] = loc_loss;
}

template <typename Dtype>
void MultiBoxLossLayer<Dtype>::BackwardLoc(const MultiBoxBatch<Dtype>& batch, Dtype weight,
                                           Dtype* gradient) const {
  for (size_t i = 0; i < targets_.positives.size(); ++i) {
    const Positive& positive = targets_.positives[i];
    Dtype differences[4];
    LocDifferences(batch, options_, positive, differences);
    const size_t prior = static_cast<size_t>(positive.image) * num_priors_ + positive.prior;
    Dtype* target = gradient + (prior * options_.num_loc_classes() + positive.loc_class) * 4;
    for (int k = 0; k < 4; ++k) {
      Dtype slope = weight * LocLossGradient(options_.loc_loss, differences[k]);
      if (options_.coder.variance_in_target) slope /= batch.variance[positive.prior * 4 + k];
      target[k] = slope;
    }
  }
}

template <typename Dtype>
void MultiBoxLossLayer<Dtype>::BackwardConf(const MultiBoxBatch<Dtype>& batch, Dtype weight,
                                            Dtype* gradient) const {
  const int num_classes = options_.num_classes;
  if (options_.mining.type == MINE_NONE) {
    vector<int> labels;
    AllLabels(&labels);
    for (size_t i = 0; i < labels.size(); ++i) {
      AddConfLossGradient(options_.conf_loss, batch.conf + i * num_classes, num_classes, labels[i],
                          weight, gradient + i * num_classes);
    }
    return;
  }
  const long num_targets = static_cast<long>(targets_.positives.size() + targets_.negatives.size());
  // With a box for each class a row may be learned from twice, so threads might meet there.
#pragma omp parallel for schedule(static) if (options_.share_location)
  for (long i = 0; i < num_targets; ++i) {
    const LearnedRow target = RowOf(i);
    AddConfLossGradient(options_.conf_loss, batch.conf + target.row * num_classes, num_classes,
                        target.label, weight, gradient + target.row * num_classes);
  }
}

template <typename Dtype>
void MultiBoxLossLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                            const vector<bool>& propagate_down,
                                            const vector<Blob<Dtype>*>& bottom) {
  CHECK(!propagate_down[2]) << "the priors (bottom[2]) get no gradient";
  CHECK(!propagate_down[3]) << "the ground truth (bottom[3]) gets no gradient";
  const MultiBoxBatch<Dtype> batch = Batch(bottom);
  const Dtype weight = top[0]->cpu_diff()[0] / Normalizer();
  for (int i = 0; i < 2; ++i) {
    if (!propagate_down[i]) continue;
    Dtype* gradient = bottom[i]->mutable_cpu_diff();
    ClearGradient(static_cast<size_t>(bottom[i]->count()), gradient);
    if (!IsLearned(i)) continue;
    if (i == 0) BackwardLoc(batch, weight * Dtype(options_.loc_weight), gradient);
    if (i == 1) BackwardConf(batch, weight, gradient);
  }
}

INSTANTIATE_CLASS(MultiBoxLossLayer);
REGISTER_LAYER_CLASS(MultiBoxLoss);

}  // namespace caffe
