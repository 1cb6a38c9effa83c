#include "caffe/layers/threshold_layer.hpp"

#include "caffe/util/elementwise.hpp"

namespace caffe {

template <typename Dtype>
void ThresholdLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                        const vector<Blob<Dtype>*>& top) {
  const Dtype threshold = this->layer_param_.threshold_param().threshold();
  MapElements(bottom[0]->count(), bottom[0]->cpu_data(), top[0]->mutable_cpu_data(),
              [threshold](Dtype x) { return x > threshold ? Dtype(1) : Dtype(0); });
}

template <typename Dtype>
void ThresholdLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& /*top*/,
                                         const vector<bool>& propagate_down,
                                         const vector<Blob<Dtype>*>& /*bottom*/) {
  CHECK(!propagate_down[0]) << "a threshold has no gradient";
}

INSTANTIATE_CLASS(ThresholdLayer);
REGISTER_LAYER_CLASS(Threshold);

}  // namespace caffe
