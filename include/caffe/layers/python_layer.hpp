#ifndef CAFFE_PYTHON_LAYER_HPP_
#define CAFFE_PYTHON_LAYER_HPP_

#include "caffe/layer_factory.hpp"

namespace caffe {

/**
 * @brief Who makes the layers of type Python.
 *
 * The type is known everywhere, so that a net that has one can be read,
 * listed and drawn; running one needs an interpreter. The extension module of
 * pycaffe calls Set when it is imported. Until then, and in the caffe command,
 * Create throws an Error that says how to run such a net (`python -m caffe`).
 */
template <typename Dtype>
class PythonLayerFactory {
 public:
  typedef typename LayerRegistry<Dtype>::Creator Creator;
  static void Set(Creator creator) { creator_ref() = creator; }
  static shared_ptr<Layer<Dtype>> Create(const LayerParameter& param);

 private:
  static Creator& creator_ref();
};

}  // namespace caffe

#endif  // CAFFE_PYTHON_LAYER_HPP_
