#include "caffe/layers/relu_layer.hpp"

#include "caffe/util/elementwise.hpp"

namespace caffe {

template <typename Dtype>
void ReLULayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                   const vector<Blob<Dtype>*>& top) {
  const Dtype slope = this->layer_param_.relu_param().negative_slope();
  if (slope < 0) this->KeepInput(bottom, top);  // else the sign of y is as good as that of x
  MapElements(bottom[0]->count(), bottom[0]->cpu_data(), top[0]->mutable_cpu_data(),
              [slope](Dtype x) { return ReLU(x, slope); });
}

template <typename Dtype>
void ReLULayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                    const vector<bool>& propagate_down,
                                    const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const Dtype slope = this->layer_param_.relu_param().negative_slope();
  const Dtype* x = slope < 0 ? this->Input(bottom, top) : bottom[0]->cpu_data();
  MapElements(bottom[0]->count(), x, top[0]->cpu_diff(), bottom[0]->mutable_cpu_diff(),
              [slope](Dtype x, Dtype dy) { return ReLUGradient(x, dy, slope); });
}

INSTANTIATE_CLASS(ReLULayer);
REGISTER_LAYER_CLASS(ReLU);

}  // namespace caffe
