#ifndef CAFFE_UTIL_ELEMENTWISE_HPP_
#define CAFFE_UTIL_ELEMENTWISE_HPP_

namespace caffe {

/** Below so many elements, waking the other threads costs more than they save. */
const int kParallelElements = 1 << 15;

/**
 * @brief y[i] = f(x[i]) for i < n; x and y may be the same.
 *
 * The elements are shared among threads, so f must neither throw nor write
 * anywhere; the result does not depend on the number of threads.
 */
template <typename Dtype, typename Function>
void MapElements(const int n, const Dtype* x, Dtype* y, const Function& f) {
#pragma omp parallel for if (n >= kParallelElements)
  for (int i = 0; i < n; ++i) y[i] = f(x[i]);
}

/** @brief y[i] = f(a[i], b[i]) for i < n, as above; y may be a or b. */
template <typename Dtype, typename Function>
void MapElements(const int n, const Dtype* a, const Dtype* b, Dtype* y, const Function& f) {
#pragma omp parallel for if (n >= kParallelElements)
  for (int i = 0; i < n; ++i) y[i] = f(a[i], b[i]);
}

/** @brief y[i] = f(a[i], b[i], c[i]) for i < n, as above; y may be any of the three. */
template <typename Dtype, typename Function>
void MapElements(const int n, const Dtype* a, const Dtype* b, const Dtype* c, Dtype* y,
                 const Function& f) {
#pragma omp parallel for if (n >= kParallelElements)
  for (int i = 0; i < n; ++i) y[i] = f(a[i], b[i], c[i]);
}

}  // namespace caffe

#endif  // CAFFE_UTIL_ELEMENTWISE_HPP_
