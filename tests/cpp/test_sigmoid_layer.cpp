#include "test_util.hpp"

namespace caffe {

TEST(SigmoidLayerTest, IsTheFormula) {
  DoubleRun run("type: 'Sigmoid'", {{2, 3, 4}});
  const vector<double> x = Values(*run.bottom[0]), y = run.SetUp().Forward();
  for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(y[i], 1 / (1 + std::exp(-x[i])), 1e-15);
}

TEST(SigmoidLayerTest, LargeInputsNeitherOverflowNorLoseTheirDigits) {
  LayerRun<float> run("type: 'Sigmoid'", {{4}});
  SetValues<float>({-1e30F, -50, 50, 1e30F}, run.bottom[0]);
  const vector<float> y = run.SetUp().Forward();
  EXPECT_EQ(y[0], 0);
  EXPECT_FLOAT_EQ(y[1], std::exp(-50.0F));
  EXPECT_EQ(y[2], 1);
  EXPECT_EQ(y[3], 1);
}

TEST(SigmoidLayerTest, OfMinusXIsOneMinus) {
  DoubleRun run("type: 'Sigmoid'", {{3, 5}}), mirrored("type: 'Sigmoid'", {{3, 5}});
  mirrored.bottom[0]->scale_data(-1);
  const vector<double> y = run.SetUp().Forward(), other = mirrored.SetUp().Forward();
  for (size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i] + other[i], 1, 1e-15);
}

TEST(SigmoidLayerTest, Gradients) {
  DoubleRun run("type: 'Sigmoid'", {{2, 3, 5}});
  GradientChecker<double>(1e-5, 1e-6).CheckGradientEltwise(run.layer.get(), run.bottom, run.top);
}

TEST(SigmoidLayerTest, WorksInPlace) { ExpectSameInPlace("type: 'Sigmoid'", {{2, 3, 5}}); }

}  // namespace caffe
