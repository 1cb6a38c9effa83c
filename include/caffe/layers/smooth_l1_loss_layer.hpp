#ifndef CAFFE_SMOOTH_L1_LOSS_LAYER_HPP_
#define CAFFE_SMOOTH_L1_LOSS_LAYER_HPP_

#include <vector>

#include "caffe/layers/loss_layer.hpp"

namespace caffe {

/**
 * @brief Smooth L1 loss (Girshick, "Fast R-CNN", ICCV 2015, eq. 2 and 3), for box regression.
 *
 * bottom[0], bottom[1]: predictions a and targets b; optional bottom[2] and
 * bottom[3]: inside weights u and outside weights w (1 where absent), each
 * shaped as a. With d = u (a − b) and N the length of the first axis,
 * top[0] = 1/N Σ w s(d), s(d) = d²/2 where |d| < 1, else |d| − 1/2.
 * Gradient for a: w u clip(d, −1, 1) / N, its negative for b; none for weights.
 * @throws Error if the shapes differ, or for a request for a gradient of weights.
 */
template <typename Dtype>
class SmoothL1LossLayer : public LossLayer<Dtype> {
 public:
  explicit SmoothL1LossLayer(const LayerParameter& param) : LossLayer<Dtype>(param) {}
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "SmoothL1Loss"; }
  int ExactNumBottomBlobs() const override { return -1; }
  int MinBottomBlobs() const override { return 2; }
  int MaxBottomBlobs() const override { return 4; }
  bool AllowForceBackward(const int bottom_index) const override { return bottom_index < 2; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  Blob<Dtype> diff_;  ///< u (a − b) of the last Forward
};

}  // namespace caffe

#endif  // CAFFE_SMOOTH_L1_LOSS_LAYER_HPP_
