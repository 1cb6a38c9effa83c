#ifndef CAFFE_MVN_LAYER_HPP_
#define CAFFE_MVN_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief y = (x - mean) / (σ + eps), mean and (biased) standard deviation σ taken over
 * each channel of each image, or over each image with `across_channels`;
 * without `normalize_variance`, y = x - mean.
 *
 * Images are axis 0, channels axis 1. Gradient, m the elements of a row (a
 * channel or an image): dx = (dy - Σ dy / m - y ((σ + eps) / σ) Σ y dy / m) /
 * (σ + eps), where a row without variance (σ = 0) has no third term; without
 * normalize_variance dx = dy - Σ dy / m. May work in place.
 */
template <typename Dtype>
class MVNLayer : public Layer<Dtype> {
 public:
  explicit MVNLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "MVN"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

 private:
  int rows_, elements_;
  Blob<Dtype> deviation_;  ///< σ of each row
};

}  // namespace caffe

#endif  // CAFFE_MVN_LAYER_HPP_
