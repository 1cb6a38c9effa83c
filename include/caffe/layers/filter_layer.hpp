#ifndef CAFFE_FILTER_LAYER_HPP_
#define CAFFE_FILTER_LAYER_HPP_

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief Lets only some samples of the batch pass.
 *
 * The last bottom is the selector, one value a sample; top[i] holds the samples
 * of bottom[i] whose selector is not 0. The tops' first axis changes with
 * every batch and may be 0 long; at setup, before there is data, all pass.
 * Samples that did not pass get the gradient 0.
 * @throws Error if the first axes or the number of tops do not fit, for a
 * selector that is NaN, or for a request for its gradient.
 */
template <typename Dtype>
class FilterLayer : public Layer<Dtype> {
 public:
  explicit FilterLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Filter"; }
  int MinBottomBlobs() const override { return 2; }
  int MinTopBlobs() const override { return 1; }
  bool AllowForceBackward(const int bottom_index) const override {
    return bottom_index != this->layer_param_.bottom_size() - 1;
  }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

 private:
  void Select(const Blob<Dtype>& selector);

  bool is_first_reshape_ = true;
  vector<int> samples_;  ///< that pass
};

}  // namespace caffe

#endif  // CAFFE_FILTER_LAYER_HPP_
