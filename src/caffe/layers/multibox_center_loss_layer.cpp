#include "caffe/layers/multibox_center_loss_layer.hpp"

#include <string>
#include <vector>

namespace caffe {

template <typename Dtype>
void MultiBoxCenterLossLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                                const vector<Blob<Dtype>*>& top) {
  MultiBoxLossLayer<Dtype>::LayerSetUp(bottom, top);
  const MultiBoxCenterLossParameter& param = this->layer_param_.multibox_center_loss_param();
  CHECK(param.center_features() > 0)
      << "multibox_center_loss_param needs center_features, the width of a prior's feature vector";
  weight_ = param.has_weight() ? param.weight()
                               : this->layer_param_.multibox_loss_param().center_loss_weight();
  CHECK(weight_ >= 0) << "the weight of the center loss must not be negative, got " << weight_;
  include_background_ = param.include_background();
  CHECK(!include_background_ || this->options_.mining.type != MINE_NONE)
      << "include_background takes the mined negatives, but mining_type is NONE";
  CenterOptions options;
  options.classes = this->options_.num_classes;
  options.dim = static_cast<int>(param.center_features());
  options.filler = param.center_filler();
  options.has_center_lr = param.has_center_lr();
  options.center_lr = param.center_lr();
  centers_.SetUp(options, &this->layer_param_, &this->blobs_);
  this->param_propagate_down_.resize(1, true);
}

template <typename Dtype>
void MultiBoxCenterLossLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                             const vector<Blob<Dtype>*>& top) {
  MultiBoxLossLayer<Dtype>::Reshape(bottom, top);
  const int width = this->num_priors_ * centers_.dim();
  CHECK(bottom[4]->shape(0) == this->num_images_)
      << "bottom[4] has " << bottom[4]->shape(0) << " images, bottom[0] " << this->num_images_;
  CHECK(bottom[4]->count(1) == width)
      << "bottom[4] has " << bottom[4]->count(1) << " values per image, expected "
      << this->num_priors_ << " priors × " << centers_.dim() << " center_features = " << width;
}

template <typename Dtype>
void MultiBoxCenterLossLayer<Dtype>::CollectSamples() {
  samples_.clear();
  const MultiBoxTargets& targets = this->targets_;
  for (size_t i = 0; i < targets.positives.size(); ++i) {
    const Positive& positive = targets.positives[i];
    const CenterSample sample = {positive.image * this->num_priors_ + positive.prior,
                                 positive.label};
    samples_.push_back(sample);
  }
  for (size_t i = 0; i < targets.negatives.size() && include_background_; ++i) {
    const Negative& negative = targets.negatives[i];
    const CenterSample sample = {negative.image * this->num_priors_ + negative.prior,
                                 this->options_.background_label};
    samples_.push_back(sample);
  }
}

template <typename Dtype>
void MultiBoxCenterLossLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                                 const vector<Blob<Dtype>*>& top) {
  MultiBoxLossLayer<Dtype>::Forward_cpu(bottom, top);
  CollectSamples();
  const CenterDistances sum = SumCenterDistances(centers_.Batch(bottom[4]->cpu_data(), &samples_));
  centers_.OnForward(sum, samples_.size());
  Dtype center_loss = Dtype(0);
  if (weight_ > 0 && this->IsLearned(4)) {
    center_loss = static_cast<Dtype>(weight_ * sum.squared / 2 / this->Normalizer());
    top[0]->mutable_cpu_data()[0] += center_loss;
  }
  if (top.size() > 3) top[3]->mutable_cpu_data()[0] = center_loss;
}

template <typename Dtype>
void MultiBoxCenterLossLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                                  const vector<bool>& propagate_down,
                                                  const vector<Blob<Dtype>*>& bottom) {
  MultiBoxLossLayer<Dtype>::Backward_cpu(top, propagate_down, bottom);
  const CenterBatch<Dtype> batch = centers_.Batch(bottom[4]->cpu_data(), &samples_);
  if (propagate_down[4]) {
    Dtype* gradient = bottom[4]->mutable_cpu_diff();
    ClearGradient(static_cast<size_t>(bottom[4]->count()), gradient);
    const Dtype scale = this->IsLearned(4) ? static_cast<Dtype>(weight_) * top[0]->cpu_diff()[0] /
                                                 this->Normalizer()
                                           : Dtype(0);
    AddCenterGradient(batch, scale, gradient);
  }
  centers_.OnBackward(batch, this->param_propagate_down(0));
}

#ifdef CAFFE_LAYER_HAS_UPDATE_HOOKS

template <typename Dtype>
std::string MultiBoxCenterLossLayer<Dtype>::Report() const {
  return centers_.Report(weight_ > 0 && this->loss(0) != Dtype(0), this->param_propagate_down(0));
}

#endif

INSTANTIATE_CLASS(MultiBoxCenterLossLayer);
REGISTER_LAYER_CLASS(MultiBoxCenterLoss);

}  // namespace caffe
