#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

TEST(SmoothL1LossLayerTest, ByHand) {
  LayerCase<double> c("type: 'SmoothL1Loss'", {{2, 2}, {2, 2}, {2, 2}, {2, 2}});
  SetData<double>({1, 2, 3, 4}, c.bottom[0]);
  SetData<double>({1.5, 5, 2, 4}, c.bottom[1]);
  SetData<double>({1, 1, 0.5, 1}, c.bottom[2]);
  SetData<double>({1, 2, 4, 1}, c.bottom[3]);
  c.SetUp();
  EXPECT_EQ(c.Forward(), (0.125 + 2 * 2.5 + 4 * 0.125 + 0) / 2);
  c.Backward(1);
  EXPECT_EQ(DiffOf(*c.bottom[0]), (vector<double>{-0.25, -1, 0.5, 0}));
}

TEST(SmoothL1LossLayerTest, GradientWithAndWithoutWeights) {
  for (int num_bottom = 2; num_bottom <= 4; ++num_bottom) {
    LayerCase<double> c("type: 'SmoothL1Loss' loss_weight: 0.7",
                        vector<vector<int>>(num_bottom, {2, 3, 2, 1}));
    // Differences up to 4: both pieces of the function are met. One difference is put at the
    // place where they join: there the gradient is continuous.
    for (int i = 0; i < 12; ++i) c.bottom[0]->mutable_cpu_data()[i] *= 4;
    c.bottom[1]->mutable_cpu_data()[0] = c.bottom[0]->cpu_data()[0] - 1;
    for (const int b : {0, 1}) {
      // The second derivative jumps at 1, so the estimate there is off by up to step / 4.
      GradientChecker<double>(1e-5, 1e-5).CheckGradient(c.layer.get(), c.bottom, c.top, b);
    }
  }
}

TEST(SmoothL1LossLayerTest, WeightsOfOneChangeNothing) {
  LayerCase<double> plain("type: 'SmoothL1Loss'", {{2, 3}, {2, 3}});
  LayerCase<double> weighted("type: 'SmoothL1Loss'", {{2, 3}, {2, 3}, {2, 3}, {2, 3}});
  for (const int b : {2, 3}) caffe_set(6, 1.0, weighted.bottom[b]->mutable_cpu_data());
  plain.SetUp();
  weighted.SetUp();
  EXPECT_EQ(plain.Forward(), weighted.Forward());
  plain.Backward(2);
  weighted.Backward(2);
  EXPECT_EQ(DiffOf(*plain.bottom[0]), DiffOf(*weighted.bottom[0]));
  EXPECT_EQ(DiffOf(*plain.bottom[1]), DiffOf(*weighted.bottom[1]));
}

TEST(SmoothL1LossLayerTest, Errors) {
  LayerCase<double> shape("name: 'l' type: 'SmoothL1Loss'", {{2, 3}, {2, 3}, {2, 4}});
  EXPECT_CAFFE_ERROR(shape.SetUp(), "l (SmoothL1Loss): bottom[2] has the shape 2 4 (8)");
  LayerCase<double> c("type: 'SmoothL1Loss' bottom: 'a' bottom: 'b' bottom: 'in' bottom: 'out'",
                      {{2, 3}, {2, 3}, {2, 3}, {2, 3}});
  c.SetUp();
  c.Forward();
  EXPECT_CAFFE_ERROR(c.Backward(3), "bottom[2] \"in\" holds inside weights");
  EXPECT_CAFFE_ERROR(c.layer->Backward(c.top, {true, true, false, true}, c.bottom),
                     "bottom[3] \"out\" holds outside weights");
  EXPECT_TRUE(c.layer->AllowForceBackward(1));
  EXPECT_FALSE(c.layer->AllowForceBackward(2));
}

}  // namespace caffe
