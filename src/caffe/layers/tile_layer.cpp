#include "caffe/layers/tile_layer.hpp"

#include "caffe/util/spatial.hpp"

namespace caffe {

template <typename Dtype>
void TileLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                               const vector<Blob<Dtype>*>& top) {
  const TileParameter& param = this->layer_param_.tile_param();
  CHECK(param.has_tiles()) << "tiles is missing";
  CHECK(param.tiles() > 0) << "tiles must be at least 1, got " << param.tiles();
  CheckNotInPlace(bottom, top);
  axis_ = bottom[0]->CanonicalAxisIndex(param.axis());
  tiles_ = param.tiles();
  top_shape_ = bottom[0]->shape();
  const int64_t length = int64_t{param.tiles()} * top_shape_[axis_];
  CHECK(length <= INT_MAX) << tiles_ << " tiles of " << top_shape_[axis_] << " are too many";
  top_shape_[axis_] = static_cast<int>(length);
  top[0]->Reshape(top_shape_);
  outer_dim_ = bottom[0]->count(0, axis_);
  inner_dim_ = bottom[0]->count(axis_);
}

template <typename Dtype>
void TileLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                   const vector<Blob<Dtype>*>& top) {
  const Dtype* in = bottom[0]->cpu_data();
  Dtype* out = top[0]->mutable_cpu_data();
  for (unsigned i = 0; i < outer_dim_; ++i, in += inner_dim_) {
    for (unsigned t = 0; t < tiles_; ++t, out += inner_dim_) caffe_copy(inner_dim_, in, out);
  }
}

template <typename Dtype>
void TileLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                    const vector<bool>& propagate_down,
                                    const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const Dtype* top_diff = top[0]->cpu_diff();
  Dtype* bottom_diff = bottom[0]->mutable_cpu_diff();
  for (unsigned i = 0; i < outer_dim_; ++i, bottom_diff += inner_dim_) {
    caffe_copy(inner_dim_, top_diff, bottom_diff);
    top_diff += inner_dim_;
    for (unsigned t = 1; t < tiles_; ++t, top_diff += inner_dim_) {
      caffe_axpy(inner_dim_, Dtype(1), top_diff, bottom_diff);
    }
  }
}

INSTANTIATE_CLASS(TileLayer);
REGISTER_LAYER_CLASS(Tile);

}  // namespace caffe
