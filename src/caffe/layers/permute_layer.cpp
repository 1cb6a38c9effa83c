#include "caffe/layers/permute_layer.hpp"

#include <algorithm>
#include <vector>

namespace caffe {

namespace {

// Below this many elements a team of threads costs more than it saves.
constexpr int kParallelCount = 1 << 14;
constexpr int kRowsTogether = 16;  // a cache line of floats

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
template <typename Move>
void PermuteLayer<Dtype>::ForEachElement(const Blob<Dtype>& top, const Move& move) const {
  if (top.count() == 0) return;
  const int length = order_.empty() ? 1 : top.shape(-1);
  const int stride = order_.empty() ? 1 : strides_.back();
  const int rows = top.count() / length;
  // Beside the next element of a far row lies, as a rule, one of the next row.
  const int num_together = stride == 1 ? 1 : kRowsTogether;
#pragma omp parallel for if (top.count() > kParallelCount)
  for (int first = 0; first < rows; first += num_together) {
    const int num_here = std::min(num_together, rows - first);
    int begin[kRowsTogether];
    for (int r = 0; r < num_here; ++r) begin[r] = BottomIndex(top, first + r);
    for (int i = 0; i < length; ++i) {
      for (int r = 0; r < num_here; ++r) move((first + r) * length + i, begin[r] + i * stride);
    }
  }
}

template <typename Dtype>
void PermuteLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                      const vector<Blob<Dtype>*>& top) {
  const Dtype* from = bottom[0]->cpu_data();
  Dtype* to = top[0]->mutable_cpu_data();
  ForEachElement(*top[0], [=](int in_top, int in_bottom) { to[in_top] = from[in_bottom]; });
}

template <typename Dtype>
void PermuteLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                       const vector<bool>& propagate_down,
                                       const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const Dtype* from = top[0]->cpu_diff();
  Dtype* to = bottom[0]->mutable_cpu_diff();
  ForEachElement(*top[0], [=](int in_top, int in_bottom) { to[in_bottom] = from[in_top]; });
}

INSTANTIATE_CLASS(PermuteLayer);
REGISTER_LAYER_CLASS(Permute);

}  // namespace caffe
