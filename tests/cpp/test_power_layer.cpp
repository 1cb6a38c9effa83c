#include "test_util.hpp"

namespace caffe {

TEST(PowerLayerTest, IsTheIdentityByDefault) {
  DoubleRun run("type: 'Power'", {{2, 3}});
  run.SetUp();
  EXPECT_EQ(run.Forward(), Values(*run.bottom[0]));
  EXPECT_EQ(run.Backward({1, 2, 3, 4, 5, 6}), vector<double>({1, 2, 3, 4, 5, 6}));
}

TEST(PowerLayerTest, ValuesAndGradientsByHand) {
  DoubleRun run("type: 'Power' power_param { power: 2 scale: 0.5 shift: 3 }", {{1, 3}});
  SetValues<double>({-6, 2, -10}, run.bottom[0]);
  run.SetUp();
  EXPECT_EQ(run.Forward(), vector<double>({0, 16, 4}));
  EXPECT_EQ(run.Backward({1, 1, 3}), vector<double>({0, 4, -6}));  // 2 · 0.5 · (3 + 0.5 x) dy
}

TEST(PowerLayerTest, ConstantsHaveNoGradient) {
  for (const char* param : {"power: 0", "power: 0.5 scale: 0 shift: 4"}) {
    DoubleRun run(string("type: 'Power' power_param { ") + param + " }", {{1, 3}});
    SetValues<double>({-1, 0, 2}, run.bottom[0]);
    run.SetUp();
    EXPECT_EQ(run.Forward(), vector<double>(3, param == string("power: 0") ? 1 : 2));
    EXPECT_EQ(run.Backward({1, 1, 1}), vector<double>(3, 0));
  }
}

TEST(PowerLayerTest, Gradients) {
  // Bases stay positive where the power is no integer: |x| < 2.
  for (const char* param : {"power: 0.37 scale: 0.5 shift: 2", "power: -1.5 scale: -0.5 shift: 2",
                            "power: 3", "power: 2 scale: 0.7 shift: -1", "scale: -3 shift: 1"}) {
    DoubleRun run(string("type: 'Power' power_param { ") + param + " }", {{2, 3, 5}});
    GradientChecker<double>(1e-5, 1e-6).CheckGradientEltwise(run.layer.get(), run.bottom, run.top);
  }
}

TEST(PowerLayerTest, WorksInPlace) {
  for (const char* param : {"", "power: 2 shift: 0.5", "scale: -2 shift: 1", "power: 0"}) {
    ExpectSameInPlace(string("type: 'Power' power_param { ") + param + " }", {{2, 3, 5}});
  }
}

}  // namespace caffe
