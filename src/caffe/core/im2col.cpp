#include "caffe/util/im2col.hpp"

#include <algorithm>
#include <cstdint>

#include "caffe/core/window_rows.hpp"

namespace caffe {

namespace {

// Below this many column elements a team of threads costs more than it saves.
constexpr int64_t kParallelCount = 1 << 14;

/** Writes one row of a column: the inputs of one row at one tap, zeros for padding. */
template <typename Dtype>
void UnfoldRow(const Dtype* image_row, const TapSpan& span, int stride, int width, Dtype* out) {
  std::fill(out, out + span.begin, Dtype(0));
  const Dtype* in = image_row + span.first;
  const int count = span.end - span.begin;
  if (stride == 1) {
    std::copy(in, in + count, out + span.begin);
  } else {
    for (int x = 0; x < count; ++x) out[span.begin + x] = in[int64_t{x} * stride];
  }
  std::fill(out + span.end, out + width, Dtype(0));
}

template <typename Dtype>
void FoldRow(const Dtype* column_row, const TapSpan& span, int stride, Dtype* image_row) {
  Dtype* out = image_row + span.first;
  const Dtype* in = column_row + span.begin;
  const int count = span.end - span.begin;
  if (stride == 1) {
    for (int x = 0; x < count; ++x) out[x] += in[x];
  } else {
    for (int x = 0; x < count; ++x) out[int64_t{x} * stride] += in[x];
  }
}

template <typename Dtype>
void Unfold(const WindowRows& rows, int channels, const Dtype* image, Dtype* columns) {
  const int taps = rows.Taps(), row_length = rows.kernel[rows.last()];
  const int64_t output_rows = rows.OutputRows(), input_rows = rows.InputRows();
  const int width = rows.output[rows.last()], input_width = rows.input[rows.last()];
  const int stride = rows.stride[rows.last()];
  const int64_t plane = output_rows * width;
#pragma omp parallel for if (channels * int64_t{taps} * plane > kParallelCount)
  for (int c = 0; c < channels * taps; ++c) {
    const int tap = c % taps;
    const TapSpan span = SpanOfTap(rows, tap % row_length);
    const Dtype* channel = image + c / taps * input_rows * input_width;
    for (int64_t row = 0; row < output_rows; ++row) {
      Dtype* out = columns + c * plane + row * width;
      const int64_t source = rows.SourceRow(tap / row_length, row);
      if (source < 0 || span.begin == span.end) {
        std::fill(out, out + width, Dtype(0));
      } else {
        UnfoldRow(channel + source * input_width, span, stride, width, out);
      }
    }
  }
}

template <typename Dtype>
void Fold(const WindowRows& rows, int channels, const Dtype* columns, Dtype* image) {
  const int taps = rows.Taps(), row_length = rows.kernel[rows.last()];
  const int64_t output_rows = rows.OutputRows();
  const int width = rows.output[rows.last()], input_width = rows.input[rows.last()];
  const int64_t plane = output_rows * width, input_plane = rows.InputRows() * input_width;
  // A thread owns whole channels, so no element is added to by two.
#pragma omp parallel for if (channels * int64_t{taps} * plane > kParallelCount)
  for (int c = 0; c < channels; ++c) {
    Dtype* channel = image + c * input_plane;
    std::fill(channel, channel + input_plane, Dtype(0));
    for (int tap = 0; tap < taps; ++tap) {
      const TapSpan span = SpanOfTap(rows, tap % row_length);
      if (span.begin == span.end) continue;
      const Dtype* column = columns + (int64_t{c} * taps + tap) * plane;
      for (int64_t row = 0; row < output_rows; ++row) {
        const int64_t source = rows.SourceRow(tap / row_length, row);
        if (source < 0) continue;
        FoldRow(column + row * width, span, rows.stride[rows.last()],
                channel + source * input_width);
      }
    }
  }
}

/** The arrays of a two-axis window, from Caffe's separate arguments. */
struct Window2D {
  int input[2], output[2], kernel[2], pad[2], stride[2], dilation[2];
  void SetOutput() {
    for (int i = 0; i < 2; ++i) {
      output[i] = (input[i] + 2 * pad[i] - dilation[i] * (kernel[i] - 1) - 1) / stride[i] + 1;
    }
  }
  WindowRows Rows() const { return {2, input, output, kernel, pad, stride, dilation}; }
};

}  // namespace

// NOLINTBEGIN(readability-function-size): Caffe's signatures
template <typename Dtype>
void im2col_nd_cpu(const Dtype* data_im, const int num_spatial_axes, const int* im_shape,
                   const int* col_shape, const int* kernel_shape, const int* pad, const int* stride,
                   const int* dilation, Dtype* data_col) {
  Unfold({num_spatial_axes, im_shape + 1, col_shape + 1, kernel_shape, pad, stride, dilation},
         im_shape[0], data_im, data_col);
}

template <typename Dtype>
void col2im_nd_cpu(const Dtype* data_col, const int num_spatial_axes, const int* im_shape,
                   const int* col_shape, const int* kernel_shape, const int* pad, const int* stride,
                   const int* dilation, Dtype* data_im) {
  Fold({num_spatial_axes, im_shape + 1, col_shape + 1, kernel_shape, pad, stride, dilation},
       im_shape[0], data_col, data_im);
}

template <typename Dtype>
void im2col_cpu(const Dtype* data_im, const int channels, const int height, const int width,
                const int kernel_h, const int kernel_w, const int pad_h, const int pad_w,
                const int stride_h, const int stride_w, const int dilation_h, const int dilation_w,
                Dtype* data_col) {
  Window2D window = {{height, width},      {},
                     {kernel_h, kernel_w}, {pad_h, pad_w},
                     {stride_h, stride_w}, {dilation_h, dilation_w}};
  window.SetOutput();
  Unfold(window.Rows(), channels, data_im, data_col);
}

template <typename Dtype>
void col2im_cpu(const Dtype* data_col, const int channels, const int height, const int width,
                const int kernel_h, const int kernel_w, const int pad_h, const int pad_w,
                const int stride_h, const int stride_w, const int dilation_h, const int dilation_w,
                Dtype* data_im) {
  Window2D window = {{height, width},      {},
                     {kernel_h, kernel_w}, {pad_h, pad_w},
                     {stride_h, stride_w}, {dilation_h, dilation_w}};
  window.SetOutput();
  Fold(window.Rows(), channels, data_col, data_im);
}
// NOLINTEND(readability-function-size)

#define CAFFE_INSTANTIATE_IM2COL(Dtype)                                                           \
  template void im2col_cpu<Dtype>(const Dtype*, const int, const int, const int, const int,       \
                                  const int, const int, const int, const int, const int,          \
                                  const int, const int, Dtype*);                                  \
  template void col2im_cpu<Dtype>(const Dtype*, const int, const int, const int, const int,       \
                                  const int, const int, const int, const int, const int,          \
                                  const int, const int, Dtype*);                                  \
  template void im2col_nd_cpu<Dtype>(const Dtype*, const int, const int*, const int*, const int*, \
                                     const int*, const int*, const int*, Dtype*);                 \
  template void col2im_nd_cpu<Dtype>(const Dtype*, const int, const int*, const int*, const int*, \
                                     const int*, const int*, const int*, Dtype*)

CAFFE_INSTANTIATE_IM2COL(float);
CAFFE_INSTANTIATE_IM2COL(double);

}  // namespace caffe
