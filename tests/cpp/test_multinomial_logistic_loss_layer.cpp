#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

LayerCase<double> LogisticCase(const string& param = "") {
  LayerCase<double> c("name: 'loss' type: 'MultinomialLogisticLoss' " + param, {{3, 4}, {3}});
  FillUniform<double>(0.1, 1, 3, 12, c.bottom[0]->mutable_cpu_data());
  SetData<double>({3, 0, 3}, c.bottom[1]);
  return c;
}

TEST(MultinomialLogisticLossLayerTest, LossAndGradient) {
  LayerCase<double> c = LogisticCase();
  c.SetUp();
  const double* p = c.bottom[0]->cpu_data();
  EXPECT_NEAR(c.Forward(), -(std::log(p[3]) + std::log(p[4]) + std::log(p[11])) / 3, 1e-15);
  LayerCase<double> weighted = LogisticCase("loss_weight: 0.7");
  // The third derivative of log at 0.1 is 2000: times step² / 6.
  GradientChecker<double>(1e-5, 1e-6)
      .CheckGradient(weighted.layer.get(), weighted.bottom, weighted.top, 0);
}

TEST(MultinomialLogisticLossLayerTest, ZeroProbabilityIsBounded) {
  LayerCase<double> c("type: 'MultinomialLogisticLoss'", {{1, 2}, {1}});
  SetData<double>({0, 1}, c.bottom[0]);
  SetData<double>({0}, c.bottom[1]);
  c.SetUp();
  EXPECT_NEAR(c.Forward(), 20 * std::log(10), 1e-5) << "the threshold 1e-20 is a float";
  c.Backward(1);
  EXPECT_NEAR(c.bottom[0]->cpu_diff()[0] / -1e20, 1, 1e-6);
  EXPECT_EQ(c.bottom[0]->cpu_diff()[1], 0);
}

TEST(MultinomialLogisticLossLayerTest, Errors) {
  LayerCase<double> counts("name: 'l' type: 'MultinomialLogisticLoss'", {{2, 3}, {2, 2}});
  EXPECT_CAFFE_ERROR(counts.SetUp(), "l (MultinomialLogisticLoss): bottom[1] has 4 labels");
  LayerCase<double> c = LogisticCase("bottom: 'p' bottom: 'y'");
  c.SetUp();
  c.bottom[1]->mutable_cpu_data()[2] = 4;
  EXPECT_CAFFE_ERROR(c.Forward(), "label[2] is 4, out of the range 0 to 3");
  c.bottom[1]->mutable_cpu_data()[2] = std::nan("");
  EXPECT_CAFFE_ERROR(c.Forward(), "label[2] is nan");
  c.bottom[1]->mutable_cpu_data()[2] = 0;
  c.Forward();
  EXPECT_CAFFE_ERROR(c.Backward(2), "bottom[1] \"y\" holds labels");
}

}  // namespace caffe
