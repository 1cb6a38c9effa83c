#include "caffe/layers/exp_layer.hpp"

#include "caffe/util/elementwise.hpp"

namespace caffe {

template <typename Dtype>
void ExpLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                                 const vector<Blob<Dtype>*>& /*top*/) {
  const ExpParameter& param = this->layer_param_.exp_param();
  const double base = param.base();
  CHECK(base == -1 || base > 0) << "base must be positive, or -1 for e; got " << base;
  const double log_base = base == -1 ? 1 : std::log(base);
  inner_scale_ = static_cast<Dtype>(log_base * param.scale());
  inner_shift_ = static_cast<Dtype>(log_base * param.shift());
}

template <typename Dtype>
void ExpLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                  const vector<Blob<Dtype>*>& top) {
  const Dtype scale = inner_scale_, shift = inner_shift_;
  MapElements(bottom[0]->count(), bottom[0]->cpu_data(), top[0]->mutable_cpu_data(),
              [scale, shift](Dtype x) { return std::exp(shift + scale * x); });
}

template <typename Dtype>
void ExpLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                   const vector<bool>& propagate_down,
                                   const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const Dtype scale = inner_scale_;
  MapElements(top[0]->count(), top[0]->cpu_data(), top[0]->cpu_diff(),
              bottom[0]->mutable_cpu_diff(), [scale](Dtype y, Dtype dy) { return scale * y * dy; });
}

INSTANTIATE_CLASS(ExpLayer);
REGISTER_LAYER_CLASS(Exp);

}  // namespace caffe
