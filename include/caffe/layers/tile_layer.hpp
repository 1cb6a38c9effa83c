#ifndef CAFFE_TILE_LAYER_HPP_
#define CAFFE_TILE_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"

namespace caffe {

/**
 * @brief Repeats the bottom `tiles` times along `axis`: with D = bottom.shape(axis),
 * top[…, i, …] = bottom[…, i mod D, …] for i < tiles · D.
 * @throws Error for tiles missing or below 1, an axis out of range, a top that is the bottom.
 */
template <typename Dtype>
class TileLayer : public Layer<Dtype> {
 public:
  explicit TileLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Tile"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  unsigned int axis_ = 0, tiles_ = 0, outer_dim_ = 0, inner_dim_ = 0;

 private:
  vector<int> top_shape_;
};

}  // namespace caffe

#endif  // CAFFE_TILE_LAYER_HPP_
