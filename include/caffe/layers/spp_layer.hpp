#ifndef CAFFE_SPP_LAYER_HPP_
#define CAFFE_SPP_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/util/pooling.hpp"

namespace caffe {

/**
 * @brief Spatial pyramid pooling (He et al. 2014): vectors of one length from images of any size.
 *
 * Level l = 0 … pyramid_height − 1 pools the image in 2^l × 2^l bins. With b =
 * 2^l, a bin is ⌈H/b⌉ × ⌈W/b⌉, one beside the other, and the image lies in
 * their middle: the padding in front is half of b⌈H/b⌉ − H, rounded up.
 * Bottom: N × C × H × W. Top: N × C · (4^pyramid_height − 1) / 3; level after
 * level, and in each the bins of channel after channel. Pooling of the bins
 * (MAX, AVE, STOCHASTIC) is PoolingLayer's, padding in AVE's area included.
 *
 * @throws Error for pyramid_height missing, a bottom that is not 4-D, a level
 * with bins that hold no pixel.
 */
template <typename Dtype>
class SPPLayer : public Layer<Dtype> {
 public:
  explicit SPPLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "SPP"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;
  /** @brief The bins of a level. @throws Error if one would be empty. */
  PoolWindows GetWindows(int level) const;

  int pyramid_height_ = 0;
  int num_ = 0;
  int channels_ = 0;
  int bottom_h_ = 0;
  int bottom_w_ = 0;

 private:
  /** One level of one image: its bins, and where they start in the top. */
  struct Part {
    const PoolWindows& windows;
    int image, top_offset;
  };
  template <typename Visit>
  void ForEachPart(const Visit& visit) const;
  void ForwardPart(const Part& part, const Dtype* image, Dtype* top);
  void BackwardPart(const Part& part, const Dtype* image, const Dtype* top_diff, Dtype* diff) const;

  vector<PoolWindows> levels_;
  Blob<int> index_;       ///< like the top: the element chosen, for MAX and STOCHASTIC
  Blob<Dtype> random_;    ///< like the top: the numbers drawn, for STOCHASTIC
  Blob<Dtype> gradient_;  ///< of one image, from one level
};

}  // namespace caffe

#endif  // CAFFE_SPP_LAYER_HPP_
