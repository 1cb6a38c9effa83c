#include "test_util.hpp"

namespace caffe {

namespace {

const vector<string> kOperations = {"SUM", "ASUM", "SUMSQ", "MEAN"};

string Text(const string& operation, const string& more = "") {
  return "type: 'Reduction' reduction_param { operation: " + operation + " " + more + " }";
}

}  // namespace

TEST(ReductionLayerTest, ValuesByHand) {
  const vector<vector<double>> expected = {{-2, 6}, {4, 6}, {10, 18}, {-1, 3}};
  for (size_t i = 0; i < kOperations.size(); ++i) {
    DoubleRun run(Text(kOperations[i], "axis: 1"), {{2, 2}});
    SetValues<double>({-3, 1, 3, 3}, run.bottom[0]);
    EXPECT_EQ(run.SetUp().Forward(), expected[i]) << kOperations[i];
    DoubleRun twice(Text(kOperations[i], "axis: 1 coeff: -2"), {{2, 2}});
    SetValues<double>({-3, 1, 3, 3}, twice.bottom[0]);
    EXPECT_EQ(twice.SetUp().Forward(), vector<double>({-2 * expected[i][0], -2 * expected[i][1]}));
  }
}

TEST(ReductionLayerTest, Shapes) {
  const auto shape = [](const string& param) {
    DoubleRun run("type: 'Reduction' reduction_param { " + param + " }", {{2, 3, 4}});
    return run.SetUp().top[0]->shape();
  };
  EXPECT_EQ(shape(""), vector<int>());
  EXPECT_EQ(shape("axis: 1"), vector<int>({2}));
  EXPECT_EQ(shape("axis: -1"), vector<int>({2, 3}));
}

TEST(ReductionLayerTest, SumsOfFloatsKeepTheirDigits) {
  LayerRun<float> run("type: 'Reduction'", {{3}});
  // In float the ones would be lost one by one.
  SetValues<float>({16777216, 1, 1}, run.bottom[0]);
  EXPECT_EQ(run.SetUp().Forward()[0], 16777218);
}

TEST(ReductionLayerTest, Gradients) {
  for (const string& operation : kOperations) {
    for (const char* more : {"", "axis: 1 coeff: 2.5", "axis: 2 coeff: -0.3"}) {
      DoubleRun run(Text(operation, more), {{2, 3, 4}});
      GradientChecker<double>(1e-5, 1e-6, 1701, 0, 1e-3)
          .CheckGradientExhaustive(run.layer.get(), run.bottom, run.top);
    }
  }
}

TEST(ReductionLayerTest, MeanFollowsAReshape) {
  DoubleRun run(Text("MEAN"), {{4}});
  SetValues<double>({1, 2, 3, 6}, run.bottom[0]);
  EXPECT_EQ(run.SetUp().Forward(), vector<double>({3}));
  run.bottom[0]->Reshape({2});
  EXPECT_EQ(run.Forward(), vector<double>({1.5}));
}

TEST(ReductionLayerTest, LeavesTheBottomAloneWithoutPropagateDown) {
  DoubleRun run(Text("SUM"), {{2}});
  run.SetUp().Forward();
  SetGradients<double>({7, 8}, run.bottom[0]);
  EXPECT_EQ(run.Backward({1}, {false}), vector<double>({7, 8}));
}

TEST(ReductionLayerTest, Errors) {
  DoubleRun axis(Text("SUM", "axis: 3"), {{2, 3, 4}});
  EXPECT_CAFFE_ERROR(axis.SetUp(), "axis 3 out of range for a blob of shape 2 3 4");
  DoubleRun empty(Text("MEAN", "axis: 1"), {{2, 0}});
  EXPECT_CAFFE_ERROR(empty.SetUp(), "the mean of no values: the bottom has the shape 2 0 (0)");
  DoubleRun in_place(Text("SUM"), {{2, 3}});
  EXPECT_CAFFE_ERROR(in_place.InPlace().SetUp(), "cannot work in place");
}

}  // namespace caffe
