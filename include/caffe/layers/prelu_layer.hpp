#ifndef CAFFE_PRELU_LAYER_HPP_
#define CAFFE_PRELU_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/layers/neuron_layer.hpp"

namespace caffe {

/**
 * @brief y = max(x, 0) + a_c min(x, 0), with a learned slope a_c for each channel
 * (He et al. 2015, eq. 1).
 *
 * The channels are axis 1. blobs()[0] has the shape {channels}, or no axes with
 * `channel_shared`; its `filler` is the constant 0.25 by default. Gradients:
 * dx = dy for x > 0, else a_c dy; da_c = Σ dy min(x, 0) over the channel.
 * May work in place.
 * @throws Error if the bottom has fewer than two axes, or another number of
 * channels than there are slopes.
 */
template <typename Dtype>
class PReLULayer : public NeuronLayer<Dtype> {
 public:
  explicit PReLULayer(const LayerParameter& param) : NeuronLayer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "PReLU"; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  bool channel_shared_;

 private:
  /** @brief Adds Σ dy min(x, 0) of each channel (or of all) to the slopes' gradient. */
  void AddSlopeGradient(const Dtype* x, const Dtype* dy, const Blob<Dtype>& bottom);
};

}  // namespace caffe

#endif  // CAFFE_PRELU_LAYER_HPP_
