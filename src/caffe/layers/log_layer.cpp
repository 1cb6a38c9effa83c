#include "caffe/layers/log_layer.hpp"

#include "caffe/util/elementwise.hpp"

namespace caffe {

template <typename Dtype>
void LogLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                                 const vector<Blob<Dtype>*>& /*top*/) {
  const double base = this->layer_param_.log_param().base();
  CHECK(base == -1 || (base > 0 && base != 1))
      << "base must be positive and not 1, or -1 for e; got " << base;
  base_scale_ = static_cast<Dtype>(base == -1 ? 1 : 1 / std::log(base));
}

template <typename Dtype>
void LogLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                  const vector<Blob<Dtype>*>& top) {
  const LogParameter& param = this->layer_param_.log_param();
  const Dtype scale = param.scale(), shift = param.shift(), base_scale = base_scale_;
  this->KeepInput(bottom, top);
  MapElements(bottom[0]->count(), bottom[0]->cpu_data(), top[0]->mutable_cpu_data(),
              [=](Dtype x) { return base_scale * std::log(shift + scale * x); });
}

template <typename Dtype>
void LogLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                   const vector<bool>& propagate_down,
                                   const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const LogParameter& param = this->layer_param_.log_param();
  const Dtype scale = param.scale(), shift = param.shift(), factor = base_scale_ * scale;
  MapElements(bottom[0]->count(), this->Input(bottom, top), top[0]->cpu_diff(),
              bottom[0]->mutable_cpu_diff(),
              [=](Dtype x, Dtype dy) { return factor / (shift + scale * x) * dy; });
}

INSTANTIATE_CLASS(LogLayer);
REGISTER_LAYER_CLASS(Log);

}  // namespace caffe
