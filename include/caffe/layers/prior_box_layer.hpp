#ifndef CAFFE_PRIOR_BOX_LAYER_HPP_
#define CAFFE_PRIOR_BOX_LAYER_HPP_

#include <memory>
#include <utility>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/**
 * @brief The default boxes of one feature map (SSD, Liu et al. 2016, section 2.2).
 *
 * At each cell (row, column) of bottom[0], around the point
 * ((column + offset) step_w, (row + offset) step_h) in pixels, for each
 * min_size s (with its max_size m) come in this order: s × s; √(s m) × √(s m)
 * if there is an m; s√r × s/√r for every aspect ratio r but 1 (and 1/r with
 * `flip`). Coordinates are divided by the image's size, and clamped to [0, 1]
 * with `clip`. A missing step is the image's size over the map's.
 *
 * bottom[0] the feature map, bottom[1] the image: only their sizes are read. The
 * boxes are computed when these change, or when somebody may have written to the top.
 * top[0] : 1 × 2 × (height · width · priors · 4): channel 0 holds xmin, ymin,
 * xmax, ymax of each prior, channel 1 its four variances.
 * @throws Error for sizes, ratios, variances or steps that are not positive,
 * a max_size that does not exceed its min_size, and contradicting fields.
 */
template <typename Dtype>
class PriorBoxLayer : public Layer<Dtype> {
 public:
  explicit PriorBoxLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "PriorBox"; }
  bool ReusesTops() const override { return true; }
  int ExactNumBottomBlobs() const override { return 2; }
  int ExactNumTopBlobs() const override { return 1; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  /** @brief Nothing depends on the bottoms' values. */
  void Backward_cpu(const vector<Blob<Dtype>*>& /*top*/, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  /** @brief Writes the priors of a map of so many cells in an image of so many pixels. */
  void ComputePriors(int map_height, int map_width, Dtype image_height, Dtype image_width,
                     Dtype* values) const;

  /** @brief Width and height, in pixels, of the priors of one cell. */
  vector<pair<Dtype, Dtype>> sizes_;
  vector<Dtype> variance_;          // four
  int image_height_, image_width_;  // 0: the image's
  Dtype step_height_, step_width_;  // 0: from the sizes

  /** @brief Which priors were computed last, and where to; none if the memory is gone. */
  vector<int> computed_for_;
  std::weak_ptr<SyncedMemory> computed_in_;
  uint64_t computed_version_ = 0;
};

}  // namespace caffe

#endif  // CAFFE_PRIOR_BOX_LAYER_HPP_
