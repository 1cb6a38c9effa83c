#include "caffe/backend/amx_shape.hpp"

#include <algorithm>

namespace caffe {
namespace amx {

namespace {

void AppendPixels(int first, int count, PixelMap* map) {
  for (int i = 0; i < count; ++i) map->push_back(first + i);
}

}  // namespace

Convolution Backward(const Convolution& forward) {
  Convolution backward = forward;
  std::swap(backward.channels, backward.num_output);
  std::swap(backward.height, backward.out_height);
  std::swap(backward.width, backward.out_width);
  for (Axis* axis : {&backward.rows, &backward.columns}) axis->pad = axis->reach() - axis->pad;
  return backward;
}

FlatRows::FlatRows(const Convolution& shape) : shape_(shape) {
  const Axis& columns = shape.columns;
  const int right = shape.out_width - 1 - columns.pad + columns.reach() - (shape.width - 1);
  gap_ = std::max({columns.pad, right, shape.out_width - shape.width, 0});
  row_ = shape.width + gap_;
}

int FlatRows::Shift(int tap) const {
  const Axis& columns = shape_.columns;
  const int y = tap / columns.kernel, x = tap % columns.kernel;
  return gap_ - columns.pad + y * shape_.rows.dilation * row_ + x * columns.dilation;
}

int FlatRows::BottomSize(int rows) const { return gap_ + (rows + shape_.rows.reach()) * row_; }

void FlatRows::Bottom(int first_row, int rows, PixelMap* map) const {
  map->assign(gap_, -1);
  const int first = first_row - shape_.rows.pad, end = first + rows + shape_.rows.reach();
  for (int y = first; y < end; ++y) {
    if (y < 0 || y >= shape_.height) {
      map->insert(map->end(), row_, -1);
    } else {
      AppendPixels(y * shape_.width, shape_.width, map);
      map->insert(map->end(), gap_, -1);
    }
  }
}

void FlatRows::Top(int first_row, int rows, PixelMap* map) const {
  map->clear();
  for (int y = first_row; y < first_row + rows; ++y) {
    AppendPixels(y * shape_.out_width, shape_.out_width, map);
    map->insert(map->end(), row_ - shape_.out_width, -1);
  }
}

}  // namespace amx
}  // namespace caffe
