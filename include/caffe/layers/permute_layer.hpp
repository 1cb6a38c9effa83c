#ifndef CAFFE_PERMUTE_LAYER_HPP_
#define CAFFE_PERMUTE_LAYER_HPP_

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief Reorders the axes: axis i of the top is axis order[i] of the bottom.
 *
 * permute_param.order may name the first axes only; the others follow in their
 * own order. {0, 2, 3, 1} makes N×H×W×C of N×C×H×W. The gradient goes back the same way.
 * @throws Error for an axis that does not exist or comes twice, a bottom whose
 * number of axes changes, or a top that is the bottom.
 */
template <typename Dtype>
class PermuteLayer : public Layer<Dtype> {
 public:
  explicit PermuteLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Permute"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }
  bool BackwardReadsBottoms() const override { return false; }
  bool BackwardReadsTops() const override { return false; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  vector<int> order_;  ///< axis i of the top is this one of the bottom

 private:
  /** The bottom's index of the first element of the top's row (its last axis) `row`. */
  int BottomIndex(const Blob<Dtype>& top, int row) const;
  /** Calls move(index in the top, index in the bottom) for all elements, by all threads. */
  template <typename Move>
  void ForEachElement(const Blob<Dtype>& top, const Move& move) const;

  vector<int> strides_;  ///< for each axis of the top, the step in the bottom
};

}  // namespace caffe

#endif  // CAFFE_PERMUTE_LAYER_HPP_
