#ifndef CAFFE_NORMALIZE_LAYER_HPP_
#define CAFFE_NORMALIZE_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief y = s_c x / sqrt(Σ x² + eps): L2 normalization with learned scales
 * (Liu et al. 2016, ParseNet, section 3.3).
 *
 * The sum runs over the whole image with `across_spatial` (the default), else
 * over the channels of each position. Images are axis 0, channels c axis 1.
 * blobs()[0] holds s: no axes with `channel_shared` (the default), else
 * {channels}; its `scale_filler` is the constant 1 by default.
 *
 * Gradients, with r = sqrt(Σ x² + eps), n = x / r and g = s_c dy:
 * dx = (g - n Σ n g) / r; ds_c = Σ n dy. (The SSD branch takes the sum in dx
 * before it multiplies by s_c, which is another gradient unless the scales
 * are equal.) Not in place.
 * @throws Error if the bottom has fewer than two axes, or another number of
 * channels than there are scales.
 */
template <typename Dtype>
class NormalizeLayer : public Layer<Dtype> {
 public:
  explicit NormalizeLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Normalize"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  bool across_spatial_;
  bool channel_shared_;
  Dtype eps_;
  Blob<double> norm_;  ///< r: image × (one, or one for each position)

 private:
  void ForwardImage(const Dtype* x, double* norm, Dtype* y) const;
  void BackwardImage(const Dtype* x, const Dtype* dy, const double* norm, double* dot,
                     Dtype* dx) const;
  void AddScaleGradient(const Dtype* x, const Dtype* dy);

  int num_, channels_, positions_;
  int norm_step_;     ///< from one position's norm to the next one's: 0 with across_spatial
  int scale_step_;    ///< from one channel's scale to the next one's: 0 with channel_shared
  Blob<double> dot_;  ///< Σ n g r, of the shape of norm_
};

}  // namespace caffe

#endif  // CAFFE_NORMALIZE_LAYER_HPP_
