#ifndef CAFFE_SOFTMAX_LAYER_HPP_
#define CAFFE_SOFTMAX_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief The softmax along one axis: y_c = exp(x_c - m) / Σ_k exp(x_k - m), m = max_k x_k.
 *
 * Taking the maximum off first changes nothing but the range: no finite input
 * overflows. Bottom and top have the same shape; `axis` (default 1) counts
 * from the end when negative. Gradient: dx_c = (dy_c - Σ_k y_k dy_k) y_c.
 * May work in place.
 * @throws Error if the axis is out of range.
 */
template <typename Dtype>
class SoftmaxLayer : public Layer<Dtype> {
 public:
  explicit SoftmaxLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Softmax"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  int outer_num_;  ///< the elements before the axis
  int inner_num_;  ///< the elements after it
  int softmax_axis_;
  Blob<Dtype> scale_;  ///< outer × inner: Σ_k y_k dy_k
};

}  // namespace caffe

#endif  // CAFFE_SOFTMAX_LAYER_HPP_
