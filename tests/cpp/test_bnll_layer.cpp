#include "test_util.hpp"

namespace caffe {

TEST(BNLLLayerTest, IsTheFormula) {
  DoubleRun run("type: 'BNLL'", {{2, 3, 4}});
  const vector<double> x = Values(*run.bottom[0]), y = run.SetUp().Forward();
  for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(y[i], std::log(1 + std::exp(x[i])), 1e-15);
}

TEST(BNLLLayerTest, LargeInputsNeitherOverflowNorLoseTheirDigits) {
  LayerRun<float> run("type: 'BNLL'", {{4}});
  SetValues<float>({-1e30F, -40, 1000, 1e30F}, run.bottom[0]);
  const vector<float> y = run.SetUp().Forward();
  EXPECT_EQ(y[0], 0);
  EXPECT_FLOAT_EQ(y[1], std::exp(-40.0F));
  EXPECT_EQ(y[2], 1000);
  EXPECT_EQ(y[3], 1e30F);
  const vector<float> dx = run.Backward({1, 1, 1, 1});
  EXPECT_EQ(dx[0], 0);
  EXPECT_FLOAT_EQ(dx[1], std::exp(-40.0F));
  EXPECT_EQ(dx[2], 1);
  EXPECT_EQ(dx[3], 1);
}

TEST(BNLLLayerTest, ItsGradientIsTheSigmoid) {
  DoubleRun run("type: 'BNLL'", {{2, 5}}), sigmoid("type: 'Sigmoid'", {{2, 5}});
  run.SetUp().Forward();
  ExpectNear(run.Backward(vector<double>(10, 1)), sigmoid.SetUp().Forward(), 1e-15);
}

TEST(BNLLLayerTest, Gradients) {
  DoubleRun run("type: 'BNLL'", {{2, 3, 5}});
  GradientChecker<double>(1e-5, 1e-6).CheckGradientEltwise(run.layer.get(), run.bottom, run.top);
}

TEST(BNLLLayerTest, WorksInPlace) { ExpectSameInPlace("type: 'BNLL'", {{2, 3, 5}}); }

}  // namespace caffe
