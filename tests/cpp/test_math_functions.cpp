#include <algorithm>
#include <numeric>

#include "caffe/util/math_functions.hpp"
#include "test_util.hpp"

namespace caffe {

namespace {

template <typename Dtype>
class MathFunctionsTest : public ::testing::Test {
 protected:
  /** Sums of products of a dozen numbers below 2: some hundred units in the last place of 1. */
  static double Tolerance() { return 200 * std::numeric_limits<Dtype>::epsilon(); }
  static vector<Dtype> Random(int n, unsigned seed) { return RandomValues<Dtype>(n, seed); }
  static Dtype NaN() { return std::numeric_limits<Dtype>::quiet_NaN(); }
};

TYPED_TEST_SUITE(MathFunctionsTest, TestDtypes);

/** Element (i, j) of op(A), A stored with `rows` × `columns` of op(A). */
template <typename Dtype>
Dtype Op(const vector<Dtype>& a, CBLAS_TRANSPOSE trans, int rows, int columns, int i, int j) {
  return trans == CblasNoTrans ? a[i * columns + j] : a[j * rows + i];
}

}  // namespace

TYPED_TEST(MathFunctionsTest, GemmIsTheFormulaForEveryTransposition) {
  const int M = 3, N = 4, K = 5;
  for (const CBLAS_TRANSPOSE trans_a : {CblasNoTrans, CblasTrans}) {
    for (const CBLAS_TRANSPOSE trans_b : {CblasNoTrans, CblasTrans}) {
      const auto a = this->Random(M * K, 1), b = this->Random(K * N, 2), c = this->Random(M * N, 3);
      vector<TypeParam> got = c, expected = c;
      caffe_cpu_gemm<TypeParam>(trans_a, trans_b, M, N, K, TypeParam(1.5), a.data(), b.data(),
                                TypeParam(-0.5), got.data());
      for (int i = 0; i < M; ++i) {
        for (int j = 0; j < N; ++j) {
          TypeParam sum = 0;
          for (int k = 0; k < K; ++k) {
            sum += Op(a, trans_a, M, K, i, k) * Op(b, trans_b, K, N, k, j);
          }
          expected[i * N + j] = TypeParam(1.5) * sum - TypeParam(0.5) * c[i * N + j];
        }
      }
      ExpectNear(got, expected, this->Tolerance());
    }
  }
}

TYPED_TEST(MathFunctionsTest, GemvIsTheFormula) {
  const int M = 3, N = 4;
  const auto a = this->Random(M * N, 1), x = this->Random(N, 2), y = this->Random(M, 3);
  vector<TypeParam> got = y, expected(M), back = x, expected_back(N);
  caffe_cpu_gemv<TypeParam>(CblasNoTrans, M, N, 2, a.data(), x.data(), TypeParam(0.5), got.data());
  caffe_cpu_gemv<TypeParam>(CblasTrans, M, N, 2, a.data(), y.data(), 1, back.data());
  for (int i = 0; i < M; ++i) {
    expected[i] = TypeParam(0.5) * y[i];
    for (int j = 0; j < N; ++j) expected[i] += 2 * a[i * N + j] * x[j];
  }
  for (int j = 0; j < N; ++j) {
    expected_back[j] = x[j];
    for (int i = 0; i < M; ++i) expected_back[j] += 2 * a[i * N + j] * y[i];
  }
  ExpectNear(got, expected, this->Tolerance());
  ExpectNear(back, expected_back, this->Tolerance());
}

TYPED_TEST(MathFunctionsTest, BetaZeroOverwritesWhateverWasThere) {
  const vector<TypeParam> ones(4, 1);
  vector<TypeParam> c(4, this->NaN()), y(2, this->NaN()), z(4, this->NaN());
  caffe_cpu_gemm<TypeParam>(CblasNoTrans, CblasNoTrans, 2, 2, 2, 1, ones.data(), ones.data(), 0,
                            c.data());
  EXPECT_EQ(c, vector<TypeParam>(4, 2));
  for (const CBLAS_TRANSPOSE trans : {CblasNoTrans, CblasTrans}) {
    y.assign(2, this->NaN());
    caffe_cpu_gemv<TypeParam>(trans, 2, 2, 1, ones.data(), ones.data(), 0, y.data());
    EXPECT_EQ(y, vector<TypeParam>(2, 2));
  }
  caffe_cpu_axpby<TypeParam>(4, 3, ones.data(), 0, z.data());
  EXPECT_EQ(z, vector<TypeParam>(4, 3));
}

TYPED_TEST(MathFunctionsTest, SumsOfNothingAreZero) {
  const vector<TypeParam> nothing(1);
  vector<TypeParam> c(4, 3), y(2, 3);
  caffe_cpu_gemm<TypeParam>(CblasNoTrans, CblasNoTrans, 2, 2, 0, 1, nothing.data(), nothing.data(),
                            TypeParam(0.5), c.data());
  EXPECT_EQ(c, vector<TypeParam>(4, 1.5));
  caffe_cpu_gemm<TypeParam>(CblasTrans, CblasTrans, 2, 2, 0, 1, nothing.data(), nothing.data(), 0,
                            c.data());
  EXPECT_EQ(c, vector<TypeParam>(4, 0));
  caffe_cpu_gemv<TypeParam>(CblasNoTrans, 2, 0, 1, nothing.data(), nothing.data(), TypeParam(0.5),
                            y.data());
  EXPECT_EQ(y, vector<TypeParam>(2, 1.5));
  caffe_cpu_gemv<TypeParam>(CblasTrans, 0, 2, 1, nothing.data(), nothing.data(), 0, y.data());
  EXPECT_EQ(y, vector<TypeParam>(2, 0));
  EXPECT_EQ(caffe_cpu_dot<TypeParam>(0, nothing.data(), nothing.data()), 0);
  EXPECT_EQ(caffe_cpu_asum<TypeParam>(0, nothing.data()), 0);
}

TYPED_TEST(MathFunctionsTest, VectorsByHand) {
  const vector<TypeParam> x = {1, -2, 3}, y = {4, 5, -6};
  vector<TypeParam> z = y;
  caffe_axpy<TypeParam>(3, 2, x.data(), z.data());
  EXPECT_EQ(z, vector<TypeParam>({6, 1, 0}));
  caffe_cpu_axpby<TypeParam>(3, 2, x.data(), -1, z.data());
  EXPECT_EQ(z, vector<TypeParam>({-4, -5, 6}));
  caffe_scal<TypeParam>(3, -2, z.data());
  EXPECT_EQ(z, vector<TypeParam>({8, 10, -12}));
  caffe_cpu_scale<TypeParam>(3, TypeParam(0.5), x.data(), z.data());
  EXPECT_EQ(z, vector<TypeParam>({0.5, -1, 1.5}));
  caffe_add_scalar<TypeParam>(3, 1, z.data());
  EXPECT_EQ(z, vector<TypeParam>({1.5, 0, 2.5}));
  EXPECT_EQ(caffe_cpu_dot<TypeParam>(3, x.data(), y.data()), -24);
  EXPECT_EQ(caffe_cpu_strided_dot<TypeParam>(2, x.data(), 2, y.data(), 1), 19);
  EXPECT_EQ(caffe_cpu_asum<TypeParam>(3, x.data()), 6);
}

TYPED_TEST(MathFunctionsTest, CopyAndSet) {
  vector<TypeParam> x = {1, 2, 3}, y(3);
  caffe_copy<TypeParam>(2, x.data(), y.data());
  EXPECT_EQ(y, vector<TypeParam>({1, 2, 0}));
  caffe_copy<TypeParam>(3, x.data(), x.data());
  EXPECT_EQ(x, vector<TypeParam>({1, 2, 3}));
  caffe_copy<TypeParam>(0, nullptr, nullptr);
  caffe_set<TypeParam>(2, 7, x.data());
  EXPECT_EQ(x, vector<TypeParam>({7, 7, 3}));
  caffe_memset(2 * sizeof(TypeParam), 0, x.data());
  EXPECT_EQ(x, vector<TypeParam>({0, 0, 3}));
}

TYPED_TEST(MathFunctionsTest, CopyAndSetOnSeveralThreads) {
  const int n = 200001;  // several ranges, the last one short
  vector<TypeParam> x(n), y(n + 1, -1), seven(n, 7);
  std::iota(x.begin(), x.end(), TypeParam(0));
  caffe_copy<TypeParam>(n, x.data(), y.data());
  EXPECT_TRUE(std::equal(x.begin(), x.end(), y.begin()));
  caffe_set<TypeParam>(n, 7, y.data());
  EXPECT_TRUE(std::equal(seven.begin(), seven.end(), y.begin()));
  EXPECT_EQ(y[n], -1) << "nothing behind them";
}

TYPED_TEST(MathFunctionsTest, ElementwiseWithTheResultInPlaceOfAnInput) {
  const vector<TypeParam> a = {4, 9, 0.25}, b = {2, -3, 0.5};
  const auto binary = [&](void (*f)(int, const TypeParam*, const TypeParam*, TypeParam*)) {
    vector<TypeParam> apart(3), in_place = b;
    f(3, a.data(), b.data(), apart.data());
    f(3, a.data(), in_place.data(), in_place.data());
    EXPECT_EQ(in_place, apart);
    return apart;
  };
  EXPECT_EQ(binary(caffe_add<TypeParam>), vector<TypeParam>({6, 6, 0.75}));
  EXPECT_EQ(binary(caffe_sub<TypeParam>), vector<TypeParam>({2, 12, -0.25}));
  EXPECT_EQ(binary(caffe_mul<TypeParam>), vector<TypeParam>({8, -27, 0.125}));
  EXPECT_EQ(binary(caffe_div<TypeParam>), vector<TypeParam>({2, -3, 0.5}));
  const auto unary = [](void (*f)(int, const TypeParam*, TypeParam*), vector<TypeParam> x) {
    f(static_cast<int>(x.size()), x.data(), x.data());
    return x;
  };
  EXPECT_EQ(unary(caffe_sqr<TypeParam>, b), vector<TypeParam>({4, 9, 0.25}));
  EXPECT_EQ(unary(caffe_sqrt<TypeParam>, a), vector<TypeParam>({2, 3, 0.5}));
  EXPECT_EQ(unary(caffe_abs<TypeParam>, b), vector<TypeParam>({2, 3, 0.5}));
  EXPECT_EQ(unary(caffe_cpu_fabs<TypeParam>, b), vector<TypeParam>({2, 3, 0.5}));
  EXPECT_EQ(unary(caffe_cpu_sign<TypeParam>, {-3, 0, 0.1}), vector<TypeParam>({-1, 0, 1}));
  EXPECT_EQ(unary(caffe_cpu_sgnbit<TypeParam>, {-3, 0, -TypeParam(0), 2}),
            vector<TypeParam>({1, 0, 1, 0}));
  ExpectNear(unary(caffe_log<TypeParam>, unary(caffe_exp<TypeParam>, b)), b, this->Tolerance());
  vector<TypeParam> powers(3);
  caffe_powx<TypeParam>(3, a.data(), TypeParam(1.5), powers.data());
  ExpectNear(powers, {8, 27, 0.125}, this->Tolerance());
}

TYPED_TEST(MathFunctionsTest, UniformStaysInsideAndHasItsMoments) {
  const int n = 20000;
  for (const auto& range :
       vector<pair<TypeParam, TypeParam>>{{0, 1}, {-3, 5}, {TypeParam(0.1), TypeParam(0.3)}}) {
    const TypeParam low = range.first, high = range.second;
    vector<TypeParam> x(n);
    Caffe::set_random_seed(21);
    caffe_rng_uniform<TypeParam>(n, low, high, x.data());
    double sum = 0, squares = 0;
    for (const TypeParam value : x) {
      ASSERT_GE(value, low);
      ASSERT_LE(value, high);
      sum += value;
      squares += (value - (low + high) / 2) * (value - (low + high) / 2);
    }
    const double width = high - low, variance = width * width / 12;
    // Six standard deviations: of the mean σ/√n; of the variance (its fourth moment is width⁴/80).
    EXPECT_NEAR(sum / n, (low + high) / 2, 6 * std::sqrt(variance / n));
    EXPECT_NEAR(squares / n, variance, 6 * width * width * std::sqrt((1.0 / 80 - 1.0 / 144) / n));
  }
}

TYPED_TEST(MathFunctionsTest, UniformOfOnePointIsThatPoint) {
  vector<TypeParam> x(50);
  caffe_rng_uniform<TypeParam>(50, TypeParam(0.3), TypeParam(0.3), x.data());
  EXPECT_EQ(x, vector<TypeParam>(50, TypeParam(0.3)));
  EXPECT_CAFFE_ERROR(caffe_rng_uniform<TypeParam>(1, 2, 1, x.data()),
                     "a uniform distribution needs min <= max");
}

TYPED_TEST(MathFunctionsTest, GaussianHasItsMoments) {
  const int n = 20000;
  vector<TypeParam> x(n);
  Caffe::set_random_seed(22);
  caffe_rng_gaussian<TypeParam>(n, 3, 2, x.data());
  double sum = 0, squares = 0;
  for (const TypeParam value : x) {
    sum += value;
    squares += (value - 3) * (value - 3);
  }
  // Six standard deviations: of the mean σ/√n, of the variance σ² √(2/n).
  EXPECT_NEAR(sum / n, 3, 6 * 2 / std::sqrt(n));
  EXPECT_NEAR(squares / n, 4, 6 * 4 * std::sqrt(2.0 / n));
  for (const TypeParam sigma : {TypeParam(0), TypeParam(-1), this->NaN()}) {
    EXPECT_CAFFE_ERROR(caffe_rng_gaussian<TypeParam>(1, 0, sigma, x.data()),
                       "a gaussian distribution needs a positive std");
  }
}

TYPED_TEST(MathFunctionsTest, BernoulliHasItsMean) {
  const int n = 20000;
  vector<int> x(n);
  vector<unsigned int> y(n);
  Caffe::set_random_seed(23);
  caffe_rng_bernoulli<TypeParam>(n, TypeParam(0.3), x.data());
  Caffe::set_random_seed(23);
  caffe_rng_bernoulli<TypeParam>(n, TypeParam(0.3), y.data());
  int ones = 0;
  for (int i = 0; i < n; ++i) {
    ASSERT_TRUE(x[i] == 0 || x[i] == 1);
    ASSERT_EQ(static_cast<unsigned int>(x[i]), y[i]);
    ones += x[i];
  }
  EXPECT_NEAR(ones, 0.3 * n, 6 * std::sqrt(n * 0.3 * 0.7));  // six standard deviations
  for (const TypeParam p : {TypeParam(0), TypeParam(1)}) {
    caffe_rng_bernoulli<TypeParam>(100, p, x.data());
    EXPECT_EQ(std::accumulate(x.begin(), x.begin() + 100, 0), 100 * p);
  }
  for (const TypeParam p : {TypeParam(-0.1), TypeParam(1.1), this->NaN()}) {
    EXPECT_CAFFE_ERROR(caffe_rng_bernoulli<TypeParam>(1, p, x.data()),
                       "a probability lies in [0, 1], got ");
  }
}

TYPED_TEST(MathFunctionsTest, SignAndNextAfter) {
  EXPECT_EQ(caffe_sign(TypeParam(-0.5)), -1);
  EXPECT_EQ(caffe_sign(TypeParam(0)), 0);
  EXPECT_EQ(caffe_sign(TypeParam(9)), 1);
  EXPECT_GT(caffe_nextafter(TypeParam(1)), TypeParam(1));
  EXPECT_EQ(caffe_nextafter(TypeParam(1)) - 1, std::numeric_limits<TypeParam>::epsilon());
}

}  // namespace caffe
