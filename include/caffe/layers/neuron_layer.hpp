#ifndef CAFFE_NEURON_LAYER_HPP_
#define CAFFE_NEURON_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief The base of layers that map one bottom to one top of the same shape,
 * element by element (or nearly so).
 *
 * Such a layer may work in place (top[0] is bottom[0]). One whose gradient
 * needs the values that it overwrites calls KeepInput before it writes, and
 * reads Input in Backward.
 */
template <typename Dtype>
class NeuronLayer : public Layer<Dtype> {
 public:
  explicit NeuronLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  /** @brief Gives the top the bottom's shape. */
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

 protected:
  /** @brief In Forward, before it writes the top: copies the bottom if it works in place. */
  void KeepInput(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top);
  /** @brief In Backward: the values that Forward read from the bottom. */
  const Dtype* Input(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) const;

 private:
  Blob<Dtype> kept_input_;
};

}  // namespace caffe

#endif  // CAFFE_NEURON_LAYER_HPP_
