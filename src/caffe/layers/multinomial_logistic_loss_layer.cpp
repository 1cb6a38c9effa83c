#include "caffe/layers/multinomial_logistic_loss_layer.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "caffe/util/labels.hpp"

namespace caffe {

template <typename Dtype>
void MultinomialLogisticLossLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                                  const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::Reshape(bottom, top);
  CHECK(bottom[1]->count() == bottom[0]->shape(0))
      << "bottom[1] has " << bottom[1]->count() << " labels, expected one for each of the "
      << bottom[0]->shape(0) << " samples of bottom[0]";
}

template <typename Dtype>
void MultinomialLogisticLossLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                                      const vector<Blob<Dtype>*>& top) {
  const int num = bottom[0]->shape(0);
  const int classes = bottom[0]->count(1);
  const Dtype* prob = bottom[0]->cpu_data();
  const Dtype* label = bottom[1]->cpu_data();
  const LabelRule rule(classes, false, 0);
  double loss = 0;
  for (int n = 0; n < num; ++n) {
    int y = 0;
    ReadLabel(label[n], n, rule, &y);
    loss -= std::log(std::max(prob[n * classes + y], Dtype(kLOG_THRESHOLD)));
  }
  top[0]->mutable_cpu_data()[0] = static_cast<Dtype>(loss / std::max(1, num));
}

template <typename Dtype>
void MultinomialLogisticLossLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                                       const vector<bool>& propagate_down,
                                                       const vector<Blob<Dtype>*>& bottom) {
  CheckNoGradient(this->layer_param_, propagate_down, 1, "labels");
  if (!propagate_down[0]) return;
  const int num = bottom[0]->shape(0);
  const int classes = bottom[0]->count(1);
  const Dtype* prob = bottom[0]->cpu_data();
  const Dtype* label = bottom[1]->cpu_data();
  const Dtype scale = top[0]->cpu_diff()[0] / std::max(1, num);
  const LabelRule rule(classes, false, 0);
  Dtype* gradient = bottom[0]->mutable_cpu_diff();
  caffe_set(bottom[0]->count(), Dtype(0), gradient);
  for (int n = 0; n < num; ++n) {
    int y = 0;
    ReadLabel(label[n], n, rule, &y);
    const int i = n * classes + y;
    gradient[i] = -scale / std::max(prob[i], Dtype(kLOG_THRESHOLD));
  }
}

INSTANTIATE_CLASS(MultinomialLogisticLossLayer);
REGISTER_LAYER_CLASS(MultinomialLogisticLoss);

}  // namespace caffe
