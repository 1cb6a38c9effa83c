#include "caffe/layers/swish_layer.hpp"

#include "caffe/util/elementwise.hpp"

namespace caffe {

template <typename Dtype>
void SwishLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                const vector<Blob<Dtype>*>& top) {
  NeuronLayer<Dtype>::Reshape(bottom, top);
  sigmoid_.ReshapeLike(*bottom[0]);
}

template <typename Dtype>
void SwishLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                    const vector<Blob<Dtype>*>& top) {
  const Dtype beta = this->layer_param_.swish_param().beta();
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* sigmoid = sigmoid_.mutable_cpu_data();
  MapElements(bottom[0]->count(), x, sigmoid, [beta](Dtype x) {
    const Dtype e = std::exp(-std::fabs(beta * x));
    return (beta * x < 0 ? e : 1) / (1 + e);
  });
  caffe_mul(bottom[0]->count(), x, sigmoid, top[0]->mutable_cpu_data());
}

template <typename Dtype>
void SwishLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                     const vector<bool>& propagate_down,
                                     const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const Dtype beta = this->layer_param_.swish_param().beta();
  MapElements(top[0]->count(), top[0]->cpu_data(), sigmoid_.cpu_data(), top[0]->cpu_diff(),
              bottom[0]->mutable_cpu_diff(),
              [beta](Dtype y, Dtype s, Dtype dy) { return (beta * y + s * (1 - beta * y)) * dy; });
}

INSTANTIATE_CLASS(SwishLayer);
REGISTER_LAYER_CLASS(Swish);

}  // namespace caffe
