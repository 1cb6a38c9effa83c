#ifndef CAFFE_EUCLIDEAN_LOSS_LAYER_HPP_
#define CAFFE_EUCLIDEAN_LOSS_LAYER_HPP_

#include <vector>

#include "caffe/layers/loss_layer.hpp"

namespace caffe {

/**
 * @brief top[0] = 1/(2N) Σ (a − b)², over all elements; N is the length of the first axis.
 *
 * Gradient: (a − b)/N for bottom[0], (b − a)/N for bottom[1], where asked for.
 * @throws Error if the bottoms differ in N, or in the number of elements of one sample.
 */
template <typename Dtype>
class EuclideanLossLayer : public LossLayer<Dtype> {
 public:
  explicit EuclideanLossLayer(const LayerParameter& param) : LossLayer<Dtype>(param) {}
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "EuclideanLoss"; }
  bool AllowForceBackward(const int /*bottom_index*/) const override { return true; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  Blob<Dtype> diff_;  ///< a − b of the last Forward
};

}  // namespace caffe

#endif  // CAFFE_EUCLIDEAN_LOSS_LAYER_HPP_
