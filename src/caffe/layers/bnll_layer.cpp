#include "caffe/layers/bnll_layer.hpp"

#include "caffe/util/elementwise.hpp"

namespace caffe {

template <typename Dtype>
void BNLLLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                   const vector<Blob<Dtype>*>& top) {
  MapElements(bottom[0]->count(), bottom[0]->cpu_data(), top[0]->mutable_cpu_data(),
              [](Dtype x) { return (x > 0 ? x : Dtype(0)) + std::log1p(std::exp(-std::fabs(x))); });
}

template <typename Dtype>
void BNLLLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                    const vector<bool>& propagate_down,
                                    const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  MapElements(top[0]->count(), top[0]->cpu_data(), top[0]->cpu_diff(),
              bottom[0]->mutable_cpu_diff(),
              [](Dtype y, Dtype dy) { return -std::expm1(-y) * dy; });
}

INSTANTIATE_CLASS(BNLLLayer);
REGISTER_LAYER_CLASS(BNLL);

}  // namespace caffe
