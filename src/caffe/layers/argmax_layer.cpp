#include "caffe/layers/argmax_layer.hpp"

#include <algorithm>

namespace caffe {

template <typename Dtype>
void ArgMaxLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                 const vector<Blob<Dtype>*>& top) {
  CHECK(top[0] != bottom[0]) << "cannot work in place: the top has another shape";
  const ArgMaxParameter& param = this->layer_param_.argmax_param();
  const int axis = param.has_axis() ? bottom[0]->CanonicalAxisIndex(param.axis()) : 0;
  outer_ = param.has_axis() ? bottom[0]->count(0, axis) : bottom[0]->shape(0);
  dim_ = param.has_axis() ? bottom[0]->shape(axis) : bottom[0]->count(1);
  inner_ = param.has_axis() ? bottom[0]->count(axis + 1) : 1;
  CHECK(param.top_k() >= 1 && param.top_k() <= static_cast<unsigned>(dim_))
      << "top_k is " << param.top_k() << ", expected 1 to " << dim_ << " for a bottom of shape "
      << bottom[0]->shape_string();
  top_k_ = static_cast<int>(param.top_k());
  vector<int> shape = bottom[0]->shape();
  if (param.has_axis()) {
    shape[axis] = top_k_;
  } else {
    shape.assign(std::max<size_t>(3, shape.size()), 1);
    shape[0] = outer_;
    shape[1] = param.out_max_val() ? 2 : 1;
    shape[2] = top_k_;
  }
  top[0]->Reshape(shape);
  sorted_.resize(dim_);
}

template <typename Dtype>
void ArgMaxLayer<Dtype>::Sort(const Dtype* x) {
  for (int i = 0; i < dim_; ++i) sorted_[i] = std::make_pair(x[i * inner_], i);
  std::partial_sort(sorted_.begin(), sorted_.begin() + top_k_, sorted_.end(),
                    [](const std::pair<Dtype, int>& a, const std::pair<Dtype, int>& b) {
                      const bool a_is_nan = std::isnan(a.first), b_is_nan = std::isnan(b.first);
                      if (a_is_nan || b_is_nan)
                        return !a_is_nan || (b_is_nan && a.second > b.second);
                      return a > b;
                    });
}

template <typename Dtype>
void ArgMaxLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                     const vector<Blob<Dtype>*>& top) {
  const ArgMaxParameter& param = this->layer_param_.argmax_param();
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  for (int o = 0; o < outer_; ++o) {
    for (int i = 0; i < inner_; ++i) {
      Sort(x + o * dim_ * inner_ + i);
      for (int k = 0; k < top_k_; ++k) {
        const Dtype value = sorted_[k].first, index = static_cast<Dtype>(sorted_[k].second);
        if (param.has_axis()) {
          y[(o * top_k_ + k) * inner_ + i] = param.out_max_val() ? value : index;
        } else if (param.out_max_val()) {
          y[2 * o * top_k_ + k] = index;
          y[(2 * o + 1) * top_k_ + k] = value;
        } else {
          y[o * top_k_ + k] = index;
        }
      }
    }
  }
}

template <typename Dtype>
void ArgMaxLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& /*top*/,
                                      const vector<bool>& propagate_down,
                                      const vector<Blob<Dtype>*>& /*bottom*/) {
  CHECK(!propagate_down[0]) << "indices have no gradient";
}

INSTANTIATE_CLASS(ArgMaxLayer);
REGISTER_LAYER_CLASS(ArgMax);

}  // namespace caffe
