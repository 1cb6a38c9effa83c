#include "test_util.hpp"

namespace caffe {

TEST(ELULayerTest, ValuesByHand) {
  DoubleRun run("type: 'ELU' elu_param { alpha: 0.5 }", {{2, 2}});
  SetValues<double>({-1, 0, 2, -1000}, run.bottom[0]);
  run.SetUp();
  ExpectNear(run.Forward(), {0.5 * (std::exp(-1) - 1), 0, 2, -0.5}, 1e-15);  // one rounding
}

TEST(ELULayerTest, SmallNegativeInputsKeepTheirDigits) {
  LayerRun<float> run("type: 'ELU'", {{1}});
  SetValues<float>({-1e-9F}, run.bottom[0]);
  // exp(x) - 1 in float would be 0.
  EXPECT_FLOAT_EQ(run.SetUp().Forward()[0], -1e-9F);
}

TEST(ELULayerTest, AlphaZeroIsReLU) {
  DoubleRun run("type: 'ELU' elu_param { alpha: 0 }", {{2, 3, 4}}),
      relu("type: 'ReLU'", {{2, 3, 4}});
  run.SetUp();
  relu.SetUp();
  EXPECT_EQ(run.Forward(), relu.Forward());
  const vector<double> top_diff = RandomValues(24, 9);
  EXPECT_EQ(run.Backward(top_diff), relu.Backward(top_diff));
}

TEST(ELULayerTest, Gradients) {
  for (const char* alpha : {"1", "0.3", "-0.7"}) {
    DoubleRun run(string("type: 'ELU' elu_param { alpha: ") + alpha + " }", {{2, 3, 5}});
    GradientChecker<double>(1e-5, 1e-6, 1701, 0, 1e-3)
        .CheckGradientEltwise(run.layer.get(), run.bottom, run.top);
  }
}

TEST(ELULayerTest, WorksInPlaceEvenWithANegativeAlpha) {
  ExpectSameInPlace("type: 'ELU'", {{2, 3, 5}});
  ExpectSameInPlace("type: 'ELU' elu_param { alpha: -0.7 }", {{2, 3, 5}});
}

}  // namespace caffe
