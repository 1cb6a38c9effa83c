#ifndef CAFFE_BASE_CONVOLUTION_LAYER_HPP_
#define CAFFE_BASE_CONVOLUTION_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/util/direct_conv.hpp"
#include "caffe/util/im2col.hpp"
#include "caffe/util/spatial.hpp"

namespace caffe {

/**
 * @brief What Convolution and Deconvolution share: sizes, parameters, and the
 * convolution of one image as matrix products.
 *
 * Both are described by one convolution with conv_in_channels_ inputs and
 * conv_out_channels_ outputs; for a Deconvolution (reverse_dimensions()) the
 * layer's top is that convolution's input. The names of the protected members
 * are Caffe's: layers that derive from this class there compile here.
 *
 * Parameters: blobs_[0], the weights, conv_out_channels_ ×
 * conv_in_channels_ / group × kernel axes; blobs_[1], unless bias_term is
 * false, num_output biases. All bottoms have one shape and use the same weights.
 *
 * @throws Error for num_output missing, channels or num_output not divisible
 * by group, what ReadConvWindows refuses, bottoms of different shapes, other
 * channels than the weights have, a top that is a bottom.
 */
template <typename Dtype>
class BaseConvolutionLayer : public Layer<Dtype> {
 public:
  explicit BaseConvolutionLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  int MinBottomBlobs() const override { return 1; }
  int MinTopBlobs() const override { return 1; }
  bool EqualNumBottomTopBlobs() const override { return true; }

 protected:
  /** @name The convolution of one image. */
  ///@{
  /**
   * @brief output = weights ∗ input, the biases left out.
   * @param skip_im2col the last call that unfolded an image unfolded this input
   */
  void forward_cpu_gemm(const Dtype* input, const Dtype* weights, Dtype* output,
                        bool skip_im2col = false);
  /** @brief Adds bias[c] to every element of channel c; `output` is an image of the top. */
  void forward_cpu_bias(Dtype* output, const Dtype* bias);
  /** @brief The gradient of the convolution's input from that of its output; overwrites `input`. */
  void backward_cpu_gemm(const Dtype* output, const Dtype* weights, Dtype* input);
  /** @brief Adds the gradient of the weights for this image to `weights`. */
  void weight_cpu_gemm(const Dtype* input, const Dtype* output, Dtype* weights);
  /** @brief Adds the sum of each channel of a top image's gradient to `bias`. */
  void backward_cpu_bias(Dtype* bias, const Dtype* input);
  ///@}

  /** @brief The bottom's size on axis i, counted from the channel axis. */
  int input_shape(int i) const { return (*bottom_shape_)[channel_axis_ + i]; }
  /** @brief Whether the layer runs the convolution backwards, as Deconvolution does. */
  virtual bool reverse_dimensions() = 0;
  /** @brief Sets output_shape_, the top's spatial axes, after the bottom's. */
  virtual void compute_output_shape() = 0;
  /** @brief The window of a spatial axis. */
  AxisWindow window(int i) const;

  Blob<int> kernel_shape_;  ///< one value for each spatial axis, as in stride_, pad_, dilation_
  Blob<int> stride_;
  Blob<int> pad_;
  Blob<int> dilation_;
  Blob<int> conv_input_shape_;  ///< the convolution's input: channels, spatial axes
  vector<int> col_buffer_shape_;
  vector<int> output_shape_;
  const vector<int>* bottom_shape_ = nullptr;

  int num_spatial_axes_ = 0;
  int bottom_dim_ = 0;  ///< elements of one image of the bottom
  int top_dim_ = 0;     ///< elements of one image of the top

  int channel_axis_ = 1;
  int num_ = 0;
  int channels_ = 0;  ///< of the bottom
  int group_ = 1;
  int out_spatial_dim_ = 0;  ///< elements of one channel of the top
  int weight_offset_ = 0;    ///< weights of one group
  int num_output_ = 0;
  bool bias_term_ = true;
  bool is_1x1_ = false;           ///< kernel 1, stride 1, no pad: an image is its own columns
  bool force_nd_im2col_ = false;  ///< read for compatibility: one routine serves any number of axes
  bool is_depthwise_ = false;     ///< a group for each channel: computed without columns

  int conv_in_channels_ = 0;
  int conv_out_channels_ = 0;
  int conv_out_spatial_dim_ = 0;  ///< elements of one channel of the convolution's output
  int kernel_dim_ = 0;            ///< weights of one output channel

 private:
  void ReadWindows();
  void ReadChannels(const vector<Blob<Dtype>*>& bottom);
  void MakeParams();
  void CheckBottoms(const vector<Blob<Dtype>*>& bottom) const;
  void ReshapeConvolution(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top);
  void ReshapeDirect();
  void conv_im2col_cpu(const Dtype* data, Dtype* col_buff) const;
  void conv_col2im_cpu(const Dtype* col_buff, Dtype* data) const;

  vector<int> top_shape_;
  Blob<Dtype> col_buffer_;
  Blob<Dtype> bias_multiplier_;  ///< ones
  DirectConv direct_;
};

}  // namespace caffe

#endif  // CAFFE_BASE_CONVOLUTION_LAYER_HPP_
