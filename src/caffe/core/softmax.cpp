#include "caffe/util/softmax.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace caffe {

namespace {

// Columns handled together: their maxima and sums live on the stack.
constexpr int kColumns = 64;
// Below this many elements a team of threads costs more than it saves.
constexpr int64_t kParallelCount = 1 << 14;

/** Softmax over the channels of `columns` neighbouring columns, `stride` apart from channel to
 * channel. */
template <typename Dtype>
void SoftmaxColumns(int channels, int stride, int columns, const Dtype* x, Dtype* y) {
  Dtype largest[kColumns];
  Dtype sum[kColumns] = {};
  std::copy(x, x + columns, largest);
  for (int c = 1; c < channels; ++c) {
    const Dtype* row = x + static_cast<int64_t>(c) * stride;
    for (int j = 0; j < columns; ++j) largest[j] = std::max(largest[j], row[j]);
  }
  for (int c = 0; c < channels; ++c) {
    const int64_t offset = static_cast<int64_t>(c) * stride;
    for (int j = 0; j < columns; ++j) {
      y[offset + j] = std::exp(x[offset + j] - largest[j]);
      sum[j] += y[offset + j];
    }
  }
  for (int c = 0; c < channels; ++c) {
    Dtype* row = y + static_cast<int64_t>(c) * stride;
    for (int j = 0; j < columns; ++j) row[j] /= sum[j];
  }
}

}  // namespace

template <typename Dtype>
void Softmax(const SoftmaxShape& shape, const Dtype* x, Dtype* y) {
  const int64_t sample = static_cast<int64_t>(shape.channels) * shape.inner;
  if (sample == 0) return;
#pragma omp parallel for if (shape.outer * sample > kParallelCount)
  for (int o = 0; o < shape.outer; ++o) {
    for (int i = 0; i < shape.inner; i += kColumns) {
      const int64_t offset = o * sample + i;
      SoftmaxColumns(shape.channels, shape.inner, std::min(kColumns, shape.inner - i), x + offset,
                     y + offset);
    }
  }
}

template void Softmax<float>(const SoftmaxShape&, const float*, float*);
template void Softmax<double>(const SoftmaxShape&, const double*, double*);

}  // namespace caffe
