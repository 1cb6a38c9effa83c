#include "caffe/layers/infogain_loss_layer.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "caffe/util/io.hpp"
#include "caffe/util/softmax.hpp"

namespace caffe {

template <typename Dtype>
void InfogainLossLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                          const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::LayerSetUp(bottom, top);
  const LayerParameter& param = this->layer_param_;
  normalization_ = LossNormalization(param.loss_param());
  CHECK(param.loss_weight_size() < 2 || param.loss_weight(1) == 0)
      << "top[1] holds probabilities and passes no gradient; expected the loss_weight 0, got "
      << param.loss_weight(1);
  if (bottom.size() > 2) return;
  const string& source = param.infogain_loss_param().source();
  CHECK(!source.empty()) << "expected the infogain matrix as bottom[2], or its file in "
                         << "infogain_loss_param.source";
  BlobProto proto;
  ReadProtoFromBinaryFileOrDie(source, &proto);
  infogain_.FromProto(proto);
}

template <typename Dtype>
void InfogainLossLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                       const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::Reshape(bottom, top);
  const Blob<Dtype>& scores = *bottom[0];
  const int axis = scores.CanonicalAxisIndex(this->layer_param_.infogain_loss_param().axis());
  outer_num_ = scores.count(0, axis);
  classes_ = scores.shape(axis);
  inner_num_ = scores.count(axis + 1);
  CHECK(bottom[1]->count() == outer_num_ * inner_num_)
      << "bottom[1] has " << bottom[1]->count() << " labels, expected " << outer_num_ * inner_num_
      << ": one for each vector along axis " << axis << " of scores of shape "
      << scores.shape_string();
  const Blob<Dtype>& infogain = bottom.size() > 2 ? *bottom[2] : infogain_;
  CHECK(infogain.count() == static_cast<int64_t>(classes_) * classes_)
      << "the infogain matrix has the shape " << infogain.shape_string() << ", expected "
      << classes_ << " x " << classes_;
  prob_.ReshapeLike(scores);
  if (top.size() > 1) top[1]->ReshapeLike(scores);
}

template <typename Dtype>
void InfogainLossLayer<Dtype>::WarnOfProbabilities(const Dtype* score) {
  if (!is_first_ || outer_num_ * inner_num_ == 0) return;
  is_first_ = false;
  double sum = 0;
  for (int k = 0; k < classes_; ++k) {
    if (score[k * inner_num_] < 0) return;
    sum += score[k * inner_num_];
  }
  LOG_IF(WARNING, std::fabs(sum - 1) < 1e-5)
      << this->Who() << ": the scores look like probabilities; this layer takes the softmax "
      << "itself, as in Caffe 1.0, so give it the scores before the softmax";
}

template <typename Dtype>
void InfogainLossLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                           const vector<Blob<Dtype>*>& top) {
  WarnOfProbabilities(bottom[0]->cpu_data());
  const Dtype* label = bottom[1]->cpu_data();
  const Dtype* infogain = Infogain(bottom);
  Dtype* prob = prob_.mutable_cpu_data();
  Softmax(SoftmaxShape{outer_num_, classes_, inner_num_}, bottom[0]->cpu_data(), prob);
  const LabelRule rule = Rule();
  double loss = 0;
  int valid = 0;
  for (int i = 0; i < outer_num_ * inner_num_; ++i) {
    int y = 0;
    if (!ReadLabel(label[i], i, rule, &y)) continue;
    const Dtype* row = infogain + static_cast<int64_t>(y) * classes_;
    const Dtype* column = prob + ColumnOffset(i);
    for (int k = 0; k < classes_; ++k) {
      loss -= row[k] * std::log(std::max(column[k * inner_num_], Dtype(kLOG_THRESHOLD)));
    }
    ++valid;
  }
  normalizer_ = this->GetNormalizer(normalization_, outer_num_, inner_num_, valid);
  top[0]->mutable_cpu_data()[0] = static_cast<Dtype>(loss / normalizer_);
  if (top.size() > 1) top[1]->ShareData(prob_);
}

template <typename Dtype>
void InfogainLossLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                            const vector<bool>& propagate_down,
                                            const vector<Blob<Dtype>*>& bottom) {
  CheckNoGradient(this->layer_param_, propagate_down, 1, "labels");
  CheckNoGradient(this->layer_param_, propagate_down, 2, "the gains of an infogain matrix");
  if (!propagate_down[0]) return;
  const Dtype* label = bottom[1]->cpu_data();
  const Dtype* infogain = Infogain(bottom);
  const Dtype* prob = prob_.cpu_data();
  const Dtype scale = top[0]->cpu_diff()[0] / normalizer_;
  Dtype* gradient = bottom[0]->mutable_cpu_diff();
  caffe_set(bottom[0]->count(), Dtype(0), gradient);
  const LabelRule rule = Rule();
  for (int i = 0; i < outer_num_ * inner_num_; ++i) {
    int y = 0;
    if (!ReadLabel(label[i], i, rule, &y)) continue;
    const Dtype* row = infogain + static_cast<int64_t>(y) * classes_;
    Dtype row_sum = 0;
    for (int k = 0; k < classes_; ++k) row_sum += row[k];
    const int64_t column = ColumnOffset(i);
    for (int k = 0; k < classes_; ++k) {
      const int64_t at = column + k * inner_num_;
      gradient[at] = scale * (prob[at] * row_sum - row[k]);
    }
  }
}

INSTANTIATE_CLASS(InfogainLossLayer);
REGISTER_LAYER_CLASS(InfogainLoss);

}  // namespace caffe
