#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

LayerCase<double> HingeCase(const string& param) {
  LayerCase<double> c("name: 'hinge' type: 'HingeLoss' " + param, {{2, 3}, {2}});
  SetData<double>({2, 0.5, -3, -0.5, 0.25, 1.5}, c.bottom[0]);
  SetData<double>({1, 2}, c.bottom[1]);
  return c;
}

TEST(HingeLossLayerTest, ByHand) {
  LayerCase<double> l1 = HingeCase("");
  l1.SetUp();
  EXPECT_EQ(l1.Forward(), (3 + 0.5 + 0 + 0.5 + 1.25 + 0) / 2);
  l1.Backward(1);
  EXPECT_EQ(DiffOf(*l1.bottom[0]), (vector<double>{0.5, -0.5, 0, 0.5, 0.5, 0}));
  LayerCase<double> l2 = HingeCase("hinge_loss_param { norm: L2 }");
  l2.SetUp();
  EXPECT_EQ(l2.Forward(), (9 + 0.25 + 0.25 + 1.5625) / 2);
  l2.Backward(1);
  EXPECT_EQ(DiffOf(*l2.bottom[0]), (vector<double>{3, -0.5, 0, 0.5, 1.25, 0}));
}

TEST(HingeLossLayerTest, Gradient) {
  for (const char* norm : {"L1", "L2"}) {
    LayerCase<double> c(
        string("type: 'HingeLoss' loss_weight: 0.7 hinge_loss_param { norm: ") + norm + " }",
        {{4, 3, 2}, {4}});
    for (int i = 0; i < 24; ++i) c.bottom[0]->mutable_cpu_data()[i] *= 3;
    SetData<double>({0, 5, 2, 3}, c.bottom[1]);
    // At scores of ±1 there is no derivative; nearer than the step the difference straddles it.
    GradientChecker<double>(1e-4, 1e-7, 1701, 1, 0.001)
        .CheckGradient(c.layer.get(), c.bottom, c.top, 0);
  }
}

TEST(HingeLossLayerTest, NaNShows) {
  LayerCase<double> c = HingeCase("");
  c.bottom[0]->mutable_cpu_data()[4] = std::nan("");
  c.SetUp();
  EXPECT_TRUE(std::isnan(c.Forward()));
}

TEST(HingeLossLayerTest, Errors) {
  LayerCase<double> counts("name: 'hinge' type: 'HingeLoss'", {{2, 3}, {2, 2}});
  EXPECT_CAFFE_ERROR(counts.SetUp(), "hinge (HingeLoss): bottom[1] has 4 labels");
  LayerCase<double> c = HingeCase("bottom: 'x' bottom: 'y'");
  c.SetUp();
  c.bottom[1]->mutable_cpu_data()[1] = 3;
  EXPECT_CAFFE_ERROR(c.Forward(), "label[1] is 3, out of the range 0 to 2");
  c.bottom[1]->mutable_cpu_data()[1] = 1.5;
  EXPECT_CAFFE_ERROR(c.Forward(), "label[1] is 1.5; expected an integer");
  c.bottom[1]->mutable_cpu_data()[1] = 0;
  c.Forward();
  EXPECT_CAFFE_ERROR(c.Backward(2), "bottom[1] \"y\" holds labels");
}

}  // namespace caffe
