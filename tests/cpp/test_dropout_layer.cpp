#include "test_util.hpp"

namespace caffe {

namespace {

const char kText[] = "type: 'Dropout' phase: TRAIN dropout_param { dropout_ratio: 0.4 }";

}  // namespace

TEST(DropoutLayerTest, IsTheIdentityInTest) {
  DoubleRun run("type: 'Dropout' phase: TEST dropout_param { dropout_ratio: 0.4 }", {{2, 8}});
  run.SetUp();
  EXPECT_EQ(run.Forward(), Values(*run.bottom[0]));
  const vector<double> top_diff = RandomValues(16, 3);
  EXPECT_EQ(run.Backward(top_diff), top_diff);
}

TEST(DropoutLayerTest, ScalesWhatItKeepsAndPassesGradientsThere) {
  DoubleRun run(kText, {{4, 50}});
  run.SetUp();
  Caffe::set_random_seed(11);
  const vector<double> x = Values(*run.bottom[0]), y = run.Forward();
  const vector<double> dy = RandomValues(200, 3), dx = run.Backward(dy);
  // dropout_ratio is a float in the schema.
  const double scale = 1 / (1 - static_cast<double>(0.4F));
  int dropped = 0;
  for (int i = 0; i < 200; ++i) {
    const bool keeps = y[i] != 0;
    dropped += keeps ? 0 : 1;
    EXPECT_DOUBLE_EQ(y[i], keeps ? x[i] * scale : 0);
    EXPECT_DOUBLE_EQ(dx[i], keeps ? dy[i] * scale : 0);
  }
  EXPECT_GT(dropped, 0);
  EXPECT_LT(dropped, 200);
}

TEST(DropoutLayerTest, KeepsTheExpectation) {
  const int count = 100000;
  DoubleRun run(kText, {{count}});
  caffe_set(count, 1.0, run.bottom[0]->mutable_cpu_data());
  Caffe::set_random_seed(12);
  const vector<double> y = run.SetUp().Forward();
  const double mean = std::accumulate(y.begin(), y.end(), 0.0) / count;
  // An element's variance is p / (1 - p) = 0.67; six standard deviations of the mean.
  EXPECT_NEAR(mean, 1, 6 * std::sqrt(0.67 / count));
}

TEST(DropoutLayerTest, TheSeedGivesTheDraws) {
  DoubleRun run(kText, {{4, 50}});
  run.SetUp();
  Caffe::set_random_seed(5);
  const vector<double> first = run.Forward(), second = run.Forward();
  EXPECT_NE(first, second);
  Caffe::set_random_seed(5);
  EXPECT_EQ(run.Forward(), first);
  EXPECT_EQ(run.Forward(), second);
}

TEST(DropoutLayerTest, RatioZeroKeepsAll) {
  DoubleRun run("type: 'Dropout' dropout_param { dropout_ratio: 0 }", {{2, 50}});
  run.SetUp();
  EXPECT_EQ(run.Forward(), Values(*run.bottom[0]));
}

TEST(DropoutLayerTest, Gradients) {
  for (const char* phase : {"TRAIN", "TEST"}) {
    DoubleRun run(string("type: 'Dropout' phase: ") + phase, {{2, 3, 5}});
    GradientChecker<double>(1e-5, 1e-6).CheckGradientEltwise(run.layer.get(), run.bottom, run.top);
  }
}

TEST(DropoutLayerTest, WorksInPlace) {
  ExpectSameInPlace(kText, {{2, 3, 5}});
  ExpectSameInPlace("type: 'Dropout' phase: TEST", {{2, 3, 5}});
}

TEST(DropoutLayerTest, RefusesARatioThatIsNoProbability) {
  for (const char* ratio : {"1", "-0.5", "1.5", "nan"}) {
    DoubleRun run(
        string("name: 'd' type: 'Dropout' dropout_param { dropout_ratio: ") + ratio + " }", {{2}});
    EXPECT_CAFFE_ERROR(run.SetUp(),
                       string("d (Dropout): dropout_ratio must lie in [0, 1), got ") + ratio);
  }
}

}  // namespace caffe
