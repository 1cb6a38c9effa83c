#ifndef CAFFE_INNER_PRODUCT_LAYER_HPP_
#define CAFFE_INNER_PRODUCT_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief A fully connected layer: top = bottom · Wᵀ + b.
 *
 * `axis` (1 by default) divides the bottom's axes: those before it number M
 * rows, the others together are the K inputs of a row. Top: the axes before
 * `axis`, then num_output = N.
 * blobs_[0], the weights W, are N × K, or K × N with `transpose`; blobs_[1],
 * unless bias_term is false, N biases. Both have fillers.
 *
 * @throws Error for num_output missing, a bottom whose K is not the weights',
 * a top that is the bottom.
 */
template <typename Dtype>
class InnerProductLayer : public Layer<Dtype> {
 public:
  explicit InnerProductLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "InnerProduct"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  int M_ = 0;
  int K_ = 0;
  int N_ = 0;
  bool bias_term_ = true;
  Blob<Dtype> bias_multiplier_;  ///< M ones
  bool transpose_ = false;

 private:
  void BackwardParams(const Dtype* bottom_data, const Dtype* top_diff);

  vector<int> top_shape_;
};

}  // namespace caffe

#endif  // CAFFE_INNER_PRODUCT_LAYER_HPP_
