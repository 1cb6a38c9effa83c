#include "caffe/util/softmax.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "caffe/detection/exponentials.hpp"
#include "caffe/detection/multiversion.hpp"

namespace caffe {

namespace {

// Columns handled together: their maxima and sums live on the stack.
constexpr int kColumns = kExponentials;
// Below this many elements a team of threads costs more than it saves.
constexpr int64_t kParallelCount = 1 << 14;

void ExponentialsOf(double* x) {
  for (int i = 0; i < kColumns; ++i) x[i] = std::exp(x[i]);
}
[[gnu::always_inline]] inline void ExponentialsOf(float* x) { Exponentials(x); }

/**
 * Softmax over the channels of kColumns neighbouring columns, `stride` apart from channel to
 * channel.
 */
template <typename Dtype>
[[gnu::always_inline]] inline void SoftmaxBlockOf(int channels, int64_t stride, const Dtype* x,
                                                  Dtype* y) {
  Dtype largest[kColumns], sum[kColumns] = {}, powers[kColumns];
  std::copy(x, x + kColumns, largest);
  for (int c = 1; c < channels; ++c) {
    const Dtype* row = x + c * stride;
    for (int j = 0; j < kColumns; ++j) largest[j] = largest[j] < row[j] ? row[j] : largest[j];
  }
  for (int c = 0; c < channels; ++c) {
    const Dtype* row = x + c * stride;
    for (int j = 0; j < kColumns; ++j) powers[j] = row[j] - largest[j];
    ExponentialsOf(powers);
    for (int j = 0; j < kColumns; ++j) sum[j] += powers[j];
    std::copy(powers, powers + kColumns, y + c * stride);
  }
  for (int c = 0; c < channels; ++c) {
    Dtype* row = y + c * stride;
    for (int j = 0; j < kColumns; ++j) row[j] /= sum[j];
  }
}

CAFFE_MULTIVERSION
void SoftmaxBlock(int channels, int64_t stride, const float* x, float* y) {
  SoftmaxBlockOf(channels, stride, x, y);
}
void SoftmaxBlock(int channels, int64_t stride, const double* x, double* y) {
  SoftmaxBlockOf(channels, stride, x, y);
}

/** Softmax over numbers that lie beside each other. */
template <typename Dtype>
[[gnu::always_inline]] inline void SoftmaxRowOf(int channels, const Dtype* x, Dtype* y) {
  Dtype largest[kColumns], powers[kColumns], sum[kColumns] = {};
  std::fill_n(largest, kColumns, x[0]);
  for (int first = 0; first < channels; first += kColumns) {
    const int count = std::min(kColumns, channels - first);
    for (int j = 0; j < count; ++j) {
      largest[j] = largest[j] < x[first + j] ? x[first + j] : largest[j];
    }
  }
  Dtype most = largest[0], total = 0;
  for (int j = 1; j < kColumns; ++j) most = std::max(most, largest[j]);
  for (int first = 0; first < channels; first += kColumns) {
    const int count = std::min(kColumns, channels - first);
    std::fill_n(powers, kColumns, Dtype(0));
    for (int j = 0; j < count; ++j) powers[j] = x[first + j] - most;
    ExponentialsOf(powers);
    for (int j = 0; j < count; ++j) sum[j] += powers[j];
    std::copy_n(powers, count, y + first);
  }
  for (int j = 0; j < kColumns; ++j) total += sum[j];
  for (int c = 0; c < channels; ++c) y[c] /= total;
}

CAFFE_MULTIVERSION
void SoftmaxRow(int channels, const float* x, float* y) { SoftmaxRowOf(channels, x, y); }
void SoftmaxRow(int channels, const double* x, double* y) { SoftmaxRowOf(channels, x, y); }

// Fewer rows than this one after the other, so that no block of them is nearly empty.
constexpr int kFewRows = 16;

/** Where the elements of some columns are, `next` apart; the channels of a column `stride`. */
struct Place {
  int64_t stride, next;
};

/** Softmax over `columns` columns, at most kColumns, by a copy where they lie beside each other. */
template <typename Dtype>
void SoftmaxCopied(int channels, int columns, const Place& place, const Dtype* x, Dtype* y) {
  thread_local std::vector<Dtype> block;
  block.resize(static_cast<size_t>(channels) * kColumns);
  const bool by_column = place.stride == 1;
  const int outer = by_column ? columns : channels, inner = by_column ? channels : columns;
  const auto at = [=](int i, int k) { return by_column ? k * kColumns + i : i * kColumns + k; };
  const int64_t step = by_column ? place.next : place.stride;
  for (int i = 0; i < outer; ++i) {
    for (int k = 0; k < inner; ++k) block[at(i, k)] = x[i * step + k];
  }
  for (int c = 0; c < channels; ++c) {
    std::fill_n(&block[c * kColumns + columns], kColumns - columns, Dtype(0));
  }
  SoftmaxBlock(channels, kColumns, block.data(), block.data());
  for (int i = 0; i < outer; ++i) {
    for (int k = 0; k < inner; ++k) y[i * step + k] = block[at(i, k)];
  }
}

}  // namespace

template <typename Dtype>
void Softmax(const SoftmaxShape& shape, const Dtype* x, Dtype* y) {
  const int64_t sample = static_cast<int64_t>(shape.channels) * shape.inner;
  if (sample == 0) return;
  if (shape.inner == 1) {
#pragma omp parallel for if (shape.outer * sample > kParallelCount)
    for (int first = 0; first < shape.outer; first += kColumns) {
      const int rows = std::min(kColumns, shape.outer - first);
      if (rows >= kFewRows) {
        SoftmaxCopied(shape.channels, rows, {1, shape.channels}, x + first * sample,
                      y + first * sample);
        continue;
      }
      for (int row = first; row < first + rows; ++row) {
        SoftmaxRow(shape.channels, x + row * sample, y + row * sample);
      }
    }
    return;
  }
  const int groups = (shape.inner + kColumns - 1) / kColumns;
#pragma omp parallel for collapse(2) if (shape.outer * sample > kParallelCount)
  for (int o = 0; o < shape.outer; ++o) {
    for (int group = 0; group < groups; ++group) {
      const int i = group * kColumns, columns = std::min(kColumns, shape.inner - i);
      const int64_t offset = o * sample + i;
      if (columns == kColumns) {
        SoftmaxBlock(shape.channels, shape.inner, x + offset, y + offset);
      } else {
        SoftmaxCopied(shape.channels, columns, {shape.inner, 1}, x + offset, y + offset);
      }
    }
  }
}

template void Softmax<float>(const SoftmaxShape&, const float*, float*);
template void Softmax<double>(const SoftmaxShape&, const double*, double*);

}  // namespace caffe
