#ifndef CAFFE_CROP_LAYER_HPP_
#define CAFFE_CROP_LAYER_HPP_

#include <utility>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief Cuts a part of bottom[0], of the size of bottom[1].
 *
 * Axes from `axis` (2 by default) on get bottom[1]'s size; those before it are
 * kept whole. `offset` says where the part starts: one number for all cropped
 * axes, or one for each; none means 0.
 *
 *   top[i] = bottom[0][i + offset]
 *
 * bottom[1] gives its shape alone; its gradient is zero.
 * @throws Error for another number of offsets, a part that does not lie inside
 * bottom[0], a bottom[1] with fewer axes, a top that is a bottom.
 */
template <typename Dtype>
class CropLayer : public Layer<Dtype> {
 public:
  explicit CropLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Crop"; }
  int ExactNumBottomBlobs() const override { return 2; }
  int ExactNumTopBlobs() const override { return 1; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  Blob<int> offsets;  ///< one for each axis of bottom[0]; named as in Caffe

 private:
  /** @brief Where row `row` of the top (its last axis) starts in bottom[0]. */
  int SourceOfRow(int row) const;

  vector<int> top_shape_;
  vector<int> bottom_shape_;
};

}  // namespace caffe

#endif  // CAFFE_CROP_LAYER_HPP_
