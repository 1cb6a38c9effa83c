#ifndef CAFFE_POOLING_LAYER_HPP_
#define CAFFE_POOLING_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/util/pooling.hpp"

namespace caffe {

/**
 * @brief Takes one number from each window of an image: the largest (MAX), the
 * average (AVE), or one drawn in proportion to its value (STOCHASTIC).
 *
 * Bottom: N × C × H × W. Top: N × C × H' × W' with
 * H' = ⌈(H + 2 pad_h − kernel_h) / stride_h⌉ + 1 (round_mode FLOOR: ⌊ ⌋),
 * less one where the last window would start beyond H + pad_h, that is, not
 * inside the image and its padding in front; and so for the width. Windows are
 * clipped to the image, so with CEIL a kernel may be larger than the image.
 *
 * - MAX: the first of equal values wins; its gradient goes to that element. A
 *   second top, if there is one, gets its index h · W + w. A NaN is the largest.
 * - AVE: the sum over the window's area, which counts padding but not what
 *   lies beyond it, as in Caffe.
 * - STOCHASTIC (Zeiler and Fergus 2013): in phase TRAIN one element x is drawn
 *   with probability x / Σ x; in TEST the top is the mean of that, Σ x² / Σ x.
 *   Values must not be negative.
 *
 * Fields of pooling_param: pool, kernel_size or kernel_h and kernel_w, stride,
 * pad (and their _h and _w forms), global_pooling (the window is the whole
 * image, whatever its size), round_mode; `engine: CAFFE` asks for
 * this implementation where a build has a faster one.
 *
 * Other than Caffe: the last window starts inside also where there is no
 * padding (there, kernel 1 and stride 2 on an even size read beyond the image),
 * and STOCHASTIC runs on the CPU and takes padding.
 *
 * @throws Error for a bottom that is not 4-D; a kernel missing, zero, or given
 * twice; a stride of 0; a pad not below the kernel; kernel, pad or stride with
 * global_pooling; a kernel larger than the padded image by a stride or more
 * (FLOOR: larger at all); a mask top for other methods than MAX.
 */
template <typename Dtype>
class PoolingLayer : public Layer<Dtype> {
 public:
  explicit PoolingLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Pooling"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int MinTopBlobs() const override { return 1; }
  /** @brief MAX has a second top for the mask. */
  int MaxTopBlobs() const override {
    return this->layer_param_.pooling_param().pool() == PoolingParameter_PoolMethod_MAX ? 2 : 1;
  }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;
  PoolWindows windows() const;
  /** @brief All planes of the bottom. */
  int planes(const Blob<Dtype>& bottom) const { return bottom.count(0, 2); }

  int kernel_h_ = 0, kernel_w_ = 0;
  int stride_h_ = 1, stride_w_ = 1;
  int pad_h_ = 0, pad_w_ = 0;
  int channels_ = 0;
  int height_ = 0, width_ = 0;
  int pooled_height_ = 0, pooled_width_ = 0;
  bool global_pooling_ = false;
  PoolingParameter_RoundMode round_mode_ = PoolingParameter_RoundMode_CEIL;
  Blob<Dtype> rand_idx_;  ///< STOCHASTIC in TRAIN: the numbers drawn
  Blob<int> max_idx_;     ///< MAX, and STOCHASTIC in TRAIN: the element chosen, as h · W + w

 private:
  void ReadKernel();
  void ReadPadAndStride();
  void WriteMask(const vector<Blob<Dtype>*>& top) const;
};

}  // namespace caffe

#endif  // CAFFE_POOLING_LAYER_HPP_
