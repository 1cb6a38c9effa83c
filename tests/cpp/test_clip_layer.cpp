#include "test_util.hpp"

namespace caffe {

TEST(ClipLayerTest, ValuesAndGradientsByHand) {
  DoubleRun run("type: 'Clip' clip_param { min: -1 max: 2 }", {{1, 5}});
  SetValues<double>({-3, -1, 0.5, 2, 2.5}, run.bottom[0]);
  run.SetUp();
  EXPECT_EQ(run.Forward(), vector<double>({-1, -1, 0.5, 2, 2}));
  EXPECT_EQ(run.Backward({1, 2, 3, 4, 5}), vector<double>({0, 2, 3, 4, 0}));
}

TEST(ClipLayerTest, TwiceIsOnceAndNaNStays) {
  DoubleRun run("type: 'Clip' clip_param { min: -0.5 max: 0.75 }", {{3, 4}});
  run.bottom[0]->mutable_cpu_data()[0] = std::nan("");
  run.SetUp().InPlace();
  const vector<double> once = run.Forward(), twice = run.Forward();
  EXPECT_TRUE(std::isnan(once[0]) && std::isnan(twice[0]));
  EXPECT_TRUE(std::equal(once.begin() + 1, once.end(), twice.begin() + 1));
}

TEST(ClipLayerTest, Gradients) {
  // The random inputs keep their distance of the step from both bounds.
  DoubleRun run("type: 'Clip' clip_param { min: -0.8 max: 1.1 }", {{2, 3, 5}});
  GradientChecker<double>(1e-5, 1e-6).CheckGradientEltwise(run.layer.get(), run.bottom, run.top);
}

TEST(ClipLayerTest, WorksInPlace) {
  ExpectSameInPlace("type: 'Clip' clip_param { min: -0.8 max: 1.1 }", {{2, 3, 5}});
}

TEST(ClipLayerTest, RefusesBoundsInTheWrongOrder) {
  DoubleRun run("name: 'c' type: 'Clip' clip_param { min: 1 max: -1 }", {{2}});
  EXPECT_CAFFE_ERROR(run.SetUp(), "c (Clip): clip_param needs min <= max, got min 1 and max -1");
}

}  // namespace caffe
