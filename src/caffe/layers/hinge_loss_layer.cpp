#include "caffe/layers/hinge_loss_layer.hpp"

#include <algorithm>
#include <vector>

#include "caffe/util/labels.hpp"

namespace caffe {

template <typename Dtype>
void HingeLossLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                    const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::Reshape(bottom, top);
  CHECK(bottom[1]->count() == bottom[0]->shape(0))
      << "bottom[1] has " << bottom[1]->count() << " labels, expected one for each of the "
      << bottom[0]->shape(0) << " samples of bottom[0]";
  violation_.ReshapeLike(*bottom[0]);
}

template <typename Dtype>
void HingeLossLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                        const vector<Blob<Dtype>*>& top) {
  const int num = bottom[0]->shape(0);
  const int classes = bottom[0]->count(1);
  const Dtype* score = bottom[0]->cpu_data();
  const Dtype* label = bottom[1]->cpu_data();
  const bool squared = this->layer_param_.hinge_loss_param().norm() == HingeLossParameter_Norm_L2;
  const LabelRule rule(classes, false, 0);
  Dtype* violation = violation_.mutable_cpu_data();
  double loss = 0;
  for (int n = 0; n < num; ++n) {
    int y = 0;
    ReadLabel(label[n], n, rule, &y);
    for (int c = 0; c < classes; ++c) {
      const int i = n * classes + c;
      // max keeps its first argument where that is a NaN.
      violation[i] = std::max(c == y ? 1 - score[i] : 1 + score[i], Dtype(0));
      loss += squared ? violation[i] * violation[i] : violation[i];
    }
  }
  top[0]->mutable_cpu_data()[0] = static_cast<Dtype>(loss / std::max(1, num));
}

template <typename Dtype>
void HingeLossLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                         const vector<bool>& propagate_down,
                                         const vector<Blob<Dtype>*>& bottom) {
  CheckNoGradient(this->layer_param_, propagate_down, 1, "labels");
  if (!propagate_down[0]) return;
  const int num = bottom[0]->shape(0);
  const int classes = bottom[0]->count(1);
  const Dtype* label = bottom[1]->cpu_data();
  const Dtype* violation = violation_.cpu_data();
  const bool squared = this->layer_param_.hinge_loss_param().norm() == HingeLossParameter_Norm_L2;
  const Dtype scale = top[0]->cpu_diff()[0] / std::max(1, num);
  const LabelRule rule(classes, false, 0);
  Dtype* gradient = bottom[0]->mutable_cpu_diff();
  for (int n = 0; n < num; ++n) {
    int y = 0;
    ReadLabel(label[n], n, rule, &y);
    for (int c = 0; c < classes; ++c) {
      const int i = n * classes + c;
      const Dtype slope = squared ? 2 * violation[i] : Dtype(violation[i] > 0);
      gradient[i] = (c == y ? -scale : scale) * slope;
    }
  }
}

INSTANTIATE_CLASS(HingeLossLayer);
REGISTER_LAYER_CLASS(HingeLoss);

}  // namespace caffe
