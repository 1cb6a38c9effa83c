// A plugin whose one layer has a type that is taken: loading it must fail.
#include "caffe/layer.hpp"
#include "caffe/layer_factory.hpp"

namespace caffe {

template <typename Dtype>
shared_ptr<Layer<Dtype>> MakeNothing(const LayerParameter&) {
  return shared_ptr<Layer<Dtype>>();
}

REGISTER_LAYER_CREATOR(ReLU, MakeNothing);

}  // namespace caffe
