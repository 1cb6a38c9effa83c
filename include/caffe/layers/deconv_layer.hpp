#ifndef CAFFE_DECONV_LAYER_HPP_
#define CAFFE_DECONV_LAYER_HPP_

#include <vector>

#include "caffe/layers/base_conv_layer.hpp"

namespace caffe {

/**
 * @brief The transpose of a convolution (its gradient with respect to the
 * input), with learned kernels and a bias.
 *
 * Each bottom element adds its kernel, scaled, to the top:
 *
 *   top[n, o, x] = bias[o] + Σ_{c in g(o)} Σ_{y, t: y·s − p + t·d = x} weights[c, o, t] · bottom[n,
 * c, y]
 *
 * Top: N × num_output × s(in − 1) + d(k − 1) + 1 − 2p on each axis. Fields are
 * those of ConvolutionLayer; mind that the weights' first axis is the bottom's
 * channels: C × num_output / group × kernel axes.
 *
 * @throws Error beside what BaseConvolutionLayer refuses: pads that leave no output.
 */
template <typename Dtype>
class DeconvolutionLayer : public BaseConvolutionLayer<Dtype> {
 public:
  explicit DeconvolutionLayer(const LayerParameter& param) : BaseConvolutionLayer<Dtype>(param) {}

  const char* type() const override { return "Deconvolution"; }
  bool BackwardReadsBottoms() const override { return this->param_propagate_down(0); }
  bool BackwardReadsTops() const override { return false; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;
  bool reverse_dimensions() override { return true; }
  void compute_output_shape() override;
};

}  // namespace caffe

#endif  // CAFFE_DECONV_LAYER_HPP_
