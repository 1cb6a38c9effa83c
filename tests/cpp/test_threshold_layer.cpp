#include "test_util.hpp"

namespace caffe {

TEST(ThresholdLayerTest, ValuesByHand) {
  DoubleRun run("type: 'Threshold'", {{2, 2}});
  SetValues<double>({-1, 0, 1e-9, 2}, run.bottom[0]);
  run.SetUp();
  EXPECT_EQ(run.Forward(), vector<double>({0, 0, 1, 1}));
  EXPECT_EQ(run.top[0]->shape(), vector<int>({2, 2}));
  DoubleRun half("type: 'Threshold' threshold_param { threshold: 0.5 }", {{3}});
  SetValues<double>({0.25, 0.5, 0.75}, half.bottom[0]);
  EXPECT_EQ(half.SetUp().Forward(), vector<double>({0, 0, 1}));
  EXPECT_EQ(half.InPlace().Forward(), vector<double>({0, 0, 1}));
}

TEST(ThresholdLayerTest, HasNoGradient) {
  DoubleRun run("name: 't' type: 'Threshold'", {{2}});
  run.SetUp().Forward();
  EXPECT_CAFFE_ERROR(run.Backward({1, 1}), "t (Threshold): a threshold has no gradient");
  SetGradients<double>({5, 6}, run.bottom[0]);
  EXPECT_EQ(run.Backward({1, 1}, {false}), vector<double>({5, 6}));
}

}  // namespace caffe
