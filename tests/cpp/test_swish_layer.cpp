#include "test_util.hpp"

namespace caffe {

TEST(SwishLayerTest, IsTheFormula) {
  for (const double beta : {1.0, 1.5, 0.0}) {
    DoubleRun run("type: 'Swish' swish_param { beta: " + std::to_string(beta) + " }", {{2, 3, 4}});
    const vector<double> x = Values(*run.bottom[0]), y = run.SetUp().Forward();
    for (size_t i = 0; i < x.size(); ++i) {
      EXPECT_NEAR(y[i], x[i] / (1 + std::exp(-beta * x[i])), 1e-15);
    }
  }
}

TEST(SwishLayerTest, LargeInputsDoNotOverflow) {
  LayerRun<float> run("type: 'Swish'", {{3}});
  SetValues<float>({-1e30F, -1000, 1e30F}, run.bottom[0]);
  EXPECT_EQ(run.SetUp().Forward(), vector<float>({0, 0, 1e30F}));
}

TEST(SwishLayerTest, Gradients) {
  for (const char* beta : {"1", "0", "2.5", "-1.3"}) {
    DoubleRun run(string("type: 'Swish' swish_param { beta: ") + beta + " }", {{2, 3, 5}});
    GradientChecker<double>(1e-5, 1e-6).CheckGradientEltwise(run.layer.get(), run.bottom, run.top);
  }
}

TEST(SwishLayerTest, WorksInPlace) {
  ExpectSameInPlace("type: 'Swish' swish_param { beta: 1.5 }", {{2, 3, 5}});
}

}  // namespace caffe
