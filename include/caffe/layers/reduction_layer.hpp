#ifndef CAFFE_REDUCTION_LAYER_HPP_
#define CAFFE_REDUCTION_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief Reduces the axes from `axis` (default 0) on to one number, times `coeff`.
 *
 * `operation` is SUM Σ x (the default), ASUM Σ |x|, SUMSQ Σ x², or MEAN
 * Σ x / m, m the number of values. The top has the axes before `axis`: none,
 * by default. Gradients, with g = coeff · dy: SUM g, ASUM sign(x) g, SUMSQ
 * 2 x g, MEAN g / m. Not in place.
 * @throws Error for an axis out of range, and for the mean of no values.
 */
template <typename Dtype>
class ReductionLayer : public Layer<Dtype> {
 public:
  explicit ReductionLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Reduction"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  ReductionParameter_ReductionOp op_;
  Dtype coeff_;  ///< with MEAN, divided by dim_
  int num_;      ///< the numbers that come out
  int dim_;      ///< the values that each of them comes from
};

}  // namespace caffe

#endif  // CAFFE_REDUCTION_LAYER_HPP_
