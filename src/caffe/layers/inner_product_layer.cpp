#include "caffe/layers/inner_product_layer.hpp"

#include "caffe/util/layer_params.hpp"
#include "caffe/util/spatial.hpp"

namespace caffe {

template <typename Dtype>
void InnerProductLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                          const vector<Blob<Dtype>*>& /*top*/) {
  const InnerProductParameter& param = this->layer_param_.inner_product_param();
  CHECK(param.num_output() > 0 && param.num_output() <= static_cast<unsigned>(INT_MAX))
      << "num_output is missing or out of range; got " << param.num_output();
  N_ = static_cast<int>(param.num_output());
  K_ = bottom[0]->count(bottom[0]->CanonicalAxisIndex(param.axis()));
  bias_term_ = param.bias_term();
  transpose_ = param.transpose();
  const vector<int> weight_shape = transpose_ ? vector<int>{K_, N_} : vector<int>{N_, K_};
  vector<ParamPlan> plans = {{"weights", weight_shape, param.weight_filler()}};
  if (bias_term_) plans.push_back({"biases", {N_}, param.bias_filler()});
  SetUpParams(plans, &this->blobs_);
  this->param_propagate_down_.resize(this->blobs_.size(), true);
}

template <typename Dtype>
void InnerProductLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                       const vector<Blob<Dtype>*>& top) {
  CheckNotInPlace(bottom, top);
  const int axis = bottom[0]->CanonicalAxisIndex(this->layer_param_.inner_product_param().axis());
  CHECK(bottom[0]->count(axis) == K_)
      << "bottom[0] has the shape " << bottom[0]->shape_string() << ", that is "
      << bottom[0]->count(axis) << " inputs from axis " << axis << " on, expected " << K_
      << " for weights of shape " << this->blobs_[0]->shape_string();
  M_ = bottom[0]->count(0, axis);
  top_shape_.assign(bottom[0]->shape().begin(), bottom[0]->shape().begin() + axis);
  top_shape_.push_back(N_);
  top[0]->Reshape(top_shape_);
  if (bias_term_ && bias_multiplier_.count() != M_) {
    bias_multiplier_.Reshape(vector<int>(1, M_));
    caffe_set(M_, Dtype(1), bias_multiplier_.mutable_cpu_data());
  }
}

template <typename Dtype>
void InnerProductLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                           const vector<Blob<Dtype>*>& top) {
  Dtype* output = top[0]->mutable_cpu_data();
  if (bias_term_) {
    const Dtype* bias = this->blobs_[1]->cpu_data();
    for (int m = 0; m < M_; ++m) caffe_copy(N_, bias, output + m * N_);
  }
  caffe_cpu_gemm<Dtype>(CblasNoTrans, transpose_ ? CblasNoTrans : CblasTrans, M_, N_, K_, 1,
                        bottom[0]->cpu_data(), this->blobs_[0]->cpu_data(), bias_term_ ? 1 : 0,
                        output);
}

template <typename Dtype>
void InnerProductLayer<Dtype>::BackwardParams(const Dtype* bottom_data, const Dtype* top_diff) {
  if (this->param_propagate_down_[0]) {
    Dtype* weight_diff = this->blobs_[0]->mutable_cpu_diff();
    if (transpose_) {
      caffe_cpu_gemm<Dtype>(CblasTrans, CblasNoTrans, K_, N_, M_, 1, bottom_data, top_diff, 1,
                            weight_diff);
    } else {
      caffe_cpu_gemm<Dtype>(CblasTrans, CblasNoTrans, N_, K_, M_, 1, top_diff, bottom_data, 1,
                            weight_diff);
    }
  }
  if (bias_term_ && this->param_propagate_down_[1]) {
    caffe_cpu_gemv<Dtype>(CblasTrans, M_, N_, 1, top_diff, bias_multiplier_.cpu_data(), 1,
                          this->blobs_[1]->mutable_cpu_diff());
  }
}

template <typename Dtype>
void InnerProductLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                            const vector<bool>& propagate_down,
                                            const vector<Blob<Dtype>*>& bottom) {
  const Dtype* top_diff = top[0]->cpu_diff();
  BackwardParams(bottom[0]->cpu_data(), top_diff);
  if (!propagate_down[0]) return;
  caffe_cpu_gemm<Dtype>(CblasNoTrans, transpose_ ? CblasTrans : CblasNoTrans, M_, K_, N_, 1,
                        top_diff, this->blobs_[0]->cpu_data(), 0, bottom[0]->mutable_cpu_diff());
}

INSTANTIATE_CLASS(InnerProductLayer);
REGISTER_LAYER_CLASS(InnerProduct);

}  // namespace caffe
