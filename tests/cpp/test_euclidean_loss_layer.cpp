#include <gtest/gtest.h>

#include <vector>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

TEST(EuclideanLossLayerTest, ByHand) {
  LayerCase<double> c("type: 'EuclideanLoss'", {{2, 2}, {2, 1, 2}});
  SetData<double>({1, 2, 3, 4}, c.bottom[0]);
  SetData<double>({0, 2, 5, 1}, c.bottom[1]);
  c.SetUp();
  EXPECT_EQ(c.Forward(), (1 + 0 + 4 + 9) / 4.0);
  EXPECT_EQ(c.top[0]->num_axes(), 0);
}

TEST(EuclideanLossLayerTest, Gradient) {
  LayerCase<double> c("type: 'EuclideanLoss' loss_weight: -0.7", {{3, 4}, {3, 4}});
  // Central differences of a square are exact: only rounding is left, 1e-16 / step.
  GradientChecker<double>(1e-2, 1e-9).CheckGradient(c.layer.get(), c.bottom, c.top);
  GradientChecker<double>(1e-2, 1e-9).CheckGradient(c.layer.get(), c.bottom, c.top, 1);
  EXPECT_TRUE(c.layer->AllowForceBackward(1));
}

TEST(EuclideanLossLayerTest, Errors) {
  LayerCase<double> size("name: 'l2' type: 'EuclideanLoss'", {{2, 5}, {2, 4}});
  EXPECT_CAFFE_ERROR(size.SetUp(),
                     "l2 (EuclideanLoss): the bottoms must have equally many elements");
  LayerCase<double> batch("type: 'EuclideanLoss'", {{2, 6}, {3, 4}});
  EXPECT_CAFFE_ERROR(batch.SetUp(), "2 6 (12) and 3 4 (12)");
}

}  // namespace caffe
