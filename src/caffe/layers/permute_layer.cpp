#include "caffe/layers/permute_layer.hpp"

#include <algorithm>
#include <vector>

namespace caffe {

namespace {

// Below this many elements a team of threads costs more than it saves.
constexpr int kParallelCount = 1 << 14;

}  // namespace

template <typename Dtype>
void PermuteLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                     const vector<Blob<Dtype>*>& /*top*/) {
  const int num_axes = bottom[0]->num_axes();
  order_.clear();
  const auto is_taken = [this](int axis) {
    return std::find(order_.begin(), order_.end(), axis) != order_.end();
  };
  for (const unsigned axis : this->layer_param_.permute_param().order()) {
    CHECK(axis < static_cast<unsigned>(num_axes))
        << "order names axis " << axis << ", but the bottom has " << num_axes << " axes";
    CHECK(!is_taken(static_cast<int>(axis))) << "order names axis " << axis << " twice";
    order_.push_back(static_cast<int>(axis));
  }
  for (int axis = 0; axis < num_axes; ++axis) {
    if (!is_taken(axis)) order_.push_back(axis);
  }
}

template <typename Dtype>
void PermuteLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
                                  const vector<Blob<Dtype>*>& top) {
  CHECK(top[0] != bottom[0]) << "cannot work in place, but the top is the bottom";
  CHECK(bottom[0]->num_axes() == static_cast<int>(order_.size()))
      << "the bottom had " << order_.size() << " axes at setup, now its shape is "
      << bottom[0]->shape_string();
  vector<int> shape;
  strides_.clear();
  for (const int axis : order_) {
    shape.push_back(bottom[0]->shape(axis));
    strides_.push_back(bottom[0]->count(axis + 1));
  }
  top[0]->Reshape(shape);
}

template <typename Dtype>
int PermuteLayer<Dtype>::BottomIndex(const Blob<Dtype>& top, int row) const {
  int index = 0;
  for (int axis = top.num_axes() - 2; axis >= 0; --axis) {
    index += row % top.shape(axis) * strides_[axis];
    row /= top.shape(axis);
  }
  return index;
}

template <typename Dtype>
void PermuteLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                      const vector<Blob<Dtype>*>& top) {
  if (top[0]->count() == 0) return;
  const int length = order_.empty() ? 1 : top[0]->shape(-1);
  const int stride = order_.empty() ? 1 : strides_.back();
  const int rows = top[0]->count() / length;
  const Dtype* from = bottom[0]->cpu_data();
  Dtype* to = top[0]->mutable_cpu_data();
#pragma omp parallel for if (top[0]->count() > kParallelCount)
  for (int row = 0; row < rows; ++row) {
    const Dtype* strip = from + BottomIndex(*top[0], row);
    for (int i = 0; i < length; ++i) to[row * length + i] = strip[i * stride];
  }
}

template <typename Dtype>
void PermuteLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                       const vector<bool>& propagate_down,
                                       const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0] || top[0]->count() == 0) return;
  const int length = order_.empty() ? 1 : top[0]->shape(-1);
  const int stride = order_.empty() ? 1 : strides_.back();
  const int rows = top[0]->count() / length;
  const Dtype* from = top[0]->cpu_diff();
  Dtype* to = bottom[0]->mutable_cpu_diff();
#pragma omp parallel for if (top[0]->count() > kParallelCount)
  for (int row = 0; row < rows; ++row) {
    Dtype* strip = to + BottomIndex(*top[0], row);
    for (int i = 0; i < length; ++i) strip[i * stride] = from[row * length + i];
  }
}

INSTANTIATE_CLASS(PermuteLayer);
REGISTER_LAYER_CLASS(Permute);

}  // namespace caffe
