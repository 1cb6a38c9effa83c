#ifndef CAFFE_BIAS_LAYER_HPP_
#define CAFFE_BIAS_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/util/broadcast.hpp"

namespace caffe {

/**
 * @brief y = x + b, b repeated over the axes that it does not have.
 *
 * With one bottom b is learned: it covers `num_axes` axes of the bottom from
 * `axis` on (-1: all that follow; 0: one number), and its `filler` is the
 * constant 0 by default. With two bottoms b is the second one, whose axes are
 * those of the first from `axis` on, and num_axes is not used.
 *
 * Gradients: dx = dy; db = Σ dy over the repetitions. May work in place
 * (top[0] is bottom[0], never bottom[1]).
 * @throws Error if the axes do not fit.
 */
template <typename Dtype>
class BiasLayer : public Layer<Dtype> {
 public:
  explicit BiasLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Bias"; }
  int MinBottomBlobs() const override { return 1; }
  int MaxBottomBlobs() const override { return 2; }
  int ExactNumTopBlobs() const override { return 1; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

 private:
  Broadcast broadcast_;
};

}  // namespace caffe

#endif  // CAFFE_BIAS_LAYER_HPP_
