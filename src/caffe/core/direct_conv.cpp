#include "caffe/util/direct_conv.hpp"

#include <algorithm>

#include "caffe/core/window_rows.hpp"

namespace caffe {

namespace {

// Below this many multiplications a team of threads costs more than it saves.
constexpr int64_t kParallelCount = 1 << 15;

}  // namespace

void DirectConv::Reshape(const Channels& channels, const vector<AxisWindow>& windows,
                         const int* input, const int* output) {
  vector<int> kernel, pad, stride, dilation;
  for (const AxisWindow& window : windows) {
    kernel.push_back(window.kernel);
    pad.push_back(window.pad);
    stride.push_back(window.stride);
    dilation.push_back(window.dilation);
  }
  const WindowRows rows = {static_cast<int>(windows.size()),
                           input,
                           output,
                           kernel.data(),
                           pad.data(),
                           stride.data(),
                           dilation.data()};
  channels_ = channels;
  input_rows_ = static_cast<int>(rows.InputRows());
  output_rows_ = static_cast<int>(rows.OutputRows());
  input_width_ = input[rows.last()];
  output_width_ = output[rows.last()];
  stride_ = stride.back();
  row_taps_ = rows.RowTaps();
  spans_.clear();
  for (int tap = 0; tap < kernel.back(); ++tap) {
    const TapSpan span = SpanOfTap(rows, tap);
    spans_.push_back({span.begin, span.end, span.first});
  }
  source_rows_.clear();
  for (int row = 0; row < output_rows_; ++row) {
    for (int tap = 0; tap < row_taps_; ++tap) {
      source_rows_.push_back(static_cast<int>(rows.SourceRow(tap, row)));
    }
  }
}

bool DirectConv::Parallel() const {
  return channels_.out * int64_t{InPerGroup()} * Taps() * OutputPlane() > kParallelCount;
}

template <typename Visit>
void DirectConv::ForEachRow(const Visit& visit) const {
  const int row_length = static_cast<int>(spans_.size());
  for (int row = 0; row < output_rows_; ++row) {
    for (int row_tap = 0; row_tap < row_taps_; ++row_tap) {
      const int source = source_rows_[static_cast<size_t>(row) * row_taps_ + row_tap];
      if (source < 0) continue;
      for (int t = 0; t < row_length; ++t) visit(row_tap * row_length + t, spans_[t], source, row);
    }
  }
}

template <typename Dtype>
void DirectConv::Forward(const Dtype* input, const Dtype* weights, Dtype* output) const {
#pragma omp parallel for if (Parallel())
  for (int o = 0; o < channels_.out; ++o) {
    Dtype* out_plane = output + o * OutputPlane();
    std::fill(out_plane, out_plane + OutputPlane(), Dtype(0));
    for (int j = 0; j < InPerGroup(); ++j) {
      const Dtype* in_plane = input + (o / OutPerGroup() * InPerGroup() + j) * InputPlane();
      const Dtype* kernel = weights + (int64_t{o} * InPerGroup() + j) * Taps();
      ForEachRow([&](int tap, const Span& span, int source, int row) {
        const Dtype weight = kernel[tap];
        const Dtype* in = in_plane + int64_t{source} * input_width_ + span.first;
        Dtype* out = out_plane + int64_t{row} * output_width_ + span.begin;
        const int count = span.end - span.begin, stride = stride_;
        if (stride == 1) {
          for (int x = 0; x < count; ++x) out[x] += weight * in[x];
        } else {
          for (int x = 0; x < count; ++x) out[x] += weight * in[int64_t{x} * stride];
        }
      });
    }
  }
}

template <typename Dtype>
void DirectConv::BackwardInput(const Dtype* output, const Dtype* weights, Dtype* input) const {
#pragma omp parallel for if (Parallel())
  for (int i = 0; i < channels_.in; ++i) {
    Dtype* in_plane = input + i * InputPlane();
    std::fill(in_plane, in_plane + InputPlane(), Dtype(0));
    const int first_out = i / InPerGroup() * OutPerGroup();
    for (int o = first_out; o < first_out + OutPerGroup(); ++o) {
      const Dtype* out_plane = output + o * OutputPlane();
      const Dtype* kernel = weights + (int64_t{o} * InPerGroup() + i % InPerGroup()) * Taps();
      ForEachRow([&](int tap, const Span& span, int source, int row) {
        const Dtype weight = kernel[tap];
        Dtype* in = in_plane + int64_t{source} * input_width_ + span.first;
        const Dtype* out = out_plane + int64_t{row} * output_width_ + span.begin;
        const int count = span.end - span.begin, stride = stride_;
        if (stride == 1) {
          for (int x = 0; x < count; ++x) in[x] += weight * out[x];
        } else {
          for (int x = 0; x < count; ++x) in[int64_t{x} * stride] += weight * out[x];
        }
      });
    }
  }
}

template <typename Dtype>
void DirectConv::BackwardWeights(const Dtype* input, const Dtype* output, Dtype* weights) const {
#pragma omp parallel for if (Parallel())
  for (int pair = 0; pair < channels_.out * InPerGroup(); ++pair) {
    const int o = pair / InPerGroup(), j = pair % InPerGroup();
    const Dtype* in_plane = input + (o / OutPerGroup() * InPerGroup() + j) * InputPlane();
    const Dtype* out_plane = output + o * OutputPlane();
    Dtype* kernel = weights + int64_t{pair} * Taps();
    ForEachRow([&](int tap, const Span& span, int source, int row) {
      const Dtype* in = in_plane + int64_t{source} * input_width_ + span.first;
      const Dtype* out = out_plane + int64_t{row} * output_width_ + span.begin;
      const int count = span.end - span.begin, stride = stride_;
      Dtype sum = 0;
      if (stride == 1) {
#pragma omp simd reduction(+ : sum)
        for (int x = 0; x < count; ++x) sum += in[x] * out[x];
      } else {
        for (int x = 0; x < count; ++x) sum += in[int64_t{x} * stride] * out[x];
      }
      kernel[tap] += sum;
    });
  }
}

#define CAFFE_INSTANTIATE_DIRECT_CONV(Dtype)                                                \
  template void DirectConv::Forward<Dtype>(const Dtype*, const Dtype*, Dtype*) const;       \
  template void DirectConv::BackwardInput<Dtype>(const Dtype*, const Dtype*, Dtype*) const; \
  template void DirectConv::BackwardWeights<Dtype>(const Dtype*, const Dtype*, Dtype*) const

CAFFE_INSTANTIATE_DIRECT_CONV(float);
CAFFE_INSTANTIATE_DIRECT_CONV(double);

}  // namespace caffe
