#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

TEST(ContrastiveLossLayerTest, ByHand) {
  // Three pairs at the distances 5, 0.5 and 5: alike, not alike and near, not alike and far.
  for (const bool legacy : {false, true}) {
    LayerCase<double> c(string("type: 'ContrastiveLoss' contrastive_loss_param { margin: 2 ") +
                            (legacy ? "legacy_version: true }" : "}"),
                        {{3, 2}, {3, 2}, {3}});
    SetData<double>({3, 4, 1, 1, 3, 4}, c.bottom[0]);
    SetData<double>({0, 0, 1, 0.5, 0, 0}, c.bottom[1]);
    SetData<double>({1, 0, 0}, c.bottom[2]);
    c.SetUp();
    EXPECT_DOUBLE_EQ(c.Forward(), (25 + (legacy ? 2 - 0.25 : 1.5 * 1.5)) / 6);
    c.Backward(2);
    const double pushed = legacy ? -0.5 : -1.5;
    const vector<double> expected = {3, 4, 0, pushed, 0, 0};
    for (int i = 0; i < 6; ++i) {
      EXPECT_NEAR(c.bottom[0]->cpu_diff()[i], expected[i] / 3, 1e-15);
      EXPECT_EQ(c.bottom[1]->cpu_diff()[i], -c.bottom[0]->cpu_diff()[i]);
    }
  }
}

TEST(ContrastiveLossLayerTest, Gradient) {
  for (const char* param : {"margin: 1.5", "margin: 1.5 legacy_version: true"}) {
    LayerCase<double> c(
        string("type: 'ContrastiveLoss' loss_weight: 0.7 contrastive_loss_param { ") + param + " }",
        {{8, 2, 1, 1}, {8, 2, 1, 1}, {8, 1, 1, 1}});
    for (int i = 0; i < 8; ++i) c.bottom[2]->mutable_cpu_data()[i] = i % 3 == 0;
    for (const int b : {0, 1}) {
      GradientChecker<double>(1e-5, 1e-6).CheckGradient(c.layer.get(), c.bottom, c.top, b);
    }
  }
}

TEST(ContrastiveLossLayerTest, EqualFeaturesAreNotPushedAnywhere) {
  LayerCase<double> c("type: 'ContrastiveLoss'", {{2, 3}, {2, 3}, {2}});
  c.bottom[1]->CopyFrom(*c.bottom[0]);
  SetData<double>({0, 1}, c.bottom[2]);
  c.SetUp();
  EXPECT_EQ(c.Forward(), 0.25);
  c.Backward(2);
  EXPECT_EQ(DiffOf(*c.bottom[0]), vector<double>(6, 0));
}

TEST(ContrastiveLossLayerTest, NaNShows) {
  for (const char* legacy : {"false", "true"}) {
    LayerCase<double> c(
        string("type: 'ContrastiveLoss' contrastive_loss_param { legacy_version: ") + legacy + " }",
        {{2, 3}, {2, 3}, {2}});
    c.bottom[0]->mutable_cpu_data()[0] = std::nan("");
    SetData<double>({0, 1}, c.bottom[2]);
    c.SetUp();
    EXPECT_TRUE(std::isnan(c.Forward()));
  }
}

TEST(ContrastiveLossLayerTest, Errors) {
  LayerCase<double> shape("name: 'l' type: 'ContrastiveLoss'", {{2, 3}, {2, 4}, {2}});
  EXPECT_CAFFE_ERROR(shape.SetUp(), "l (ContrastiveLoss): the features of a pair");
  LayerCase<double> counts("type: 'ContrastiveLoss'", {{2, 3}, {2, 3}, {3}});
  EXPECT_CAFFE_ERROR(counts.SetUp(), "bottom[2] has 3 labels");
  LayerCase<double> c("type: 'ContrastiveLoss' bottom: 'a' bottom: 'b' bottom: 'same'",
                      {{2, 3}, {2, 3}, {2}});
  SetData<double>({1, 2}, c.bottom[2]);
  c.SetUp();
  EXPECT_CAFFE_ERROR(c.Forward(), "label[1] is 2, out of the range 0 to 1");
  SetData<double>({0.5, 1}, c.bottom[2]);
  EXPECT_CAFFE_ERROR(c.Forward(), "label[0] is 0.5; expected an integer");
  SetData<double>({0, 1}, c.bottom[2]);
  c.Forward();
  EXPECT_CAFFE_ERROR(c.Backward(3), "bottom[2] \"same\" holds labels");
}

}  // namespace caffe
