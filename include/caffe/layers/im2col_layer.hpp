#ifndef CAFFE_IM2COL_LAYER_HPP_
#define CAFFE_IM2COL_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/util/im2col.hpp"

namespace caffe {

/**
 * @brief Unfolds images into the columns that turn a convolution into a matrix product.
 *
 * Bottom: N × C × spatial axes (at least one; `axis` names the channel axis).
 * Top: N × (C · Π kernel) × the convolution's output axes; see im2col_cpu for
 * the order. Fields are those of convolution_param that set the window: kernel_size,
 * stride, pad, dilation, axis, force_nd_im2col (without effect: one routine serves all).
 *
 * @throws Error for what ReadConvWindows refuses, no spatial axis, other
 * channels than at setup, a kernel larger than the padded input.
 */
template <typename Dtype>
class Im2colLayer : public Layer<Dtype> {
 public:
  explicit Im2colLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Im2col"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  Blob<int> kernel_shape_;  ///< one value for each spatial axis, as in stride_, pad_, dilation_
  Blob<int> stride_;
  Blob<int> pad_;
  Blob<int> dilation_;

  int num_spatial_axes_ = 0;
  int bottom_dim_ = 0;  ///< elements of one image of the bottom
  int top_dim_ = 0;     ///< elements of one image of the top
  int channel_axis_ = 1;
  int num_ = 0;
  int channels_ = 0;
  bool force_nd_im2col_ = false;

 private:
  vector<int> top_shape_;
};

}  // namespace caffe

#endif  // CAFFE_IM2COL_LAYER_HPP_
