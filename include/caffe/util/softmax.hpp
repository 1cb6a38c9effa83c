#ifndef CAFFE_UTIL_SOFTMAX_HPP_
#define CAFFE_UTIL_SOFTMAX_HPP_

namespace caffe {

/** @brief An array seen as outer × channels × inner, in C order; softmax runs over the channels. */
struct SoftmaxShape {
  int outer;
  int channels;
  int inner;
};

/**
 * @brief y[o,c,i] = exp(x[o,c,i]) / Σ_k exp(x[o,k,i]); y may be x.
 *
 * The largest x of each sum is subtracted first, so no finite input overflows.
 * A NaN or +inf among the inputs of a sum makes its outputs NaN.
 */
template <typename Dtype>
void Softmax(const SoftmaxShape& shape, const Dtype* x, Dtype* y);

}  // namespace caffe

#endif  // CAFFE_UTIL_SOFTMAX_HPP_
