#include "caffe/layers/elu_layer.hpp"

#include "caffe/util/elementwise.hpp"

namespace caffe {

template <typename Dtype>
void ELULayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                  const vector<Blob<Dtype>*>& top) {
  const Dtype alpha = this->layer_param_.elu_param().alpha();
  if (alpha < 0) this->KeepInput(bottom, top);  // else the sign of y is as good as that of x
  MapElements(bottom[0]->count(), bottom[0]->cpu_data(), top[0]->mutable_cpu_data(),
              [alpha](Dtype x) { return x > 0 ? x : alpha * std::expm1(x); });
}

template <typename Dtype>
void ELULayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                   const vector<bool>& propagate_down,
                                   const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const Dtype alpha = this->layer_param_.elu_param().alpha();
  const Dtype* x = alpha < 0 ? this->Input(bottom, top) : bottom[0]->cpu_data();
  MapElements(bottom[0]->count(), x, top[0]->cpu_data(), top[0]->cpu_diff(),
              bottom[0]->mutable_cpu_diff(),
              [alpha](Dtype x, Dtype y, Dtype dy) { return x > 0 ? dy : (y + alpha) * dy; });
}

INSTANTIATE_CLASS(ELULayer);
REGISTER_LAYER_CLASS(ELU);

}  // namespace caffe
