#include "caffe/layers/eltwise_layer.hpp"

#include <vector>

namespace caffe {

template <typename Dtype>
void EltwiseLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                     const vector<Blob<Dtype>*>& /*top*/) {
  const EltwiseParameter& param = this->layer_param_.eltwise_param();
  op_ = param.operation();
  stable_prod_grad_ = param.stable_prod_grad();
  const int num_coeff = param.coeff_size();
  CHECK(num_coeff == 0 || op_ == EltwiseParameter_EltwiseOp_SUM)
      << "coeff is for the operation SUM, not " << EltwiseParameter_EltwiseOp_Name(op_);
  CHECK(num_coeff == 0 || num_coeff == static_cast<int>(bottom.size()))
      << "coeff must be given for every bottom or for none: " << num_coeff << " for "
      << bottom.size() << " bottoms";
  coeffs_.assign(bottom.size(), Dtype(1));
  for (int i = 0; i < num_coeff; ++i) coeffs_[i] = param.coeff(i);
}

template <typename Dtype>
void EltwiseLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                  const vector<Blob<Dtype>*>& top) {
  for (size_t i = 0; i < bottom.size(); ++i) {
    CHECK(bottom[i] != top[0]) << "cannot work in place, but the top is bottom[" << i << "]";
    CHECK(bottom[i]->shape() == bottom[0]->shape())
        << "bottom[" << i << "] has the shape " << bottom[i]->shape_string()
        << ", expected that of bottom[0], " << bottom[0]->shape_string();
  }
  top[0]->ReshapeLike(*bottom[0]);
  if (op_ == EltwiseParameter_EltwiseOp_MAX) max_idx_.Reshape(bottom[0]->shape());
}

template <typename Dtype>
void EltwiseLayer<Dtype>::ForwardMax(const vector<Blob<Dtype>*>& bottom, Dtype* result) {
  const int count = bottom[0]->count();
  int* winner = max_idx_.mutable_cpu_data();
  const Dtype* first = bottom[0]->cpu_data();
  const Dtype* second = bottom[1]->cpu_data();
  for (int j = 0; j < count; ++j) {
    winner[j] = first[j] > second[j] ? 0 : 1;
    result[j] = first[j] > second[j] ? first[j] : second[j];
  }
  for (size_t i = 2; i < bottom.size(); ++i) {
    const Dtype* x = bottom[i]->cpu_data();
    for (int j = 0; j < count; ++j) {
      if (x[j] > result[j]) {
        result[j] = x[j];
        winner[j] = static_cast<int>(i);
      }
    }
  }
}

template <typename Dtype>
void EltwiseLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                      const vector<Blob<Dtype>*>& top) {
  const int count = top[0]->count();
  Dtype* result = top[0]->mutable_cpu_data();
  switch (op_) {
    case EltwiseParameter_EltwiseOp_SUM:
      caffe_cpu_scale(count, coeffs_[0], bottom[0]->cpu_data(), result);
      for (size_t i = 1; i < bottom.size(); ++i) {
        caffe_axpy(count, coeffs_[i], bottom[i]->cpu_data(), result);
      }
      break;
    case EltwiseParameter_EltwiseOp_PROD:
      caffe_mul(count, bottom[0]->cpu_data(), bottom[1]->cpu_data(), result);
      for (size_t i = 2; i < bottom.size(); ++i) {
        caffe_mul(count, result, bottom[i]->cpu_data(), result);
      }
      break;
    case EltwiseParameter_EltwiseOp_MAX:
      ForwardMax(bottom, result);
      break;
  }
}

template <typename Dtype>
void EltwiseLayer<Dtype>::BackwardProduct(const vector<Blob<Dtype>*>& bottom, int index,
                                          const Blob<Dtype>& top) const {
  const int count = top.count();
  Dtype* gradient = bottom[index]->mutable_cpu_diff();
  if (!stable_prod_grad_) {
    caffe_div(count, top.cpu_data(), bottom[index]->cpu_data(), gradient);
    caffe_mul(count, gradient, top.cpu_diff(), gradient);
    return;
  }
  caffe_copy(count, top.cpu_diff(), gradient);
  for (int i = 0; i < static_cast<int>(bottom.size()); ++i) {
    if (i != index) caffe_mul(count, gradient, bottom[i]->cpu_data(), gradient);
  }
}

template <typename Dtype>
void EltwiseLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                       const vector<bool>& propagate_down,
                                       const vector<Blob<Dtype>*>& bottom) {
  const int count = top[0]->count();
  const Dtype* top_diff = top[0]->cpu_diff();
  for (int i = 0; i < static_cast<int>(bottom.size()); ++i) {
    if (!propagate_down[i]) continue;
    Dtype* gradient = bottom[i]->mutable_cpu_diff();
    switch (op_) {
      case EltwiseParameter_EltwiseOp_SUM:
        caffe_cpu_scale(count, coeffs_[i], top_diff, gradient);
        break;
      case EltwiseParameter_EltwiseOp_PROD:
        BackwardProduct(bottom, i, *top[0]);
        break;
      case EltwiseParameter_EltwiseOp_MAX: {
        const int* winner = max_idx_.cpu_data();
        for (int j = 0; j < count; ++j) gradient[j] = winner[j] == i ? top_diff[j] : Dtype(0);
        break;
      }
    }
  }
}

INSTANTIATE_CLASS(EltwiseLayer);
REGISTER_LAYER_CLASS(Eltwise);

}  // namespace caffe
