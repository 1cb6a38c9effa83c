#include "test_util.hpp"

namespace caffe {

TEST(AbsValLayerTest, ValuesAndGradientsByHand) {
  DoubleRun run("type: 'AbsVal'", {{1, 4}});
  SetValues<double>({-2, 0, 3, -0.5}, run.bottom[0]);
  run.SetUp();
  EXPECT_EQ(run.Forward(), vector<double>({2, 0, 3, 0.5}));
  EXPECT_EQ(run.Backward({1, 1, 2, 3}), vector<double>({-1, 0, 2, -3}));
}

TEST(AbsValLayerTest, Gradients) {
  DoubleRun run("type: 'AbsVal'", {{2, 3, 5}});
  GradientChecker<double>(1e-5, 1e-6, 1701, 0, 1e-3)
      .CheckGradientEltwise(run.layer.get(), run.bottom, run.top);
}

TEST(AbsValLayerTest, WorksInPlace) { ExpectSameInPlace("type: 'AbsVal'", {{2, 3, 5}}); }

}  // namespace caffe
