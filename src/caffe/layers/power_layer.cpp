#include "caffe/layers/power_layer.hpp"

#include "caffe/util/elementwise.hpp"

namespace caffe {

template <typename Dtype>
void PowerLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                    const vector<Blob<Dtype>*>& top) {
  const PowerParameter& param = this->layer_param_.power_param();
  const Dtype power = param.power(), scale = param.scale(), shift = param.shift();
  Dtype* y = top[0]->mutable_cpu_data();
  if (power == 1) {
    MapElements(bottom[0]->count(), bottom[0]->cpu_data(), y,
                [scale, shift](Dtype x) { return shift + scale * x; });
    return;
  }
  this->KeepInput(bottom, top);
  MapElements(bottom[0]->count(), bottom[0]->cpu_data(), y,
              [=](Dtype x) { return std::pow(shift + scale * x, power); });
}

template <typename Dtype>
void PowerLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                     const vector<bool>& propagate_down,
                                     const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const PowerParameter& param = this->layer_param_.power_param();
  const Dtype power = param.power(), scale = param.scale(), shift = param.shift();
  const Dtype factor = power * scale;
  const int count = bottom[0]->count();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  if (factor == 0) {  // also where the power of zero below would be infinite
    caffe_set(count, Dtype(0), dx);
  } else if (power == 1) {
    caffe_cpu_scale(count, scale, top[0]->cpu_diff(), dx);
  } else {
    MapElements(count, this->Input(bottom, top), top[0]->cpu_diff(), dx, [=](Dtype x, Dtype dy) {
      return factor * std::pow(shift + scale * x, power - 1) * dy;
    });
  }
}

INSTANTIATE_CLASS(PowerLayer);
REGISTER_LAYER_CLASS(Power);

}  // namespace caffe
