#include "test_util.hpp"

namespace caffe {

TEST(TanHLayerTest, ValuesAndOddness) {
  DoubleRun run("type: 'TanH'", {{4}});
  SetValues<double>({0, 1, -1, 1000}, run.bottom[0]);
  const double e2 = std::exp(2);
  const double tanh1 = (e2 - 1) / (e2 + 1);
  ExpectNear(run.SetUp().Forward(), {0, tanh1, -tanh1, 1}, 1e-15);  // one rounding
}

TEST(TanHLayerTest, IsAShiftedSigmoid) {
  // tanh(x) = 2 sigmoid(2x) − 1
  DoubleRun run("type: 'TanH'", {{2, 5}}), sigmoid("type: 'Sigmoid'", {{2, 5}});
  sigmoid.bottom[0]->scale_data(2);
  const vector<double> y = run.SetUp().Forward(), s = sigmoid.SetUp().Forward();
  for (size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], 2 * s[i] - 1, 1e-15);
}

TEST(TanHLayerTest, Gradients) {
  DoubleRun run("type: 'TanH'", {{2, 3, 5}});
  GradientChecker<double>(1e-5, 1e-6).CheckGradientEltwise(run.layer.get(), run.bottom, run.top);
}

TEST(TanHLayerTest, WorksInPlace) { ExpectSameInPlace("type: 'TanH'", {{2, 3, 5}}); }

}  // namespace caffe
