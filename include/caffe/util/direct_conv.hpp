#ifndef CAFFE_UTIL_DIRECT_CONV_HPP_
#define CAFFE_UTIL_DIRECT_CONV_HPP_

#include <cstdint>
#include <vector>

#include "caffe/util/spatial.hpp"

namespace caffe {

/**
 * @brief A grouped convolution computed without columns, for groups of one or
 * few channels (depthwise convolutions), where a matrix product a group is slow.
 *
 * Arrays are those of one image: input in_channels × input axes, output
 * out_channels × output axes, weights out_channels × (in_channels / group) ×
 * kernel axes. With i(o, j) = ⌊o / (out_channels / group)⌋ · (in_channels / group) + j,
 *
 *   output[o, y] = Σ_j Σ_t weights[o, j, t] · input[i(o, j), y · stride − pad + t · dilation]
 *
 * Results do not depend on the number of threads.
 */
class DirectConv {
 public:
  struct Channels {
    int group, in, out;
  };
  /** @brief Sets the sizes: for each spatial axis its window, input and output size. */
  void Reshape(const Channels& channels, const vector<AxisWindow>& windows, const int* input,
               const int* output);

  /** @brief Overwrites `output`. */
  template <typename Dtype>
  void Forward(const Dtype* input, const Dtype* weights, Dtype* output) const;
  /** @brief The gradient of the input, from that of the output; overwrites `input`. */
  template <typename Dtype>
  void BackwardInput(const Dtype* output, const Dtype* weights, Dtype* input) const;
  /** @brief Adds the gradient of the weights to `weights`. */
  template <typename Dtype>
  void BackwardWeights(const Dtype* input, const Dtype* output, Dtype* weights) const;

 private:
  /** One tap of the last axis: outputs [begin, end) read inputs first, first + stride, … */
  struct Span {
    int begin, end, first;
  };
  int InPerGroup() const { return channels_.in / channels_.group; }
  int OutPerGroup() const { return channels_.out / channels_.group; }
  int Taps() const { return row_taps_ * static_cast<int>(spans_.size()); }
  int64_t InputPlane() const { return int64_t{input_rows_} * input_width_; }
  int64_t OutputPlane() const { return int64_t{output_rows_} * output_width_; }
  bool Parallel() const;
  /** @brief Calls visit(tap, span, source row, output row) for all that lies inside the input. */
  template <typename Visit>
  void ForEachRow(const Visit& visit) const;

  Channels channels_ = {1, 0, 0};
  int input_rows_ = 0, input_width_ = 0, output_rows_ = 0, output_width_ = 0;
  int row_taps_ = 0, stride_ = 1;
  vector<Span> spans_;       ///< one for each tap of the last axis
  vector<int> source_rows_;  ///< input row of [output row][row tap], −1 for padding
};

}  // namespace caffe

#endif  // CAFFE_UTIL_DIRECT_CONV_HPP_
