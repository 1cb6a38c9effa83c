#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "caffe/util/softmax.hpp"
#include "test_util.hpp"

namespace caffe {

/** One sum at a time, with no subtraction: right for small inputs. */
vector<double> NaiveSoftmax(const SoftmaxShape& shape, const vector<double>& x) {
  vector<double> y(x.size());
  for (int o = 0; o < shape.outer; ++o) {
    for (int i = 0; i < shape.inner; ++i) {
      const auto at = [&](int c) { return (o * shape.channels + c) * shape.inner + i; };
      double sum = 0;
      for (int c = 0; c < shape.channels; ++c) sum += std::exp(x[at(c)]);
      for (int c = 0; c < shape.channels; ++c) y[at(c)] = std::exp(x[at(c)]) / sum;
    }
  }
  return y;
}

TEST(SoftmaxTest, AgreesWithTheFormula) {
  // 130 columns: two full groups and a rest; the last case is large enough for several threads.
  for (const SoftmaxShape shape : {SoftmaxShape{3, 5, 1}, SoftmaxShape{2, 7, 130},
                                   SoftmaxShape{1, 1, 3}, SoftmaxShape{40, 5, 130}}) {
    vector<double> x(shape.outer * shape.channels * shape.inner);
    FillUniform<double>(-5, 5, 3, static_cast<int>(x.size()), x.data());
    const vector<double> expected = NaiveSoftmax(shape, x);
    vector<double> y(x.size());
    Softmax(shape, x.data(), y.data());
    Softmax(shape, x.data(), x.data());  // in place
    for (size_t i = 0; i < x.size(); ++i) {
      // A handful of roundings of values below one.
      ASSERT_NEAR(y[i], expected[i], 1e-14) << i;
      ASSERT_EQ(y[i], x[i]) << i;
    }
  }
}

/** Rows in blocks and alone, columns in blocks and the rest of them; of floats, by vectors. */
TEST(SoftmaxTest, FloatsAgreeWithTheFormula) {
  for (const SoftmaxShape shape :
       {SoftmaxShape{300, 21, 1}, SoftmaxShape{3, 1000, 1}, SoftmaxShape{64 + 15, 2, 1},
        SoftmaxShape{1, 64, 1}, SoftmaxShape{5, 1, 1}, SoftmaxShape{2, 7, 130},
        SoftmaxShape{2000, 21, 1}, SoftmaxShape{40, 5, 130}}) {
    vector<float> x(shape.outer * shape.channels * shape.inner);
    FillUniform<float>(-5, 5, 3, static_cast<int>(x.size()), x.data());
    const vector<double> expected = NaiveSoftmax(shape, vector<double>(x.begin(), x.end()));
    vector<float> y(x.size());
    Softmax(shape, x.data(), y.data());
    Softmax(shape, x.data(), x.data());  // in place
    for (size_t i = 0; i < x.size(); ++i) {
      // The exponents, down to -10, are rounded: 10 * 2^-24 = 6e-7 of each term; the exponential's
      // own error is 1.3e-7.
      ASSERT_NEAR(y[i], expected[i], 1.5e-6 * expected[i]) << i;
      ASSERT_EQ(y[i], x[i]) << i;
    }
  }
}

TEST(SoftmaxTest, FloatsOfEverySizeAreSafe) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  for (const int rows : {1, 20}) {  // alone, and in a block
    vector<float> x, y(12 * rows);
    for (int i = 0; i < rows; ++i) {
      x.insert(x.end(), {3e38F, 0, -3e38F, 1, nan, 2, inf, 1, 0, -inf, 5, -90});
    }
    Softmax(SoftmaxShape{4 * rows, 3, 1}, x.data(), y.data());
    for (int i = 0; i < 12 * rows; i += 12) {
      EXPECT_EQ(vector<float>(&y[i], &y[i] + 3), vector<float>({1, 0, 0}));
      for (int k = 3; k < 6; ++k) EXPECT_TRUE(std::isnan(y[i + k]));
      EXPECT_TRUE(std::isnan(y[i + 6]));
      EXPECT_EQ(vector<float>(&y[i] + 9, &y[i] + 12), vector<float>({0, 1, 0}));
    }
  }
}

TEST(SoftmaxTest, LargeInputsDoNotOverflowAndNaNsShow) {
  const vector<double> x = {1e300, 0, -1e300, std::nan(""), 1, 2};
  vector<double> y(6);
  Softmax(SoftmaxShape{2, 3, 1}, x.data(), y.data());
  EXPECT_EQ(y[0], 1);
  EXPECT_EQ(y[1], 0);
  EXPECT_EQ(y[2], 0);
  for (int i = 3; i < 6; ++i) EXPECT_TRUE(std::isnan(y[i]));
  const vector<double> later = {1, std::nan(""), 2};
  Softmax(SoftmaxShape{1, 3, 1}, later.data(), y.data());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(std::isnan(y[i]));
}

TEST(SoftmaxTest, EmptyIsFine) {
  double untouched = 3;
  Softmax(SoftmaxShape{2, 0, 4}, &untouched, &untouched);
  Softmax(SoftmaxShape{0, 4, 4}, &untouched, &untouched);
  EXPECT_EQ(untouched, 3);
}

}  // namespace caffe
