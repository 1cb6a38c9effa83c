#include "test_util.hpp"

namespace caffe {

TEST(ReLULayerTest, ValuesAndGradientsByHand) {
  DoubleRun run("type: 'ReLU'", {{2, 3}});
  SetValues<double>({-2, -0.5, 0, 0.25, 1, 3}, run.bottom[0]);
  run.SetUp();
  EXPECT_EQ(run.Forward(), vector<double>({0, 0, 0, 0.25, 1, 3}));
  EXPECT_EQ(run.top[0]->shape(), vector<int>({2, 3}));
  EXPECT_EQ(run.Backward({1, 2, 3, 4, 5, 6}), vector<double>({0, 0, 0, 4, 5, 6}));
}

TEST(ReLULayerTest, LeaksOnTheNegativeSide) {
  DoubleRun run("type: 'ReLU' relu_param { negative_slope: 0.25 }", {{1, 4}});
  SetValues<double>({-2, 0, 1, -4}, run.bottom[0]);
  run.SetUp();
  EXPECT_EQ(run.Forward(), vector<double>({-0.5, 0, 1, -1}));
  EXPECT_EQ(run.Backward({1, 1, 1, 2}), vector<double>({0.25, 0.25, 1, 0.5}));
}

TEST(ReLULayerTest, NoFiniteOrInfiniteInputGivesNaNAndNaNStays) {
  const double infinity = std::numeric_limits<double>::infinity();
  DoubleRun run("type: 'ReLU'", {{3}});
  SetValues<double>({-infinity, infinity, std::nan("")}, run.bottom[0]);
  const vector<double> y = run.SetUp().Forward();
  EXPECT_EQ(y[0], 0);
  EXPECT_EQ(y[1], infinity);
  EXPECT_TRUE(std::isnan(y[2]));
}

TEST(ReLULayerTest, Gradients) {
  for (const char* slope : {"0", "0.3", "-0.7"}) {
    DoubleRun run(string("type: 'ReLU' relu_param { negative_slope: ") + slope + " }", {{2, 3, 5}});
    GradientChecker<double>(1e-5, 1e-6, 1701, 0, 1e-3)
        .CheckGradientEltwise(run.layer.get(), run.bottom, run.top);
  }
}

TEST(ReLULayerTest, WorksInPlaceEvenWithANegativeSlope) {
  for (const char* slope : {"0", "0.3", "-0.7"}) {
    ExpectSameInPlace(string("type: 'ReLU' relu_param { negative_slope: ") + slope + " }",
                      {{2, 3, 5}});
  }
}

TEST(ReLULayerTest, LeavesTheBottomAloneWithoutPropagateDown) {
  DoubleRun run("type: 'ReLU'", {{2}});
  run.SetUp().Forward();
  SetGradients<double>({7, 8}, run.bottom[0]);
  EXPECT_EQ(run.Backward({1, 1}, {false}), vector<double>({7, 8}));
}

TEST(ReLULayerTest, ThreadsShareLargeBlobs) {
  const int count = 1 << 17;
  DoubleRun run("type: 'ReLU'", {{2, count / 2}});
  const vector<double> x = Values(*run.bottom[0]), y = run.SetUp().Forward();
  for (int i = 0; i < count; ++i) ASSERT_EQ(y[i], std::max(x[i], 0.0)) << i;
}

}  // namespace caffe
