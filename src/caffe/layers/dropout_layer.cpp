#include "caffe/layers/dropout_layer.hpp"

#include "caffe/util/elementwise.hpp"

namespace caffe {

template <typename Dtype>
void DropoutLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                                     const vector<Blob<Dtype>*>& /*top*/) {
  threshold_ = this->layer_param_.dropout_param().dropout_ratio();
  CHECK(threshold_ >= 0 && threshold_ < 1)
      << "dropout_ratio must lie in [0, 1), got " << threshold_;
  scale_ = 1 / (1 - threshold_);
}

template <typename Dtype>
void DropoutLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                  const vector<Blob<Dtype>*>& top) {
  NeuronLayer<Dtype>::Reshape(bottom, top);
  rand_vec_.Reshape(bottom[0]->shape());
}

template <typename Dtype>
void DropoutLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                      const vector<Blob<Dtype>*>& top) {
  const int count = bottom[0]->count();
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  if (this->phase_ != TRAIN) {
    caffe_copy(count, x, y);
    return;
  }
  unsigned int* keep = rand_vec_.mutable_cpu_data();
  caffe_rng_bernoulli(count, 1 - threshold_, keep);
  for (int i = 0; i < count; ++i) y[i] = keep[i] != 0 ? x[i] * scale_ : Dtype(0);
}

template <typename Dtype>
void DropoutLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                       const vector<bool>& propagate_down,
                                       const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const int count = top[0]->count();
  const Dtype* dy = top[0]->cpu_diff();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  if (this->phase_ != TRAIN) {
    caffe_copy(count, dy, dx);
    return;
  }
  const unsigned int* keep = rand_vec_.cpu_data();
  for (int i = 0; i < count; ++i) dx[i] = keep[i] != 0 ? dy[i] * scale_ : Dtype(0);
}

INSTANTIATE_CLASS(DropoutLayer);
REGISTER_LAYER_CLASS(Dropout);

}  // namespace caffe
