#include "caffe/layers/sigmoid_layer.hpp"

#include "caffe/util/elementwise.hpp"

namespace caffe {

template <typename Dtype>
void SigmoidLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                      const vector<Blob<Dtype>*>& top) {
  MapElements(bottom[0]->count(), bottom[0]->cpu_data(), top[0]->mutable_cpu_data(), [](Dtype x) {
    const Dtype e = std::exp(-std::fabs(x));
    return (x < 0 ? e : 1) / (1 + e);
  });
}

template <typename Dtype>
void SigmoidLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                       const vector<bool>& propagate_down,
                                       const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  MapElements(top[0]->count(), top[0]->cpu_data(), top[0]->cpu_diff(),
              bottom[0]->mutable_cpu_diff(), [](Dtype y, Dtype dy) { return y * (1 - y) * dy; });
}

INSTANTIATE_CLASS(SigmoidLayer);
REGISTER_LAYER_CLASS(Sigmoid);

}  // namespace caffe
