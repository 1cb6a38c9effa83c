#ifndef CAFFE_ELTWISE_LAYER_HPP_
#define CAFFE_ELTWISE_LAYER_HPP_

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief Joins two or more bottoms of one shape, element by element.
 *
 * - SUM: Σ_i coeff_i x_i; `coeff` is given for every bottom, or for none (1).
 *   Gradient: coeff_i times the top's.
 * - PROD: Π_i x_i. Gradient: the product of the other bottoms times the top's;
 *   with stable_prod_grad false (top / x_i) times the top's, faster and NaN where x_i is 0.
 * - MAX: the largest; its bottom alone gets the gradient. Of equal values the
 *   second bottom wins over the first, and both over later ones (as in Caffe).
 * @throws Error if the shapes differ, for coeff with PROD or MAX or of another
 * number, or if the top is one of the bottoms.
 */
template <typename Dtype>
class EltwiseLayer : public Layer<Dtype> {
 public:
  explicit EltwiseLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Eltwise"; }
  int MinBottomBlobs() const override { return 2; }
  int ExactNumTopBlobs() const override { return 1; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  EltwiseParameter_EltwiseOp op_ = EltwiseParameter_EltwiseOp_SUM;
  vector<Dtype> coeffs_;
  Blob<int> max_idx_;  ///< MAX: the bottom that won
  bool stable_prod_grad_ = true;

 private:
  void ForwardMax(const vector<Blob<Dtype>*>& bottom, Dtype* result);
  void BackwardProduct(const vector<Blob<Dtype>*>& bottom, int index, const Blob<Dtype>& top) const;
};

}  // namespace caffe

#endif  // CAFFE_ELTWISE_LAYER_HPP_
