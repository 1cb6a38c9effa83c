#ifndef CAFFE_INPUT_LAYER_HPP_
#define CAFFE_INPUT_LAYER_HPP_

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief Tops that the caller fills: a net's inputs.
 *
 * `shape` is given once for all tops, once for each, or not at all (the tops
 * are then shaped by the caller). The caller may keep a pointer to the host's
 * memory and write there before every Forward, which takes the values there
 * for new. Backward does nothing.
 * @throws Error for another number of shapes.
 */
template <typename Dtype>
class InputLayer : public Layer<Dtype> {
 public:
  explicit InputLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  /** @brief Nothing: the caller may have reshaped the tops, and that stands. */
  void Reshape(const vector<Blob<Dtype>*>& /*bottom*/,
               const vector<Blob<Dtype>*>& /*top*/) override {}

  const char* type() const override { return "Input"; }
  int ExactNumBottomBlobs() const override { return 0; }
  int MinTopBlobs() const override { return 1; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& /*top*/, const vector<bool>& /*propagate_down*/,
                    const vector<Blob<Dtype>*>& /*bottom*/) override {}
};

}  // namespace caffe

#endif  // CAFFE_INPUT_LAYER_HPP_
