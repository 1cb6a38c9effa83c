#include "test_util.hpp"

namespace caffe {

// Rounding in double: a handful of operations on numbers near 1.
const double kTolerance = 1e-14;

TEST(SoftmaxLayerTest, IsTheFormulaAlongTheAxis) {
  DoubleRun run("type: 'Softmax' softmax_param { axis: -2 }", {{2, 3, 4}});
  run.SetUp();
  EXPECT_EQ(run.top[0]->shape(), run.bottom[0]->shape());
  run.Forward();
  for (int n = 0; n < 2; ++n) {
    for (int i = 0; i < 4; ++i) {
      double sum = 0;
      for (int c = 0; c < 3; ++c) sum += std::exp(run.bottom[0]->data_at({n, c, i}));
      for (int c = 0; c < 3; ++c) {
        EXPECT_NEAR(run.top[0]->data_at({n, c, i}),
                    std::exp(run.bottom[0]->data_at({n, c, i})) / sum, kTolerance);
      }
    }
  }
}

TEST(SoftmaxLayerTest, RowsSumToOneAndAShiftChangesNothing) {
  DoubleRun run("type: 'Softmax'", {{4, 5}});
  run.SetUp();
  const vector<double> before = run.Forward();
  for (int n = 0; n < 4; ++n) {
    EXPECT_NEAR(std::accumulate(&before[n * 5], &before[n * 5] + 5, 0.0), 1, kTolerance);
  }
  // Powers of two, so that the shifted inputs lose only their last bits.
  for (int i = 0; i < 20; ++i) run.bottom[0]->mutable_cpu_data()[i] += i < 10 ? 64 : -256;
  ExpectNear(run.Forward(), before, 1e-12);
}

TEST(SoftmaxLayerTest, LargeInputsDoNotOverflow) {
  LayerRun<float> run("type: 'Softmax'", {{2, 3}});
  SetValues<float>({3e38F, 3e38F, -3e38F, -1000, -1001, -1e30F}, run.bottom[0]);
  run.SetUp();
  const float e = std::exp(-1.0F);
  // One rounding of float in each of three operations.
  ExpectNear(run.Forward(), {0.5F, 0.5F, 0, 1 / (1 + e), e / (1 + e), 0}, 3e-7);
}

TEST(SoftmaxLayerTest, Gradients) {
  for (const char* axis : {"0", "1", "2"}) {
    DoubleRun run(string("type: 'Softmax' softmax_param { axis: ") + axis + " }", {{3, 4, 2}});
    run.CheckGradient();
  }
}

TEST(SoftmaxLayerTest, GradientsOfEveryOutput) {
  DoubleRun run("type: 'Softmax'", {{2, 4, 3}});
  GradientChecker<double>(1e-5, 1e-6).CheckGradientExhaustive(run.layer.get(), run.bottom, run.top);
}

TEST(SoftmaxLayerTest, WorksInPlace) { ExpectSameInPlace("type: 'Softmax'", {{2, 4, 3}}); }

TEST(SoftmaxLayerTest, LeavesTheBottomAloneWithoutPropagateDown) {
  DoubleRun run("type: 'Softmax'", {{2, 2}});
  run.SetUp().Forward();
  SetGradients<double>({1, 2, 3, 4}, run.bottom[0]);
  EXPECT_EQ(run.Backward({1, 0, 0, 1}, {false}), vector<double>({1, 2, 3, 4}));
}

TEST(SoftmaxLayerTest, FollowsAReshapeOfItsBottom) {
  DoubleRun run("type: 'Softmax'", {{2, 3}});
  run.SetUp().Forward();
  run.bottom[0]->Reshape({1, 2, 2});
  SetValues<double>({1, 2, 1, 2}, run.bottom[0]);
  EXPECT_EQ(run.Forward(), vector<double>(4, 0.5));
}

TEST(SoftmaxLayerTest, Errors) {
  DoubleRun run("name: 'prob' type: 'Softmax' softmax_param { axis: 2 }", {{2, 3}});
  EXPECT_CAFFE_ERROR(run.SetUp(), "prob (Softmax): axis 2 out of range for a blob of shape 2 3");
  DoubleRun two("type: 'Softmax'", {{2, 3}, {2, 3}});
  EXPECT_CAFFE_ERROR(two.SetUp(), "takes 1 bottom blob(s), got 2");
}

}  // namespace caffe
