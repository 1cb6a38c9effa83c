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
