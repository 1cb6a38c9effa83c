#ifndef CAFFE_CONCAT_LAYER_HPP_
#define CAFFE_CONCAT_LAYER_HPP_

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief Puts the bottoms one after the other along an axis.
 *
 * The axis is concat_param.axis (1; negative: from the end), or the deprecated
 * concat_dim. All other axes must be equal. The gradient is sliced back.
 * @throws Error if shapes do not fit, the axis is out of range or given twice,
 * or the top is one of the bottoms.
 */
template <typename Dtype>
class ConcatLayer : public Layer<Dtype> {
 public:
  explicit ConcatLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Concat"; }
  int MinBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }
  bool BackwardReadsBottoms() const override { return false; }
  bool BackwardReadsTops() const override { return false; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  int concat_axis_ = 1;
};

}  // namespace caffe

#endif  // CAFFE_CONCAT_LAYER_HPP_
