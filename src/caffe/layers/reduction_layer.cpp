#include "caffe/layers/reduction_layer.hpp"

namespace caffe {

template <typename Dtype>
void ReductionLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                    const vector<Blob<Dtype>*>& top) {
  CHECK(top[0] != bottom[0]) << "cannot work in place: the top has another shape";
  const ReductionParameter& param = this->layer_param_.reduction_param();
  op_ = param.operation();
  const int axis = bottom[0]->CanonicalAxisIndex(param.axis());
  const vector<int>& shape = bottom[0]->shape();
  top[0]->Reshape(vector<int>(shape.begin(), shape.begin() + axis));
  num_ = bottom[0]->count(0, axis);
  dim_ = bottom[0]->count(axis);
  coeff_ = param.coeff();
  if (op_ != ReductionParameter_ReductionOp_MEAN) return;
  CHECK(dim_ > 0 || num_ == 0) << "the mean of no values: the bottom has the shape "
                               << bottom[0]->shape_string();
  if (dim_ > 0) coeff_ /= static_cast<Dtype>(dim_);
}

namespace {

double Term(ReductionParameter_ReductionOp op, double x) {
  switch (op) {
    case ReductionParameter_ReductionOp_ASUM:
      return std::fabs(x);
    case ReductionParameter_ReductionOp_SUMSQ:
      return x * x;
    default:
      return x;
  }
}

template <typename Dtype>
Dtype TermGradient(ReductionParameter_ReductionOp op, Dtype x) {
  switch (op) {
    case ReductionParameter_ReductionOp_ASUM:
      return caffe_sign(x);
    case ReductionParameter_ReductionOp_SUMSQ:
      return 2 * x;
    default:
      return 1;
  }
}

}  // namespace

template <typename Dtype>
void ReductionLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                        const vector<Blob<Dtype>*>& top) {
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  for (int n = 0; n < num_; ++n) {
    double sum = 0;
    for (int i = n * dim_; i < (n + 1) * dim_; ++i) sum += Term(op_, x[i]);
    y[n] = static_cast<Dtype>(sum * coeff_);
  }
}

template <typename Dtype>
void ReductionLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                         const vector<bool>& propagate_down,
                                         const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const Dtype* x = bottom[0]->cpu_data();
  const Dtype* dy = top[0]->cpu_diff();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  for (int n = 0; n < num_; ++n) {
    const Dtype factor = coeff_ * dy[n];
    for (int i = n * dim_; i < (n + 1) * dim_; ++i) dx[i] = factor * TermGradient(op_, x[i]);
  }
}

INSTANTIATE_CLASS(ReductionLayer);
REGISTER_LAYER_CLASS(Reduction);

}  // namespace caffe
