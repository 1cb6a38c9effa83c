#ifndef CAFFE_LRN_LAYER_HPP_
#define CAFFE_LRN_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/util/pooling.hpp"

namespace caffe {

/**
 * @brief Local response normalization (Krizhevsky et al. 2012, section 3.3).
 *
 * With n = local_size (odd), bottom x, top y, both N × C × H × W:
 * - ACROSS_CHANNELS: s[c] = k + α/n Σ x[c']², over the n channels around c that exist;
 * - WITHIN_CHANNEL: s = 1 + α/n² Σ x², over the n × n pixels around each that
 *   exist. Here k is not used, as in Caffe; setup warns where one is given.
 *
 * y = x · s^−β. The division is by n or n² at the border too.
 *
 * Forward may run in place; Backward then throws, since x is gone.
 * @throws Error for an even local_size, a bottom that is not 4-D.
 */
template <typename Dtype>
class LRNLayer : public Layer<Dtype> {
 public:
  explicit LRNLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "LRN"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;
  /** @brief Sets scale_ to s, for either region. */
  void CrossChannelScale(const Dtype* x);
  void WithinChannelScale(const Dtype* x);
  void CrossChannelBackward_cpu(const Blob<Dtype>& top, Blob<Dtype>* bottom);
  void WithinChannelBackward(const Blob<Dtype>& top, Blob<Dtype>* bottom);

  int size_ = 0;
  int pre_pad_ = 0;  ///< (size_ − 1) / 2
  Dtype alpha_ = 0;
  Dtype beta_ = 0;
  Dtype k_ = 1;
  int num_ = 0;
  int channels_ = 0;
  int height_ = 0;
  int width_ = 0;
  Blob<Dtype> scale_;   ///< s of the last Forward
  Blob<Dtype> buffer_;  ///< data and diff hold what an intermediate step needs

 private:
  bool across() const;
  PoolWindows windows() const;
};

}  // namespace caffe

#endif  // CAFFE_LRN_LAYER_HPP_
