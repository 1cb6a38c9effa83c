#ifndef CAFFE_EMBED_LAYER_HPP_
#define CAFFE_EMBED_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief Looks up a learned vector for each index: top[i] = W[bottom[i]] + b.
 *
 * The bottom, of any shape, holds integers from 0 to input_dim − 1. Top: the
 * bottom's shape and one axis more, of num_output. blobs_[0], W, is input_dim ×
 * num_output; blobs_[1], unless bias_term is false, num_output biases. It is an
 * InnerProduct of one-hot vectors that are never made.
 *
 * @throws Error for num_output or input_dim missing, an index that is not
 * integral or out of range, and for a gradient of the indices, which has no meaning.
 */
template <typename Dtype>
class EmbedLayer : public Layer<Dtype> {
 public:
  explicit EmbedLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Embed"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }
  bool AllowForceBackward(const int /*bottom_index*/) const override { return false; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  int M_ = 0;  ///< indices
  int K_ = 0;  ///< input_dim
  int N_ = 0;  ///< num_output
  bool bias_term_ = true;

 private:
  void ReadIndices(const Blob<Dtype>& bottom);

  vector<int> indices_;  ///< of the last Forward
  vector<int> top_shape_;
};

}  // namespace caffe

#endif  // CAFFE_EMBED_LAYER_HPP_
