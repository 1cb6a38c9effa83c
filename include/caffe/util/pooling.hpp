#ifndef CAFFE_UTIL_POOLING_HPP_
#define CAFFE_UTIL_POOLING_HPP_

#include <cstdint>

namespace caffe {

/**
 * @brief The windows of a pooling of height × width planes.
 *
 * Window (y, x) covers rows y · stride_h − pad_h to … + kernel_h − 1, and so
 * for columns, clipped to the plane; every window must touch the plane.
 */
struct PoolWindows {
  int height, width;
  int pooled_height, pooled_width;
  int kernel_h, kernel_w;
  int stride_h, stride_w;
  int pad_h, pad_w;

  int64_t plane() const { return int64_t{height} * width; }
  int64_t pooled_plane() const { return int64_t{pooled_height} * pooled_width; }
};

// All arrays hold `planes` planes. Every function overwrites its outputs, and
// gives the same bits for any number of threads.

/**
 * @brief The largest value of each window, and its index in the plane. The
 * first of equal values wins; a NaN in a window makes it NaN.
 */
template <typename Dtype>
void PoolMax(const PoolWindows& windows, int planes, const Dtype* bottom, Dtype* top, int* index);

/**
 * @brief Draws one element of each window, with probability in proportion to
 * its value: the first whose running sum exceeds random · (sum of the window).
 * A window of zeros gives its first element.
 * @param random one number in [0, 1] for each window
 * @throws Error for an input below zero, or NaN.
 */
template <typename Dtype>
void PoolSample(const PoolWindows& windows, int planes, const Dtype* bottom, const Dtype* random,
                Dtype* top, int* index);

/** @brief The gradient of PoolMax and PoolSample: each top's goes to the element at its index. */
template <typename Dtype>
void PoolScatter(const PoolWindows& windows, int planes, const Dtype* top_diff, const int* index,
                 Dtype* bottom_diff);

/**
 * @brief The sum of each window over its area. The area counts padding, but
 * not what lies beyond it, as in Caffe.
 */
template <typename Dtype>
void PoolAverage(const PoolWindows& windows, int planes, const Dtype* bottom, Dtype* top);

/** @brief The gradient of PoolAverage. */
template <typename Dtype>
void PoolAverageBackward(const PoolWindows& windows, int planes, const Dtype* top_diff,
                         Dtype* bottom_diff);

/**
 * @brief The mean of PoolSample: Σ x² / Σ x over each window, 0 for zeros.
 * @throws Error for an input below zero, or NaN.
 */
template <typename Dtype>
void PoolExpected(const PoolWindows& windows, int planes, const Dtype* bottom, Dtype* top);

/** @brief The gradient of PoolExpected: (2x − y) / Σ x for each element x of a window with top y.
 */
template <typename Dtype>
void PoolExpectedBackward(const PoolWindows& windows, int planes, const Dtype* bottom,
                          const Dtype* top_diff, Dtype* bottom_diff);

}  // namespace caffe

#endif  // CAFFE_UTIL_POOLING_HPP_
