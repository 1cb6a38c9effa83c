#include "caffe/util/math_functions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "caffe/util/elementwise.hpp"
#include "caffe/util/rng.hpp"

namespace caffe {

// NOLINTBEGIN(readability-function-size): Caffe's signatures
template <>
void caffe_cpu_gemm<float>(const CBLAS_TRANSPOSE TransA, const CBLAS_TRANSPOSE TransB, const int M,
                           const int N, const int K, const float alpha, const float* A,
                           const float* B, const float beta, float* C) {
  const int lda = TransA == CblasNoTrans ? K : M;
  const int ldb = TransB == CblasNoTrans ? N : K;
  cblas_sgemm(CblasRowMajor, TransA, TransB, M, N, K, alpha, A, std::max(lda, 1), B,
              std::max(ldb, 1), beta, C, std::max(N, 1));
}

template <>
void caffe_cpu_gemm<double>(const CBLAS_TRANSPOSE TransA, const CBLAS_TRANSPOSE TransB, const int M,
                            const int N, const int K, const double alpha, const double* A,
                            const double* B, const double beta, double* C) {
  const int lda = TransA == CblasNoTrans ? K : M;
  const int ldb = TransB == CblasNoTrans ? N : K;
  cblas_dgemm(CblasRowMajor, TransA, TransB, M, N, K, alpha, A, std::max(lda, 1), B,
              std::max(ldb, 1), beta, C, std::max(N, 1));
}

namespace {

/** The BLAS leaves y as it is where the sum has no terms, instead of y = beta y. */
template <typename Dtype>
bool ScaleIfSumIsEmpty(const CBLAS_TRANSPOSE TransA, const int M, const int N, const Dtype beta,
                       Dtype* y) {
  if ((TransA == CblasNoTrans ? N : M) != 0) return false;
  const int count = TransA == CblasNoTrans ? M : N;
  for (int i = 0; i < count; ++i) y[i] = beta == 0 ? Dtype(0) : beta * y[i];
  return true;
}

}  // namespace

template <>
void caffe_cpu_gemv<float>(const CBLAS_TRANSPOSE TransA, const int M, const int N,
                           const float alpha, const float* A, const float* x, const float beta,
                           float* y) {
  if (ScaleIfSumIsEmpty(TransA, M, N, beta, y)) return;
  cblas_sgemv(CblasRowMajor, TransA, M, N, alpha, A, std::max(N, 1), x, 1, beta, y, 1);
}

template <>
void caffe_cpu_gemv<double>(const CBLAS_TRANSPOSE TransA, const int M, const int N,
                            const double alpha, const double* A, const double* x, const double beta,
                            double* y) {
  if (ScaleIfSumIsEmpty(TransA, M, N, beta, y)) return;
  cblas_dgemv(CblasRowMajor, TransA, M, N, alpha, A, std::max(N, 1), x, 1, beta, y, 1);
}
// NOLINTEND(readability-function-size)

template <>
void caffe_axpy<float>(const int N, const float alpha, const float* X, float* Y) {
  cblas_saxpy(N, alpha, X, 1, Y, 1);
}

template <>
void caffe_axpy<double>(const int N, const double alpha, const double* X, double* Y) {
  cblas_daxpy(N, alpha, X, 1, Y, 1);
}

template <>
void caffe_cpu_axpby<float>(const int N, const float alpha, const float* X, const float beta,
                            float* Y) {
  cblas_saxpby(N, alpha, X, 1, beta, Y, 1);
}

template <>
void caffe_cpu_axpby<double>(const int N, const double alpha, const double* X, const double beta,
                             double* Y) {
  cblas_daxpby(N, alpha, X, 1, beta, Y, 1);
}

template <>
void caffe_scal<float>(const int N, const float alpha, float* X) {
  cblas_sscal(N, alpha, X, 1);
}

template <>
void caffe_scal<double>(const int N, const double alpha, double* X) {
  cblas_dscal(N, alpha, X, 1);
}

template <>
float caffe_cpu_strided_dot<float>(const int n, const float* x, const int incx, const float* y,
                                   const int incy) {
  return cblas_sdot(n, x, incx, y, incy);
}

template <>
double caffe_cpu_strided_dot<double>(const int n, const double* x, const int incx, const double* y,
                                     const int incy) {
  return cblas_ddot(n, x, incx, y, incy);
}

template <>
float caffe_cpu_asum<float>(const int n, const float* x) {
  return cblas_sasum(n, x, 1);
}

template <>
double caffe_cpu_asum<double>(const int n, const double* x) {
  return cblas_dasum(n, x, 1);
}

template <typename Dtype>
Dtype caffe_cpu_dot(const int n, const Dtype* x, const Dtype* y) {
  return caffe_cpu_strided_dot(n, x, 1, y, 1);
}

namespace {

/** work(first, end) on the ranges that make up [0, n), by all threads where it is much. */
template <typename Work>
void ForRanges(const int n, const Work& work) {
  constexpr int64_t kRange = kParallelElements;
#pragma omp parallel for schedule(static) if (n >= 2 * kRange)
  for (int64_t first = 0; first < n; first += kRange)
    work(first, std::min<int64_t>(first + kRange, n));
}

}  // namespace

template <typename Dtype>
void caffe_copy(const int N, const Dtype* X, Dtype* Y) {
  if (X == Y) return;
  ForRanges(N, [=](int64_t first, int64_t end) {
    std::memcpy(Y + first, X + first, sizeof(Dtype) * (end - first));
  });
}

template <typename Dtype>
void caffe_set(const int N, const Dtype alpha, Dtype* X) {
  ForRanges(N, [=](int64_t first, int64_t end) { std::fill(X + first, X + end, alpha); });
}

template <typename Dtype>
void caffe_add_scalar(const int N, const Dtype alpha, Dtype* X) {
  MapElements(N, X, X, [=](Dtype x) { return x + alpha; });
}

template <typename Dtype>
void caffe_cpu_scale(const int n, const Dtype alpha, const Dtype* x, Dtype* y) {
  MapElements(n, x, y, [=](Dtype value) { return alpha * value; });
}

template <typename Dtype>
void caffe_powx(const int n, const Dtype* a, const Dtype b, Dtype* y) {
  MapElements(n, a, y, [=](Dtype x) { return std::pow(x, b); });
}

#define CAFFE_DEFINE_UNARY(name, expression)                  \
  template <typename Dtype>                                   \
  void name(const int n, const Dtype* a, Dtype* y) {          \
    MapElements(n, a, y, [](Dtype x) { return expression; }); \
  }
CAFFE_DEFINE_UNARY(caffe_sqr, x* x)
CAFFE_DEFINE_UNARY(caffe_sqrt, std::sqrt(x))
CAFFE_DEFINE_UNARY(caffe_exp, std::exp(x))
CAFFE_DEFINE_UNARY(caffe_log, std::log(x))
CAFFE_DEFINE_UNARY(caffe_abs, std::fabs(x))
CAFFE_DEFINE_UNARY(caffe_cpu_fabs, std::fabs(x))
CAFFE_DEFINE_UNARY(caffe_cpu_sign, static_cast<Dtype>(caffe_sign(x)))
CAFFE_DEFINE_UNARY(caffe_cpu_sgnbit, static_cast<Dtype>(std::signbit(x) ? 1 : 0))

#define CAFFE_DEFINE_BINARY(name, op)                                 \
  template <typename Dtype>                                           \
  void name(const int n, const Dtype* a, const Dtype* b, Dtype* y) {  \
    MapElements(n, a, b, y, [](Dtype s, Dtype t) { return s op t; }); \
  }
CAFFE_DEFINE_BINARY(caffe_add, +)
CAFFE_DEFINE_BINARY(caffe_sub, -)
CAFFE_DEFINE_BINARY(caffe_mul, *)
CAFFE_DEFINE_BINARY(caffe_div, /)

unsigned int caffe_rng_rand() { return static_cast<unsigned int>((*caffe_rng())()); }

template <typename Dtype>
Dtype caffe_nextafter(const Dtype b) {
  return std::nextafter(b, std::numeric_limits<Dtype>::max());
}

template <typename Dtype>
void caffe_rng_uniform(const int n, const Dtype a, const Dtype b, Dtype* r) {
  CHECK_LE(a, b) << "a uniform distribution needs min <= max";
  std::uniform_real_distribution<Dtype> distribution(a, caffe_nextafter<Dtype>(b));
  // The interval ends before its bound, which rounding may yet give.
  for (int i = 0; i < n; ++i) r[i] = std::min(distribution(*caffe_rng()), b);
}

template <typename Dtype>
void caffe_rng_gaussian(const int n, const Dtype mu, const Dtype sigma, Dtype* r) {
  CHECK_GT(sigma, 0) << "a gaussian distribution needs a positive std";
  std::normal_distribution<Dtype> distribution(mu, sigma);
  for (int i = 0; i < n; ++i) r[i] = distribution(*caffe_rng());
}

namespace {

template <typename Dtype, typename Int>
void FillBernoulli(const int n, const Dtype p, Int* r) {
  CHECK(p >= 0 && p <= 1) << "a probability lies in [0, 1], got " << p;
  std::bernoulli_distribution distribution(p);
  for (int i = 0; i < n; ++i) r[i] = distribution(*caffe_rng()) ? 1 : 0;
}

}  // namespace

template <typename Dtype>
void caffe_rng_bernoulli(const int n, const Dtype p, int* r) {
  FillBernoulli(n, p, r);
}

template <typename Dtype>
void caffe_rng_bernoulli(const int n, const Dtype p, unsigned int* r) {
  FillBernoulli(n, p, r);
}

#define CAFFE_INSTANTIATE_MATH(Dtype)                                                   \
  template Dtype caffe_cpu_dot<Dtype>(const int, const Dtype*, const Dtype*);           \
  template void caffe_add_scalar<Dtype>(const int, const Dtype, Dtype*);                \
  template void caffe_cpu_scale<Dtype>(const int, const Dtype, const Dtype*, Dtype*);   \
  template void caffe_powx<Dtype>(const int, const Dtype*, const Dtype, Dtype*);        \
  template void caffe_sqr<Dtype>(const int, const Dtype*, Dtype*);                      \
  template void caffe_sqrt<Dtype>(const int, const Dtype*, Dtype*);                     \
  template void caffe_exp<Dtype>(const int, const Dtype*, Dtype*);                      \
  template void caffe_log<Dtype>(const int, const Dtype*, Dtype*);                      \
  template void caffe_abs<Dtype>(const int, const Dtype*, Dtype*);                      \
  template void caffe_cpu_fabs<Dtype>(const int, const Dtype*, Dtype*);                 \
  template void caffe_cpu_sign<Dtype>(const int, const Dtype*, Dtype*);                 \
  template void caffe_cpu_sgnbit<Dtype>(const int, const Dtype*, Dtype*);               \
  template void caffe_add<Dtype>(const int, const Dtype*, const Dtype*, Dtype*);        \
  template void caffe_sub<Dtype>(const int, const Dtype*, const Dtype*, Dtype*);        \
  template void caffe_mul<Dtype>(const int, const Dtype*, const Dtype*, Dtype*);        \
  template void caffe_div<Dtype>(const int, const Dtype*, const Dtype*, Dtype*);        \
  template Dtype caffe_nextafter<Dtype>(const Dtype);                                   \
  template void caffe_rng_uniform<Dtype>(const int, const Dtype, const Dtype, Dtype*);  \
  template void caffe_rng_gaussian<Dtype>(const int, const Dtype, const Dtype, Dtype*); \
  template void caffe_rng_bernoulli<Dtype>(const int, const Dtype, int*);               \
  template void caffe_rng_bernoulli<Dtype>(const int, const Dtype, unsigned int*)

CAFFE_INSTANTIATE_MATH(float);
CAFFE_INSTANTIATE_MATH(double);

#define CAFFE_INSTANTIATE_COPY(Dtype)                               \
  template void caffe_copy<Dtype>(const int, const Dtype*, Dtype*); \
  template void caffe_set<Dtype>(const int, const Dtype, Dtype*)
CAFFE_INSTANTIATE_COPY(float);
CAFFE_INSTANTIATE_COPY(double);
CAFFE_INSTANTIATE_COPY(int);
CAFFE_INSTANTIATE_COPY(unsigned int);

}  // namespace caffe
