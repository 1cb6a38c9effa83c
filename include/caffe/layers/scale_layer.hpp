#ifndef CAFFE_SCALE_LAYER_HPP_
#define CAFFE_SCALE_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/util/broadcast.hpp"

namespace caffe {

/**
 * @brief y = x · s, or x · s + b with `bias_term`, s and b repeated over the
 * axes that they do not have.
 *
 * With one bottom s is learned: it covers `num_axes` axes of the bottom from
 * `axis` on (-1: all that follow; 0: one number), and its `filler` is the
 * constant 1 by default. With two bottoms s is the second one, whose axes are
 * those of the first from `axis` on, and num_axes is not used. b is learned,
 * has the shape of s, and its `bias_filler` is 0 by default. The blobs are s
 * (with one bottom), then b.
 *
 * Gradients: dx = dy · s; ds = Σ dy · x and db = Σ dy over the repetitions.
 * May work in place (top[0] is bottom[0], never bottom[1]).
 * @throws Error if the axes do not fit.
 */
template <typename Dtype>
class ScaleLayer : public Layer<Dtype> {
 public:
  explicit ScaleLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Scale"; }
  int MinBottomBlobs() const override { return 1; }
  int MaxBottomBlobs() const override { return 2; }
  int ExactNumTopBlobs() const override { return 1; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

 private:
  /** @brief s, of the blobs or the second bottom. */
  Blob<Dtype>* Scale(const vector<Blob<Dtype>*>& bottom) const;

  int bias_param_id_;  ///< where b is among the blobs, or -1
  Broadcast broadcast_;
  Blob<Dtype> kept_input_;  ///< x, when working in place
};

}  // namespace caffe

#endif  // CAFFE_SCALE_LAYER_HPP_
