#ifndef CAFFE_UTIL_BROADCAST_HPP_
#define CAFFE_UTIL_BROADCAST_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/util/elementwise.hpp"

namespace caffe {

/**
 * @brief How a small array is repeated over a large one: element (o, d, i) of
 * the large one, of outer × dim × inner, goes with element d of the small one.
 */
struct Broadcast {
  int outer, dim, inner;
};

/**
 * @brief The broadcast of `small` over `large` whose axes from `axis` on it
 * has; a small blob without axes is one number for all.
 * @throws Error unless the axes of `small` are those of `large` from there on.
 */
template <typename Dtype>
Broadcast BroadcastAt(const Blob<Dtype>& large, int axis, const Blob<Dtype>& small) {
  if (small.num_axes() == 0) return Broadcast{1, 1, large.count()};
  const int begin = large.CanonicalAxisIndex(axis);
  bool fits = begin + small.num_axes() <= large.num_axes();
  for (int i = 0; fits && i < small.num_axes(); ++i) {
    fits = large.shape(begin + i) == small.shape(i);
  }
  CHECK(fits) << "a blob of shape " << small.shape_string() << " does not fit the axes from "
              << begin << " on of one of shape " << large.shape_string();
  const int end = begin + small.num_axes();
  return Broadcast{large.count(0, begin), small.count(), large.count(end)};
}

/** @brief small[d] = (add ? small[d] : 0) + Σ f(i) over the elements i of the large array that go
 * with d. */
template <typename Dtype, typename Function>
void SumBroadcast(const Broadcast& shape, bool add, Dtype* small, const Function& f) {
#pragma omp parallel for if (shape.outer * shape.dim * shape.inner >= kParallelElements)
  for (int d = 0; d < shape.dim; ++d) {
    double sum = 0;
    for (int o = 0; o < shape.outer; ++o) {
      const int begin = (o * shape.dim + d) * shape.inner;
      for (int i = begin; i < begin + shape.inner; ++i) sum += f(i);
    }
    small[d] = (add ? small[d] : Dtype(0)) + static_cast<Dtype>(sum);
  }
}

/** @brief f(i, d) for each element i of the large array, d the small one's that goes with it. */
template <typename Function>
void ForEachBroadcast(const Broadcast& shape, const Function& f) {
#pragma omp parallel for collapse(2) if (shape.outer * shape.dim * shape.inner >= kParallelElements)
  for (int o = 0; o < shape.outer; ++o) {
    for (int d = 0; d < shape.dim; ++d) {
      const int begin = (o * shape.dim + d) * shape.inner;
      for (int i = begin; i < begin + shape.inner; ++i) f(i, d);
    }
  }
}

/**
 * @brief The shape of a parameter over `num_axes` axes (-1: all) of `large` from `axis` on.
 * @throws Error if there are not so many.
 */
template <typename Dtype>
vector<int> BroadcastShape(const Blob<Dtype>& large, int axis, int num_axes) {
  if (num_axes == 0) return {};
  const int begin = large.CanonicalAxisIndex(axis);
  const int end = num_axes == -1 ? large.num_axes() : begin + num_axes;
  CHECK(num_axes >= -1 && end <= large.num_axes())
      << "num_axes " << num_axes << " from axis " << axis << " on, for a blob of shape "
      << large.shape_string();
  return vector<int>(large.shape().begin() + begin, large.shape().begin() + end);
}

}  // namespace caffe

#endif  // CAFFE_UTIL_BROADCAST_HPP_
