#include "caffe/layers/embed_layer.hpp"

#include "caffe/util/labels.hpp"
#include "caffe/util/layer_params.hpp"
#include "caffe/util/spatial.hpp"

namespace caffe {

template <typename Dtype>
void EmbedLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                                   const vector<Blob<Dtype>*>& /*top*/) {
  const EmbedParameter& param = this->layer_param_.embed_param();
  const unsigned most = static_cast<unsigned>(INT_MAX);
  CHECK(param.num_output() > 0 && param.num_output() <= most)
      << "num_output is missing or out of range; got " << param.num_output();
  CHECK(param.input_dim() > 0 && param.input_dim() <= most)
      << "input_dim is missing or out of range; got " << param.input_dim();
  N_ = static_cast<int>(param.num_output());
  K_ = static_cast<int>(param.input_dim());
  bias_term_ = param.bias_term();
  vector<ParamPlan> plans = {{"weights", {K_, N_}, param.weight_filler()}};
  if (bias_term_) plans.push_back({"biases", {N_}, param.bias_filler()});
  SetUpParams(plans, &this->blobs_);
  this->param_propagate_down_.resize(this->blobs_.size(), true);
}

template <typename Dtype>
void EmbedLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                const vector<Blob<Dtype>*>& top) {
  CheckNotInPlace(bottom, top);
  M_ = bottom[0]->count();
  top_shape_ = bottom[0]->shape();
  top_shape_.push_back(N_);
  top[0]->Reshape(top_shape_);
}

template <typename Dtype>
void EmbedLayer<Dtype>::ReadIndices(const Blob<Dtype>& bottom) {
  const Dtype* values = bottom.cpu_data();
  indices_.resize(M_);
  for (int i = 0; i < M_; ++i) {
    CHECK(values[i] == std::floor(values[i]) && values[i] >= 0 &&
          values[i] < static_cast<Dtype>(K_))
        << "bottom[0] has the index " << values[i] << " at " << i << ", expected an integer from 0 "
        << "to " << K_ - 1;
    indices_[i] = static_cast<int>(values[i]);
  }
}

template <typename Dtype>
void EmbedLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                    const vector<Blob<Dtype>*>& top) {
  ReadIndices(*bottom[0]);
  const Dtype* weights = this->blobs_[0]->cpu_data();
  Dtype* output = top[0]->mutable_cpu_data();
  for (int i = 0; i < M_; ++i) {
    Dtype* row = output + i * N_;
    caffe_copy(N_, weights + indices_[i] * N_, row);
    if (bias_term_) caffe_add(N_, row, this->blobs_[1]->cpu_data(), row);
  }
}

template <typename Dtype>
void EmbedLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                     const vector<bool>& propagate_down,
                                     const vector<Blob<Dtype>*>& /*bottom*/) {
  CheckNoGradient(this->layer_param_, propagate_down, 0, "indices");
  const Dtype* top_diff = top[0]->cpu_diff();
  if (this->param_propagate_down_[0]) {
    Dtype* weight_diff = this->blobs_[0]->mutable_cpu_diff();
    for (int i = 0; i < M_; ++i) {
      caffe_axpy(N_, Dtype(1), top_diff + i * N_, weight_diff + indices_[i] * N_);
    }
  }
  if (bias_term_ && this->param_propagate_down_[1]) {
    Dtype* bias_diff = this->blobs_[1]->mutable_cpu_diff();
    for (int i = 0; i < M_; ++i) caffe_axpy(N_, Dtype(1), top_diff + i * N_, bias_diff);
  }
}

INSTANTIATE_CLASS(EmbedLayer);
REGISTER_LAYER_CLASS(Embed);

}  // namespace caffe
