#include "test_util.hpp"

namespace caffe {

namespace {

/** Mean and biased variance of channel c of an N × C × … blob. */
std::pair<double, double> Moments(const Blob<double>& blob, int c) {
  const int channels = blob.shape(1), plane = blob.count(2);
  vector<double> values;
  for (int i = 0; i < blob.count(); ++i) {
    if (i / plane % channels == c) values.push_back(blob.cpu_data()[i]);
  }
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / values.size();
  double variance = 0;
  for (const double value : values) variance += (value - mean) * (value - mean) / values.size();
  return {mean, variance};
}

const char kGlobal[] =
    "type: 'BatchNorm' batch_norm_param { use_global_stats: true eps: 0 } "
    "blobs { shape { dim: 2 } data: 2 data: -4 } blobs { shape { dim: 2 } data: 8 data: 0.5 } "
    "blobs { shape { dim: 1 } data: 2 }";

}  // namespace

TEST(BatchNormLayerTest, TheBatchHasMeanZeroAndVarianceOne) {
  DoubleRun run("type: 'BatchNorm' batch_norm_param { eps: 0 }", {{4, 3, 2, 5}});
  run.bottom[0]->scale_data(3);
  run.SetUp().Forward();
  for (int c = 0; c < 3; ++c) {
    EXPECT_NEAR(Moments(*run.top[0], c).first, 0, 1e-14);  // rounding of sums of 40 numbers near 1
    EXPECT_NEAR(Moments(*run.top[0], c).second, 1, 1e-13);
  }
}

TEST(BatchNormLayerTest, EpsilonIsAddedToTheVariance) {
  DoubleRun run("type: 'BatchNorm' batch_norm_param { eps: 0.25 }", {{2, 1}});
  SetValues<double>({-1, 1}, run.bottom[0]);  // variance 1
  ExpectNear(run.SetUp().Forward(), {-1 / std::sqrt(1.25), 1 / std::sqrt(1.25)}, 1e-15);
}

TEST(BatchNormLayerTest, ALargeMeanCancelsNothing) {
  LayerRun<float> run("type: 'BatchNorm' batch_norm_param { eps: 0 }", {{4, 1}});
  // 2^24 is the last float before integers are skipped; sums of squares there have lost the
  // variance.
  SetValues<float>({16777216, 16777214, 16777216, 16777214}, run.bottom[0]);
  EXPECT_EQ(run.SetUp().Forward(), vector<float>({1, -1, 1, -1}));
}

TEST(BatchNormLayerTest, AffineMapsOfTheBatchChangeNothing) {
  DoubleRun run("type: 'BatchNorm' batch_norm_param { eps: 0 }", {{4, 3, 2}});
  const vector<double> before = run.SetUp().Forward();
  for (int i = 0; i < 24; ++i) {
    run.bottom[0]->mutable_cpu_data()[i] = 3 * run.bottom[0]->cpu_data()[i] - 5;
  }
  ExpectNear(run.Forward(), before, 1e-13);
}

TEST(BatchNormLayerTest, StoresSumsAndTheirNumberOfTerms) {
  DoubleRun run("type: 'BatchNorm' batch_norm_param { moving_average_fraction: 0.5 }", {{2, 2, 3}});
  run.SetUp();
  vector<double> mean(2), variance(2);
  for (int step = 0; step < 3; ++step) {
    SetValues(RandomValues(12, 20 + step), run.bottom[0]);
    for (int c = 0; c < 2; ++c) {
      mean[c] = mean[c] / 2 + Moments(*run.bottom[0], c).first;
      variance[c] = variance[c] / 2 + Moments(*run.bottom[0], c).second * 6 / 5;
    }
    run.Forward();
  }
  ExpectNear(Values(*run.layer->blobs()[0]), mean, 1e-14);
  ExpectNear(Values(*run.layer->blobs()[1]), variance, 1e-14);
  EXPECT_EQ(Values(*run.layer->blobs()[2]), vector<double>({1.75}));
}

TEST(BatchNormLayerTest, GlobalStatisticsAreTheStoredOnesOverTheNumberOfTerms) {
  DoubleRun run(kGlobal, {{1, 2, 2}});
  SetValues<double>({1, 5, -2, 0}, run.bottom[0]);
  run.SetUp();
  // means 1 and −2, variances 4 and 0.25
  EXPECT_EQ(run.Forward(), vector<double>({0, 2, 0, 4}));
  EXPECT_EQ(run.Backward({1, 2, 3, 4}), vector<double>({0.5, 1, 6, 8}));
  EXPECT_EQ(Values(*run.layer->blobs()[0]), vector<double>({2, -4}));  // not moved
}

TEST(BatchNormLayerTest, PhaseTestUsesWhatTrainingStored) {
  DoubleRun train("type: 'BatchNorm' phase: TRAIN", {{4, 3, 5}});
  const vector<double> expected = train.SetUp().Forward();
  DoubleRun test("type: 'BatchNorm' phase: TEST", {{4, 3, 5}});
  test.SetUp();
  for (int i = 0; i < 3; ++i) test.layer->blobs()[i]->CopyFrom(*train.layer->blobs()[i]);
  // The stored variance is the unbiased one, of 20 elements; eps (1e-5) is small beside it.
  vector<double> got = test.Forward();
  for (double& value : got) value *= std::sqrt(20.0 / 19);
  ExpectNear(got, expected, 1e-6);
}

TEST(BatchNormLayerTest, BeforeAnyBatchTheStoredStatisticsAreZero) {
  DoubleRun run("type: 'BatchNorm' phase: TEST batch_norm_param { eps: 0.25 }", {{1, 2}});
  SetValues<double>({1, -3}, run.bottom[0]);
  EXPECT_EQ(run.SetUp().Forward(), vector<double>({2, -6}));
}

TEST(BatchNormLayerTest, ItsBlobsAreNotLearned) {
  DoubleRun run("type: 'BatchNorm' param { name: 'shared' lr_mult: 3 }", {{2, 3, 4}});
  run.SetUp();
  const LayerParameter& param = run.layer->layer_param();
  ASSERT_EQ(param.param_size(), 3);
  for (const ParamSpec& spec : param.param()) EXPECT_EQ(spec.lr_mult(), 0);
  EXPECT_EQ(param.param(0).name(), "shared");
  for (const auto& blob : run.layer->blobs()) {
    caffe_set(blob->count(), 5.0, blob->mutable_cpu_diff());
  }
  run.Forward();
  run.Backward(RandomValues(24, 3));
  for (const auto& blob : run.layer->blobs()) {
    EXPECT_EQ(Gradients(*blob), vector<double>(blob->count(), 5));
  }
}

TEST(BatchNormLayerTest, Gradients) {
  for (const vector<int>& shape : {vector<int>{4, 3}, vector<int>{2, 3, 4}, vector<int>{7}}) {
    DoubleRun run("type: 'BatchNorm' phase: TRAIN batch_norm_param { eps: 0.1 }", {shape});
    GradientChecker<double>(1e-5, 1e-6)
        .CheckGradientExhaustive(run.layer.get(), run.bottom, run.top);
  }
}

TEST(BatchNormLayerTest, GradientsInPlace) {
  DoubleRun run("type: 'BatchNorm' phase: TRAIN", {{3, 2, 4}});
  run.InPlace().CheckGradient();
}

TEST(BatchNormLayerTest, WithGlobalStatisticsItIsLinear) {
  // So the gradient for dy is what dy itself maps to, less what 0 maps to. (The
  // checker does not apply: it would ask for the gradient of the stored blobs.)
  DoubleRun run(kGlobal, {{3, 2, 4}});
  run.SetUp().Forward();
  const vector<double> dy = RandomValues(24, 6), dx = run.Backward(dy);
  SetValues(dy, run.bottom[0]);
  const vector<double> mapped = run.Forward();
  caffe_set(24, 0.0, run.bottom[0]->mutable_cpu_data());
  const vector<double> zero = run.Forward();
  for (int i = 0; i < 24; ++i) EXPECT_NEAR(dx[i], mapped[i] - zero[i], 1e-14);
}

TEST(BatchNormLayerTest, WorksInPlace) {
  ExpectSameInPlace("type: 'BatchNorm' phase: TRAIN", {{3, 2, 4}});
  ExpectSameInPlace(kGlobal, {{3, 2, 4}});
}

TEST(BatchNormLayerTest, InPlaceItsGradientSurvivesThatTheNextLayerOverwritesItsOutput) {
  DoubleRun run("type: 'BatchNorm' phase: TRAIN", {{3, 2, 4}});
  run.InPlace().SetUp();
  const vector<double> x = Values(*run.bottom[0]), dy = RandomValues(24, 5);
  run.Forward();
  const vector<double> expected = run.Backward(dy);
  SetValues(x, run.bottom[0]);
  run.Forward();
  run.top[0]->scale_data(17);
  EXPECT_EQ(run.Backward(dy), expected);
}

TEST(BatchNormLayerTest, Errors) {
  DoubleRun run("name: 'bn' type: 'BatchNorm' phase: TRAIN", {{2, 3, 4}});
  run.SetUp();
  run.bottom[0]->Reshape({2, 4, 3});
  EXPECT_CAFFE_ERROR(run.Forward(),
                     "bn (BatchNorm): the bottom has the shape 2 4 3 (24), "
                     "expected 3 channels on axis 1");
  run.bottom[0]->Reshape({0, 3, 4});
  EXPECT_CAFFE_ERROR(run.Forward(), "the statistics of an empty batch, of shape 0 3 4 (0)");
  DoubleRun negative(kGlobal, {{2, 2}});
  negative.SetUp();
  negative.layer->blobs()[1]->mutable_cpu_data()[1] = -2;
  EXPECT_CAFFE_ERROR(negative.Forward(), "the stored variance of channel 1 is -1");
}

}  // namespace caffe
