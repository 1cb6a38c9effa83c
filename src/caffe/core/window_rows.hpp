#ifndef CAFFE_CORE_WINDOW_ROWS_HPP_
#define CAFFE_CORE_WINDOW_ROWS_HPP_

#include <algorithm>
#include <cstdint>

namespace caffe {

/**
 * @brief The arithmetic of windows that slide over N ≥ 1 spatial axes, row by
 * row: a row is the last axis, and all others together number the rows.
 *
 * Output o of an axis reads, at tap t, input o · stride − pad + t · dilation.
 * Each pointer holds one value an axis.
 */
struct WindowRows {
  int num_axes;
  const int* input;
  const int* output;
  const int* kernel;
  const int* pad;
  const int* stride;
  const int* dilation;

  int last() const { return num_axes - 1; }
  /** @brief The taps of all axes but the last. */
  int RowTaps() const { return Product(kernel); }
  /** @brief The taps of all axes. */
  int Taps() const { return RowTaps() * kernel[last()]; }
  int64_t InputRows() const { return Product(input); }
  int64_t OutputRows() const { return Product(output); }

  /** @brief The input row that an output row reads at a row tap, or −1 where that is padding. */
  int64_t SourceRow(int row_tap, int64_t output_row) const {
    int64_t source = 0, below = 1;
    for (int i = last() - 1; i >= 0; --i) {
      const int position = static_cast<int>(output_row % output[i]) * stride[i] - pad[i] +
                           row_tap % kernel[i] * dilation[i];
      if (position < 0 || position >= input[i]) return -1;
      source += position * below;
      below *= input[i];
      output_row /= output[i];
      row_tap /= kernel[i];
    }
    return source;
  }

 private:
  int Product(const int* values) const {
    int product = 1;
    for (int i = 0; i < last(); ++i) product *= values[i];
    return product;
  }
};

/**
 * @brief The outputs [begin, end) of a row that read inside the input at one
 * tap of the last axis; they read first, first + stride, … (first is 0 if there are none).
 */
struct TapSpan {
  int begin;
  int end;
  int first;
};

inline TapSpan SpanOfTap(const WindowRows& rows, int tap) {
  const int i = rows.last();
  const int stride = rows.stride[i];
  const int offset = tap * rows.dilation[i] - rows.pad[i];
  TapSpan span;
  span.begin = offset >= 0 ? 0 : std::min(rows.output[i], (-offset + stride - 1) / stride);
  const int room = rows.input[i] - offset;  // positions below it are inside
  span.end = room <= 0
                 ? span.begin
                 : std::max(span.begin, std::min(rows.output[i], (room + stride - 1) / stride));
  span.first = span.begin < span.end ? span.begin * stride + offset : 0;
  return span;
}

}  // namespace caffe

#endif  // CAFFE_CORE_WINDOW_ROWS_HPP_
