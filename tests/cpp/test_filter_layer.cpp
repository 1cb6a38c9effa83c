#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

/** Two blobs of four samples; 0 and 2 are dropped. */
LayerCase<double> FilterCase(const vector<double>& selector = {0, 1, 0, -0.5}) {
  LayerCase<double> c("name: 'f' type: 'Filter' bottom: 'a' bottom: 'b' bottom: 'keep'",
                      {{4, 3, 2}, {4}, {4, 1}}, 2);
  SetData(selector, c.bottom[2]);
  return c;
}

TEST(FilterLayerTest, AllPassAtSetupAndTheSelectedThen) {
  LayerCase<double> c = FilterCase();
  c.SetUp();
  EXPECT_EQ(c.top[0]->shape(), (vector<int>{4, 3, 2}));
  c.Forward();
  ASSERT_EQ(c.top[0]->shape(), (vector<int>{2, 3, 2}));
  ASSERT_EQ(c.top[1]->shape(), (vector<int>{2}));
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(c.top[0]->cpu_data()[i], c.bottom[0]->cpu_data()[6 + i]);
    EXPECT_EQ(c.top[0]->cpu_data()[6 + i], c.bottom[0]->cpu_data()[18 + i]);
  }
  EXPECT_EQ(c.top[1]->cpu_data()[1], c.bottom[1]->cpu_data()[3]);
}

TEST(FilterLayerTest, Gradient) {
  LayerCase<double> c = FilterCase();
  c.SetUp();
  c.Forward();  // so that the checker sees the tops' final shapes
  for (const int b : {0, 1}) {
    // Copies: differences are exact but for rounding.
    GradientChecker<double>(1e-2, 1e-9)
        .CheckGradientSingle(c.layer.get(), c.bottom, c.top, b, -1, -1);
  }
}

TEST(FilterLayerTest, NothingPasses) {
  LayerCase<double> c = FilterCase({0, 0, 0, 0});
  c.SetUp();
  c.Forward();
  EXPECT_EQ(c.top[0]->shape(), (vector<int>{0, 3, 2}));
  caffe_set(24, 5.0, c.bottom[0]->mutable_cpu_diff());
  c.Backward(2);
  EXPECT_EQ(DiffOf(*c.bottom[0]), vector<double>(24, 0));
}

TEST(FilterLayerTest, Errors) {
  LayerCase<double> tops("name: 'f' type: 'Filter'", {{4, 3}, {4}}, 2);
  EXPECT_CAFFE_ERROR(tops.SetUp(), "f (Filter): 2 bottoms, the last of them the selector, need 1");
  LayerCase<double> wide("type: 'Filter'", {{4, 3}, {4, 2}});
  EXPECT_CAFFE_ERROR(wide.SetUp(), "the selector must have one value a sample");
  LayerCase<double> num("type: 'Filter'", {{3, 3}, {4}});
  EXPECT_CAFFE_ERROR(num.SetUp(), "does not have the 4 samples of the selector");
  LayerCase<double> c = FilterCase({1, std::nan(""), 0, 0});
  c.SetUp();
  EXPECT_CAFFE_ERROR(c.Forward(), "selector[1] is NaN");
  c.bottom[2]->mutable_cpu_data()[1] = 0;
  c.Forward();
  EXPECT_CAFFE_ERROR(c.Backward(3), "bottom[2] \"keep\" holds selectors");
  EXPECT_TRUE(c.layer->AllowForceBackward(1));
  EXPECT_FALSE(c.layer->AllowForceBackward(2));
}

}  // namespace caffe
