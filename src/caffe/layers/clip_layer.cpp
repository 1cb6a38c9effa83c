#include "caffe/layers/clip_layer.hpp"

#include <algorithm>

#include "caffe/util/elementwise.hpp"

namespace caffe {

template <typename Dtype>
void ClipLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& /*bottom*/,
                                  const vector<Blob<Dtype>*>& /*top*/) {
  const ClipParameter& param = this->layer_param_.clip_param();
  CHECK(param.min() <= param.max())
      << "clip_param needs min <= max, got min " << param.min() << " and max " << param.max();
}

template <typename Dtype>
void ClipLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                   const vector<Blob<Dtype>*>& top) {
  const Dtype low = this->layer_param_.clip_param().min();
  const Dtype high = this->layer_param_.clip_param().max();
  this->KeepInput(bottom, top);
  // In this order NaN stays NaN.
  MapElements(bottom[0]->count(), bottom[0]->cpu_data(), top[0]->mutable_cpu_data(),
              [low, high](Dtype x) { return std::min(std::max(x, low), high); });
}

template <typename Dtype>
void ClipLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                    const vector<bool>& propagate_down,
                                    const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const Dtype low = this->layer_param_.clip_param().min();
  const Dtype high = this->layer_param_.clip_param().max();
  MapElements(bottom[0]->count(), this->Input(bottom, top), top[0]->cpu_diff(),
              bottom[0]->mutable_cpu_diff(),
              [low, high](Dtype x, Dtype dy) { return low <= x && x <= high ? dy : Dtype(0); });
}

INSTANTIATE_CLASS(ClipLayer);
REGISTER_LAYER_CLASS(Clip);

}  // namespace caffe
