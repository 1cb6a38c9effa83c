#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

/** Scores 3×4 in [−1, 1), targets in [0, 1) but for three zeros. */
LayerCase<double> SigmoidCase(const string& param) {
  LayerCase<double> c("name: 'loss' type: 'SigmoidCrossEntropyLoss' " + param, {{3, 4}, {3, 4}});
  FillUniform<double>(0, 1, 5, 12, c.bottom[1]->mutable_cpu_data());
  for (const int i : {1, 6, 11}) c.bottom[1]->mutable_cpu_data()[i] = 0;
  return c;
}

TEST(SigmoidCrossEntropyLossLayerTest, EveryNormalization) {
  const struct {
    const char* param;
    bool ignores_zero;
    double normalizer;
  } cases[] = {{"", false, 3},
               {"loss_param { normalize: true }", false, 12},
               {"loss_param { ignore_label: 0 }", true, 3},
               {"loss_param { ignore_label: 0 normalization: VALID }", true, 9},
               {"loss_param { ignore_label: 0 normalization: FULL }", true, 12},
               {"loss_param { ignore_label: 0 normalization: NONE }", true, 1}};
  for (const auto& expected : cases) {
    LayerCase<double> c = SigmoidCase(expected.param);
    double sum = 0;
    for (int i = 0; i < 12; ++i) {
      const double t = c.bottom[1]->cpu_data()[i];
      const double p = 1 / (1 + std::exp(-c.bottom[0]->cpu_data()[i]));
      if (!(expected.ignores_zero && t == 0)) sum -= t * std::log(p) + (1 - t) * std::log(1 - p);
    }
    c.SetUp();
    // A few roundings of values about 1.
    EXPECT_NEAR(c.Forward(), sum / expected.normalizer, 1e-13) << expected.param;
    LayerCase<double> weighted = SigmoidCase(string("loss_weight: -0.7 ") + expected.param);
    GradientChecker<double>(1e-4, 1e-7)
        .CheckGradient(weighted.layer.get(), weighted.bottom, weighted.top, 0);
  }
}

TEST(SigmoidCrossEntropyLossLayerTest, LargeScoresAreExact) {
  LayerCase<double> c("type: 'SigmoidCrossEntropyLoss'", {{1, 4}, {1, 4}});
  SetData<double>({1e4, -1e4, 800, -800}, c.bottom[0]);
  SetData<double>({1, 0, 0, 1}, c.bottom[1]);
  c.SetUp();
  EXPECT_EQ(c.Forward(), 1600);
  c.Backward(1);
  EXPECT_EQ(DiffOf(*c.bottom[0]), (vector<double>{0, 0, 1, -1}));
  c.bottom[0]->mutable_cpu_data()[2] = std::nan("");
  EXPECT_TRUE(std::isnan(c.Forward()));
}

TEST(SigmoidCrossEntropyLossLayerTest, Errors) {
  LayerCase<double> counts("name: 'l' type: 'SigmoidCrossEntropyLoss'", {{3, 4}, {3, 5}});
  EXPECT_CAFFE_ERROR(counts.SetUp(), "l (SigmoidCrossEntropyLoss): scores and targets");
  LayerCase<double> c = SigmoidCase("bottom: 'x' bottom: 't'");
  c.SetUp();
  c.Forward();
  EXPECT_CAFFE_ERROR(c.Backward(2), "bottom[1] \"t\" holds targets, which have no gradient");
}

}  // namespace caffe
