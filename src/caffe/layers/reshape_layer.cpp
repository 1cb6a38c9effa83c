#include "caffe/layers/reshape_layer.hpp"

#include <vector>

namespace caffe {

namespace {

/** The axes [first, end) of the bottom are replaced. */
struct AxisRange {
  int first;
  int end;
};

AxisRange ReplacedAxes(const ReshapeParameter& param, int num_axes) {
  const int first = param.axis() >= 0 ? param.axis() : num_axes + param.axis() + 1;
  CHECK(first >= 0 && first <= num_axes)
      << "axis " << param.axis() << " out of range for a blob of " << num_axes << " axes";
  CHECK(param.num_axes() >= -1) << "num_axes must be at least -1, got " << param.num_axes();
  const int64_t end = param.num_axes() == -1 ? num_axes : int64_t{first} + param.num_axes();
  CHECK(end <= num_axes) << "axis " << param.axis() << " and the next " << param.num_axes()
                         << " exceed a blob of " << num_axes << " axes";
  return {first, static_cast<int>(end)};
}

}  // namespace

template <typename Dtype>
vector<int> ReshapeLayer<Dtype>::TopShape(const Blob<Dtype>& bottom) const {
  const ReshapeParameter& param = this->layer_param_.reshape_param();
  const AxisRange replaced = ReplacedAxes(param, bottom.num_axes());
  vector<int> shape(bottom.shape().begin(), bottom.shape().begin() + replaced.first);
  int inferred = -1;
  for (int i = 0; i < param.shape().dim_size(); ++i) {
    const int64_t dim = param.shape().dim(i);
    CHECK(dim >= -1 && dim <= INT_MAX) << "shape.dim " << dim << "; expected -1, 0 or a length";
    const int place = replaced.first + i;
    if (dim == 0) {
      CHECK(place < bottom.num_axes())
          << "shape.dim 0 keeps axis " << place << ", which a blob of shape "
          << bottom.shape_string() << " does not have";
      shape.push_back(bottom.shape(place));
      continue;
    }
    if (dim == -1) {
      CHECK(inferred == -1) << "shape.dim has a second -1; only one can be inferred";
      inferred = place;
    }
    shape.push_back(dim == -1 ? 1 : static_cast<int>(dim));
  }
  shape.insert(shape.end(), bottom.shape().begin() + replaced.end, bottom.shape().end());
  if (inferred == -1) return shape;
  int64_t given = 1;
  for (const int dim : shape) {
    // Beyond any blob's count nothing can be inferred; so it cannot overflow.
    if (given <= INT_MAX) given *= dim;
  }
  CHECK(given > 0 && bottom.count() % given == 0)
      << "cannot infer the -1 of the shape: the bottom has " << bottom.count()
      << " elements, the other axes " << given;
  shape[inferred] = static_cast<int>(bottom.count() / given);
  return shape;
}

INSTANTIATE_CLASS(ReshapeLayer);
REGISTER_LAYER_CLASS(Reshape);

}  // namespace caffe
