#include "caffe/layers/python_layer.hpp"

#include "caffe/layer.hpp"

namespace caffe {

template <typename Dtype>
typename PythonLayerFactory<Dtype>::Creator& PythonLayerFactory<Dtype>::creator_ref() {
  static Creator creator = nullptr;
  return creator;
}

template <typename Dtype>
shared_ptr<Layer<Dtype>> PythonLayerFactory<Dtype>::Create(const LayerParameter& param) {
  CHECK(creator_ref() != nullptr)
      << param.name() << " (Python): " << param.python_param().module() << "."
      << param.python_param().layer()
      << " runs in a Python interpreter; use `python -m caffe` with the same arguments";
  return creator_ref()(param);
}

template class PythonLayerFactory<float>;
template class PythonLayerFactory<double>;

template <typename Dtype>
shared_ptr<Layer<Dtype>> CreatePythonLayer(const LayerParameter& param) {
  return PythonLayerFactory<Dtype>::Create(param);
}
REGISTER_LAYER_CREATOR(Python, CreatePythonLayer);

}  // namespace caffe
