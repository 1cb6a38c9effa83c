#include "caffe/layers/bias_layer.hpp"

#include "caffe/util/parameters.hpp"

namespace caffe {

template <typename Dtype>
void BiasLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                  const vector<Blob<Dtype>*>& /*top*/) {
  if (bottom.size() > 1) return;
  const BiasParameter& param = this->layer_param_.bias_param();
  SetUpParameter("bias", 0, BroadcastShape(*bottom[0], param.axis(), param.num_axes()),
                 param.filler(), &this->blobs_);
  this->param_propagate_down_.resize(1, true);
}

template <typename Dtype>
void BiasLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                               const vector<Blob<Dtype>*>& top) {
  const Blob<Dtype>& bias = bottom.size() > 1 ? *bottom[1] : *this->blobs_[0];
  broadcast_ = BroadcastAt(*bottom[0], this->layer_param_.bias_param().axis(), bias);
  CHECK(bottom.size() == 1 || top[0] != bottom[1])
      << "the top may be the first bottom, but not the second";
  if (top[0] != bottom[0]) top[0]->ReshapeLike(*bottom[0]);
}

template <typename Dtype>
void BiasLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                   const vector<Blob<Dtype>*>& top) {
  const Dtype* b = bottom.size() > 1 ? bottom[1]->cpu_data() : this->blobs_[0]->cpu_data();
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  ForEachBroadcast(broadcast_, [=](int i, int d) { y[i] = x[i] + b[d]; });
}

template <typename Dtype>
void BiasLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                    const vector<bool>& propagate_down,
                                    const vector<Blob<Dtype>*>& bottom) {
  const bool learned = bottom.size() == 1;
  const Dtype* dy = top[0]->cpu_diff();
  if (learned ? this->param_propagate_down_[0] : propagate_down[1]) {
    Blob<Dtype>* bias = learned ? this->blobs_[0].get() : bottom[1];
    SumBroadcast(broadcast_, learned, bias->mutable_cpu_diff(), [=](int i) { return dy[i]; });
  }
  if (propagate_down[0]) caffe_copy(top[0]->count(), dy, bottom[0]->mutable_cpu_diff());
}

INSTANTIATE_CLASS(BiasLayer);
REGISTER_LAYER_CLASS(Bias);

}  // namespace caffe
