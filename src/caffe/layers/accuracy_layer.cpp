#include "caffe/layers/accuracy_layer.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace caffe {

template <typename Dtype>
void AccuracyLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                                      const vector<Blob<Dtype>*>& /*top*/) {
  const unsigned top_k = this->layer_param_.accuracy_param().top_k();
  CHECK(top_k >= 1 && top_k <= static_cast<unsigned>(INT_MAX))
      << "top_k must be at least 1, got " << top_k;
  top_k_ = static_cast<int>(top_k);
}

template <typename Dtype>
void AccuracyLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                   const vector<Blob<Dtype>*>& top) {
  const Blob<Dtype>& scores = *bottom[0];
  const int axis = scores.CanonicalAxisIndex(this->layer_param_.accuracy_param().axis());
  outer_num_ = scores.count(0, axis);
  classes_ = scores.shape(axis);
  inner_num_ = scores.count(axis + 1);
  CHECK(top_k_ <= classes_) << "top_k is " << top_k_ << ", but axis " << axis
                            << " of scores of shape " << scores.shape_string() << " has "
                            << classes_ << " classes";
  CHECK(bottom[1]->count() == outer_num_ * inner_num_)
      << "bottom[1] has " << bottom[1]->count() << " labels, expected " << outer_num_ * inner_num_
      << ": one for each vector along axis " << axis << " of scores of shape "
      << scores.shape_string();
  top[0]->Reshape(vector<int>());
  if (top.size() > 1) top[1]->Reshape({classes_});
  right_.resize(classes_);
  seen_.resize(classes_);
}

template <typename Dtype>
bool AccuracyLayer<Dtype>::IsAmongBest(const Dtype* x, int y) const {
  const Dtype score = x[y * inner_num_];
  int better = 0;
  for (int c = 0; c < classes_; ++c) {
    const Dtype other = x[c * inner_num_];
    if (other == score ? c > y : !(other < score)) ++better;
  }
  // A NaN counts itself, so that it is not among the best even of one class.
  return better < top_k_;
}

template <typename Dtype>
void AccuracyLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                       const vector<Blob<Dtype>*>& top) {
  const Dtype* score = bottom[0]->cpu_data();
  const Dtype* label = bottom[1]->cpu_data();
  const AccuracyParameter& param = this->layer_param_.accuracy_param();
  const LabelRule rule(classes_, param.has_ignore_label(), param.ignore_label());
  std::fill(right_.begin(), right_.end(), 0);
  std::fill(seen_.begin(), seen_.end(), 0);
  for (int i = 0; i < outer_num_ * inner_num_; ++i) {
    int y = 0;
    if (!ReadLabel(label[i], i, rule, &y)) continue;
    ++seen_[y];
    const Dtype* column = score + i / inner_num_ * classes_ * inner_num_ + i % inner_num_;
    if (IsAmongBest(column, y)) ++right_[y];
  }
  const auto fraction = [](int part, int all) { return all == 0 ? Dtype(0) : Dtype(part) / all; };
  top[0]->mutable_cpu_data()[0] = fraction(std::accumulate(right_.begin(), right_.end(), 0),
                                           std::accumulate(seen_.begin(), seen_.end(), 0));
  for (int c = 0; top.size() > 1 && c < classes_; ++c) {
    top[1]->mutable_cpu_data()[c] = fraction(right_[c], seen_[c]);
  }
}

template <typename Dtype>
void AccuracyLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& /*top*/,
                                        const vector<bool>& propagate_down,
                                        const vector<Blob<Dtype>*>& /*bottom*/) {
  CheckNoGradient(this->layer_param_, propagate_down, 0, "the scores of an accuracy");
  CheckNoGradient(this->layer_param_, propagate_down, 1, "labels");
}

INSTANTIATE_CLASS(AccuracyLayer);
REGISTER_LAYER_CLASS(Accuracy);

}  // namespace caffe
