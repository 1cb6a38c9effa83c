#ifndef CAFFE_ARGMAX_LAYER_HPP_
#define CAFFE_ARGMAX_LAYER_HPP_

#include <utility>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief The indices of the `top_k` largest values, largest first.
 *
 * Without `axis`, each image (axis 0, the rest flattened) gives a row, and the
 * top is N × 1 × top_k (N × 2 × top_k with `out_max_val`: indices, then
 * values), followed by ones for the axes of the bottom beyond three. With
 * `axis` the top has the bottom's shape but top_k on that axis, and
 * `out_max_val` gives the values instead of the indices. Of equal values the
 * one with the larger index comes first, as in Caffe; NaN comes last.
 *
 * It has no gradient: Backward throws Error if it is asked for one. Not in place.
 * @throws Error for an axis out of range, or unless 1 <= top_k <= the number
 * of values.
 */
template <typename Dtype>
class ArgMaxLayer : public Layer<Dtype> {
 public:
  explicit ArgMaxLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "ArgMax"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

 private:
  void Sort(const Dtype* x);

  int outer_, dim_, inner_;  ///< the values compared are those along dim
  int top_k_;
  vector<std::pair<Dtype, int>> sorted_;  ///< (value, index) of the last Sort
};

}  // namespace caffe

#endif  // CAFFE_ARGMAX_LAYER_HPP_
