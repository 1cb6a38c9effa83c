#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

/** Scores 2×5×3 over axis 1, six labels; label 2 stands at three places. */
LayerCase<double> SpatialCase(const string& param, int num_top = 1) {
  LayerCase<double> c("name: 'loss' type: 'SoftmaxWithLoss' " + param, {{2, 5, 3}, {2, 1, 3}},
                      num_top);
  SetData<double>({0, 2, 4, 2, 3, 2}, c.bottom[1]);
  return c;
}

/** Σ −log p over the labels that count: one exp at a time. */
double NaiveSum(const LayerCase<double>& c, int ignore_label) {
  double sum = 0;
  for (int n = 0; n < 2; ++n) {
    for (int i = 0; i < 3; ++i) {
      const int y = static_cast<int>(c.bottom[1]->cpu_data()[n * 3 + i]);
      if (y == ignore_label) continue;
      double total = 0;
      for (int k = 0; k < 5; ++k) total += std::exp(c.bottom[0]->cpu_data()[(n * 5 + k) * 3 + i]);
      sum -= std::log(std::exp(c.bottom[0]->cpu_data()[(n * 5 + y) * 3 + i]) / total);
    }
  }
  return sum;
}

TEST(SoftmaxWithLossLayerTest, EveryNormalization) {
  const struct {
    const char* param;
    int ignore_label;
    double normalizer;
  } cases[] = {{"", -9, 6},
               {"loss_param { ignore_label: 2 }", 2, 3},
               {"loss_param { ignore_label: 2 normalize: true }", 2, 3},
               {"loss_param { ignore_label: 2 normalize: false }", 2, 2},
               {"loss_param { ignore_label: 2 normalization: FULL }", 2, 6},
               {"loss_param { ignore_label: 2 normalization: BATCH_SIZE }", 2, 2},
               {"loss_param { ignore_label: 2 normalization: NONE }", 2, 1}};
  for (const auto& expected : cases) {
    LayerCase<double> c = SpatialCase(expected.param);
    c.SetUp();
    // A few roundings of values about 1.
    EXPECT_NEAR(c.Forward(), NaiveSum(c, expected.ignore_label) / expected.normalizer, 1e-13)
        << expected.param;
    LayerCase<double> weighted = SpatialCase(string("loss_weight: 0.7 ") + expected.param);
    GradientChecker<double>(1e-4, 1e-7)
        .CheckGradient(weighted.layer.get(), weighted.bottom, weighted.top, 0);
  }
}

TEST(SoftmaxWithLossLayerTest, GradientAlongOtherAxes) {
  LayerCase<double> last("type: 'SoftmaxWithLoss' loss_weight: 3 softmax_param { axis: -1 }",
                         {{2, 3, 4}, {2, 3}});
  SetData<double>({0, 1, 2, 3, 0, 1}, last.bottom[1]);
  GradientChecker<double>(1e-4, 1e-7).CheckGradient(last.layer.get(), last.bottom, last.top, 0);
}

TEST(SoftmaxWithLossLayerTest, SecondTopHoldsProbabilities) {
  LayerCase<double> c = SpatialCase("", 2);
  c.SetUp();
  c.Forward();
  ASSERT_EQ(c.top[1]->shape(), c.bottom[0]->shape());
  for (int i = 0; i < 3; ++i) {
    double sum = 0;
    for (int k = 0; k < 5; ++k) sum += c.top[1]->cpu_data()[k * 3 + i];
    EXPECT_NEAR(sum, 1, 1e-14);
  }
  EXPECT_EQ(c.layer->loss(0), 1);
  EXPECT_EQ(c.layer->loss(1), 0);
}

TEST(SoftmaxWithLossLayerTest, NothingCountsGivesZero) {
  LayerCase<double> c = SpatialCase("loss_param { ignore_label: 2 }");
  caffe_set(6, 2.0, c.bottom[1]->mutable_cpu_data());
  c.SetUp();
  EXPECT_EQ(c.Forward(), 0);
  c.Backward(1);
  EXPECT_EQ(DiffOf(*c.bottom[0]), vector<double>(30, 0));
}

TEST(SoftmaxWithLossLayerTest, SumOfTheGradientOverClassesIsZero) {
  LayerCase<double> c = SpatialCase("loss_param { ignore_label: 3 }");
  c.SetUp();
  c.Forward();
  c.Backward(1);
  for (int n = 0; n < 2; ++n) {
    for (int i = 0; i < 3; ++i) {
      double sum = 0;
      for (int k = 0; k < 5; ++k) sum += c.bottom[0]->cpu_diff()[(n * 5 + k) * 3 + i];
      EXPECT_NEAR(sum, 0, 1e-15);
    }
  }
}

TEST(SoftmaxWithLossLayerTest, ImpossibleLabelAndNonFiniteScores) {
  LayerCase<double> c("type: 'SoftmaxWithLoss'", {{1, 2}, {1}});
  SetData<double>({0, 1000}, c.bottom[0]);
  SetData<double>({0}, c.bottom[1]);
  c.SetUp();
  // p underflows to 0; Caffe takes −log(FLT_MIN), 87.336…
  EXPECT_NEAR(c.Forward(), 87.3365, 1e-4);
  SetData<double>({std::nan(""), 0}, c.bottom[0]);
  EXPECT_TRUE(std::isnan(c.Forward()));
}

TEST(SoftmaxWithLossLayerTest, Errors) {
  LayerCase<double> counts("name: 'loss' type: 'SoftmaxWithLoss'", {{2, 5, 3}, {2, 5}});
  EXPECT_CAFFE_ERROR(counts.SetUp(), "loss (SoftmaxWithLoss): bottom[1] has 10 labels, expected 6");
  LayerCase<double> axis("type: 'SoftmaxWithLoss' softmax_param { axis: 3 }", {{2, 5, 3}, {2, 5}});
  EXPECT_CAFFE_ERROR(axis.SetUp(), "axis 3 out of range");
  LayerCase<double> weight = SpatialCase("loss_weight: 1 loss_weight: 0.5", 2);
  EXPECT_CAFFE_ERROR(weight.SetUp(), "expected the loss_weight 0, got 0.5");

  LayerCase<double> c = SpatialCase("bottom: 'x' bottom: 'classes'");
  c.SetUp();
  c.bottom[1]->mutable_cpu_data()[3] = 5;
  EXPECT_CAFFE_ERROR(c.Forward(), "label[3] is 5, out of the range 0 to 4");
  c.bottom[1]->mutable_cpu_data()[3] = -1;
  EXPECT_CAFFE_ERROR(c.Forward(), "label[3] is -1");
  c.bottom[1]->mutable_cpu_data()[3] = 0.5;
  EXPECT_CAFFE_ERROR(c.Forward(), "label[3] is 0.5; expected an integer from 0 to 4");
  c.bottom[1]->mutable_cpu_data()[3] = std::nan("");
  EXPECT_CAFFE_ERROR(c.Forward(), "label[3] is nan");
  c.bottom[1]->mutable_cpu_data()[3] = 0;
  c.Forward();
  EXPECT_CAFFE_ERROR(c.Backward(2), "bottom[1] \"classes\" holds labels");
}

}  // namespace caffe
