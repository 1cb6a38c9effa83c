#ifndef CAFFE_BATCH_NORM_LAYER_HPP_
#define CAFFE_BATCH_NORM_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief y = (x - mean_c) / sqrt(var_c + eps) for each channel c (Ioffe and
 * Szegedy 2015, without its scale and shift: a Scale layer does those).
 *
 * The channels are axis 1 (a bottom of one axis is one channel). With
 * `use_global_stats` (the default in TEST) mean and variance are the stored
 * ones, else those of the batch, with the biased variance. Three blobs are
 * stored: the sum of means {C}, the sum of variances {C}, and the number of
 * terms {1}, by which the first two are divided when they are used (Caffe's
 * layout). A Forward with the batch's statistics multiplies all three by
 * `moving_average_fraction`, then adds the mean, the unbiased variance, and 1.
 * The blobs are no weights: their lr_mult becomes 0, their gradients are left
 * alone. Before any batch has been seen the stored statistics are 0, as in Caffe.
 *
 * Gradient with the batch's statistics, m the elements of a channel:
 * dx = (dy - Σ dy / m - y Σ y dy / m) / sqrt(var_c + eps); with stored ones
 * dx = dy / sqrt(var_c + eps). May work in place.
 * @throws Error for a bottom with another number of channels, an empty batch,
 * or a stored variance that is less than -eps.
 */
template <typename Dtype>
class BatchNormLayer : public Layer<Dtype> {
 public:
  explicit BatchNormLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "BatchNorm"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  /** @brief Adds mean_ and variance_, of so many elements of each channel, to the stored ones. */
  void UpdateStoredStatistics(int elements);
  /** @brief Sets mean_ and variance_ to the stored ones. */
  void StoredStatistics();

  Blob<Dtype> mean_, variance_;  ///< used by the last Forward
  Blob<Dtype> x_norm_;           ///< the normalized values, kept when working in place
  bool use_global_stats_;
  Dtype moving_average_fraction_;
  int channels_;
  Dtype eps_;

 private:
  void BatchStatistics(const Blob<Dtype>& bottom);
};

}  // namespace caffe

#endif  // CAFFE_BATCH_NORM_LAYER_HPP_
