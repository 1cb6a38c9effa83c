#ifndef CAFFE_HINGE_LOSS_LAYER_HPP_
#define CAFFE_HINGE_LOSS_LAYER_HPP_

#include <vector>

#include "caffe/layers/loss_layer.hpp"

namespace caffe {

/**
 * @brief One-against-all hinge loss.
 *
 * bottom[0]: scores x, N × classes (further axes flattened); bottom[1]: N
 * integral labels y. With s = 1 for the label's class and −1 for the others,
 * and the margin's violation v = max(0, 1 − s x),
 * top[0] = 1/N Σ v (hinge_loss_param.norm L1) or 1/N Σ v² (L2).
 * Gradient: −s/N where v > 0 (L1), −2 s v/N (L2); none for labels.
 * @throws Error for another number of labels, a label that is no integer or no
 * class, or a request for the labels' gradient.
 */
template <typename Dtype>
class HingeLossLayer : public LossLayer<Dtype> {
 public:
  explicit HingeLossLayer(const LayerParameter& param) : LossLayer<Dtype>(param) {}
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "HingeLoss"; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

 private:
  Blob<Dtype> violation_;  ///< v of the last Forward
};

}  // namespace caffe

#endif  // CAFFE_HINGE_LOSS_LAYER_HPP_
