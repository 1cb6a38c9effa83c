#include "test_util.hpp"

namespace caffe {

TEST(MVNLayerTest, RowsHaveMeanZeroAndVarianceOne) {
  for (const bool across : {false, true}) {
    DoubleRun run(
        string("type: 'MVN' mvn_param { across_channels: ") + (across ? "true" : "false") + " }",
        {{2, 3, 4, 5}});
    const vector<double> y = run.SetUp().Forward();
    EXPECT_EQ(run.top[0]->shape(), run.bottom[0]->shape());
    const int row = across ? 60 : 20;
    for (int begin = 0; begin < 120; begin += row) {
      double sum = 0, squares = 0;
      for (int i = begin; i < begin + row; ++i) {
        sum += y[i];
        squares += y[i] * y[i];
      }
      EXPECT_NEAR(sum / row, 0, 1e-14);     // rounding
      EXPECT_NEAR(squares / row, 1, 1e-8);  // eps is 1e-9, and σ is above 1
    }
  }
}

TEST(MVNLayerTest, EpsilonIsAddedToTheDeviation) {
  DoubleRun run("type: 'MVN' mvn_param { eps: 0.5 }", {{1, 1, 2}});
  SetValues<double>({4, 8}, run.bottom[0]);  // σ = 2
  ExpectNear(run.SetUp().Forward(), {-0.8, 0.8}, 1e-15);
}

TEST(MVNLayerTest, WithoutVarianceOnlyTheMeanGoes) {
  DoubleRun run("type: 'MVN' mvn_param { normalize_variance: false }", {{1, 2, 2}});
  SetValues<double>({1, 5, -4, -2}, run.bottom[0]);
  run.SetUp();
  EXPECT_EQ(run.Forward(), vector<double>({-2, 2, -1, 1}));
  EXPECT_EQ(run.Backward({1, 3, 8, 0}), vector<double>({-1, 1, 4, -4}));
}

TEST(MVNLayerTest, ALargeMeanCancelsNothing) {
  LayerRun<float> run("type: 'MVN'", {{1, 1, 4}});
  // 2^24 is the last float before integers are skipped; sums of squares there have lost the
  // variance.
  SetValues<float>({16777216, 16777214, 16777216, 16777214}, run.bottom[0]);
  ExpectNear(run.SetUp().Forward(), {1, -1, 1, -1}, 1e-7);
}

TEST(MVNLayerTest, AConstantRowGivesZeros) {
  DoubleRun run("type: 'MVN'", {{2, 3}});  // rows of one element
  run.SetUp();
  EXPECT_EQ(run.Forward(), vector<double>(6, 0));
  EXPECT_EQ(run.Backward({1, 2, 3, 4, 5, 6}), vector<double>(6, 0));
}

TEST(MVNLayerTest, Gradients) {
  for (const char* param : {"", "across_channels: true", "normalize_variance: false", "eps: 0.3",
                            "normalize_variance: false across_channels: true"}) {
    DoubleRun run(string("type: 'MVN' mvn_param { ") + param + " }", {{2, 3, 2, 2}});
    GradientChecker<double>(1e-5, 1e-6)
        .CheckGradientExhaustive(run.layer.get(), run.bottom, run.top);
  }
}

TEST(MVNLayerTest, WorksInPlace) {
  ExpectSameInPlace("type: 'MVN'", {{2, 3, 4}});
  ExpectSameInPlace("type: 'MVN' mvn_param { normalize_variance: false }", {{2, 3, 4}});
}

}  // namespace caffe
