#ifndef CAFFE_SLICE_LAYER_HPP_
#define CAFFE_SLICE_LAYER_HPP_

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief Cuts the bottom along an axis; the inverse of Concat.
 *
 * The axis is slice_param.axis (1; negative: from the end), or the deprecated
 * slice_dim. The cuts are `slice_point`, rising, one fewer than tops; without
 * them the axis is cut into equal parts. The gradient is joined again.
 * @throws Error if the cuts do not fit the axis or the tops, the axis is out of
 * range or given twice, it does not divide equally, or a top is the bottom.
 */
template <typename Dtype>
class SliceLayer : public Layer<Dtype> {
 public:
  explicit SliceLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Slice"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int MinTopBlobs() const override { return 1; }
  bool BackwardReadsBottoms() const override { return false; }
  bool BackwardReadsTops() const override { return false; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  int slice_axis_ = 1;

 private:
  /** The length of each top along the axis. */
  vector<int> Lengths(int axis_length, int num_top) const;
};

}  // namespace caffe

#endif  // CAFFE_SLICE_LAYER_HPP_
