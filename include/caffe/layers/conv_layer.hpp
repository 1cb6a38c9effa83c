#ifndef CAFFE_CONV_LAYER_HPP_
#define CAFFE_CONV_LAYER_HPP_

#include <vector>

#include "caffe/layers/base_conv_layer.hpp"

namespace caffe {

/**
 * @brief Cross-correlates images with learned kernels, and adds a bias.
 *
 * With g(o) the group of output o, stride s, pad p and dilation d on each spatial axis,
 *
 *   top[n, o, y] = bias[o] + Σ_{c in g(o)} Σ_t weights[o, c, t] · bottom[n, c, y·s − p + t·d]
 *
 * where inputs outside the image are zero. Bottom: N × C × spatial axes (any
 * number; `axis` names the channel axis, axes before it are the batch). Top: N
 * × num_output × ⌊(in + 2p − d(k − 1) − 1) / s⌋ + 1 on each axis.
 *
 * Fields of convolution_param: num_output, bias_term, kernel_size, stride,
 * pad, dilation (or kernel_h, kernel_w, …), group, axis, force_nd_im2col,
 * weight_filler, bias_filler; `engine: CAFFE` asks for this implementation
 * where a build has a faster one.
 *
 * An image is unfolded into columns (im2col) and multiplied with the weights;
 * a 1×1 kernel with stride 1 needs no columns, and a group for each channel
 * (depthwise) is computed directly.
 *
 * @throws Error beside what BaseConvolutionLayer refuses: a kernel larger than the padded input.
 */
template <typename Dtype>
class ConvolutionLayer : public BaseConvolutionLayer<Dtype> {
 public:
  explicit ConvolutionLayer(const LayerParameter& param) : BaseConvolutionLayer<Dtype>(param) {}

  const char* type() const override { return "Convolution"; }
  bool BackwardReadsBottoms() const override { return this->param_propagate_down(0); }
  bool BackwardReadsTops() const override { return false; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;
  bool reverse_dimensions() override { return false; }
  void compute_output_shape() override;
};

}  // namespace caffe

#endif  // CAFFE_CONV_LAYER_HPP_
