#include "caffe/layers/smooth_l1_loss_layer.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "caffe/util/labels.hpp"

namespace caffe {

template <typename Dtype>
void SmoothL1LossLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                       const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::Reshape(bottom, top);
  for (size_t i = 1; i < bottom.size(); ++i) {
    CHECK(bottom[i]->shape(0) == bottom[0]->shape(0) && bottom[i]->count() == bottom[0]->count())
        << "bottom[" << i << "] has the shape " << bottom[i]->shape_string()
        << ", expected that of the predictions, " << bottom[0]->shape_string();
  }
  diff_.ReshapeLike(*bottom[0]);
}

template <typename Dtype>
void SmoothL1LossLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                           const vector<Blob<Dtype>*>& top) {
  const int count = bottom[0]->count();
  Dtype* diff = diff_.mutable_cpu_data();
  caffe_sub(count, bottom[0]->cpu_data(), bottom[1]->cpu_data(), diff);
  if (bottom.size() > 2) caffe_mul(count, bottom[2]->cpu_data(), diff, diff);
  const Dtype* outside = bottom.size() > 3 ? bottom[3]->cpu_data() : nullptr;
  double loss = 0;
  for (int i = 0; i < count; ++i) {
    const double size = std::fabs(diff[i]);
    const double term = size < 1 ? size * size / 2 : size - 0.5;
    loss += outside == nullptr ? term : outside[i] * term;
  }
  top[0]->mutable_cpu_data()[0] = static_cast<Dtype>(loss / std::max(1, bottom[0]->shape(0)));
}

template <typename Dtype>
void SmoothL1LossLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                            const vector<bool>& propagate_down,
                                            const vector<Blob<Dtype>*>& bottom) {
  CheckNoGradient(this->layer_param_, propagate_down, 2, "inside weights");
  CheckNoGradient(this->layer_param_, propagate_down, 3, "outside weights");
  const int count = bottom[0]->count();
  const Dtype* diff = diff_.cpu_data();
  for (int b = 0; b < 2; ++b) {
    if (!propagate_down[b]) continue;
    const Dtype scale =
        (b == 0 ? 1 : -1) * top[0]->cpu_diff()[0] / std::max(1, bottom[0]->shape(0));
    Dtype* gradient = bottom[b]->mutable_cpu_diff();
    for (int i = 0; i < count; ++i) {
      gradient[i] = scale * std::max(Dtype(-1), std::min(Dtype(1), diff[i]));
    }
    for (size_t w = 2; w < bottom.size(); ++w) {
      caffe_mul(count, bottom[w]->cpu_data(), gradient, gradient);
    }
  }
}

INSTANTIATE_CLASS(SmoothL1LossLayer);
REGISTER_LAYER_CLASS(SmoothL1Loss);

}  // namespace caffe
