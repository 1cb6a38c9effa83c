#include "caffe/layers/neuron_layer.hpp"

namespace caffe {

template <typename Dtype>
void NeuronLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                 const vector<Blob<Dtype>*>& top) {
  if (top[0] != bottom[0]) top[0]->ReshapeLike(*bottom[0]);
}

template <typename Dtype>
void NeuronLayer<Dtype>::KeepInput(const vector<Blob<Dtype>*>& bottom,
                                   const vector<Blob<Dtype>*>& top) {
  if (top[0] == bottom[0]) kept_input_.CopyFrom(*bottom[0], false, true);
}

template <typename Dtype>
const Dtype* NeuronLayer<Dtype>::Input(const vector<Blob<Dtype>*>& bottom,
                                       const vector<Blob<Dtype>*>& top) const {
  return top[0] == bottom[0] ? kept_input_.cpu_data() : bottom[0]->cpu_data();
}

INSTANTIATE_CLASS(NeuronLayer);

}  // namespace caffe
