#include <gtest/gtest.h>

#include <vector>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

LayerCase<double> SliceCase(const string& param, int num_top) {
  return LayerCase<double>("name: 's' type: 'Slice' slice_param { " + param + " }", {{4, 6, 2}},
                           num_top);
}

TEST(SliceLayerTest, CutsAtThePoints) {
  LayerCase<double> c = SliceCase("slice_point: 1 slice_point: 3", 3);
  c.SetUp();
  c.Forward();
  EXPECT_EQ(c.top[0]->shape(), (vector<int>{4, 1, 2}));
  EXPECT_EQ(c.top[1]->shape(), (vector<int>{4, 2, 2}));
  EXPECT_EQ(c.top[2]->shape(), (vector<int>{4, 3, 2}));
  EXPECT_EQ(c.top[0]->data_at({3, 0, 1}), c.bottom[0]->data_at({3, 0, 1}));
  EXPECT_EQ(c.top[1]->data_at({2, 1, 0}), c.bottom[0]->data_at({2, 2, 0}));
  EXPECT_EQ(c.top[2]->data_at({1, 2, 1}), c.bottom[0]->data_at({1, 5, 1}));
}

TEST(SliceLayerTest, ConcatIsItsInverse) {
  const struct {
    const char* param;
    const char* axis;
    int num_top;
  } cases[] = {{"", "1", 3},
               {"axis: 0", "0", 2},
               {"axis: -1", "2", 2},
               {"slice_dim: 0 slice_point: 3", "0", 2},
               {"", "1", 1}};
  for (const auto& each : cases) {
    LayerCase<double> c = SliceCase(each.param, each.num_top);
    c.SetUp();
    c.Forward();
    LayerCase<double> concat(string("type: 'Concat' concat_param { axis: ") + each.axis + " }", {});
    concat.bottom = c.top;
    concat.SetUp();
    concat.Forward();
    EXPECT_EQ(concat.top[0]->shape(), c.bottom[0]->shape());
    EXPECT_EQ(DataOf(*concat.top[0]), DataOf(*c.bottom[0])) << each.param;
    // Copies: differences are exact but for rounding.
    GradientChecker<double>(1e-2, 1e-9).CheckGradient(c.layer.get(), c.bottom, c.top);
  }
}

TEST(SliceLayerTest, Errors) {
  EXPECT_CAFFE_ERROR(SliceCase("", 4).SetUp(),
                     "s (Slice): axis 1 of length 6 is not divisible by the 4 tops");
  EXPECT_CAFFE_ERROR(SliceCase("slice_point: 1", 3).SetUp(), "3 tops need 2 of slice_point, got 1");
  EXPECT_CAFFE_ERROR(SliceCase("slice_point: 3 slice_point: 3", 3).SetUp(),
                     "slice_point 3 must be above 3 and below 6");
  EXPECT_CAFFE_ERROR(SliceCase("slice_point: 0", 2).SetUp(), "slice_point 0 must be above 0");
  EXPECT_CAFFE_ERROR(SliceCase("slice_point: 6", 2).SetUp(), "slice_point 6 must be above 0");
  EXPECT_CAFFE_ERROR(SliceCase("axis: 3", 2).SetUp(), "axis 3 out of range");
  EXPECT_CAFFE_ERROR(SliceCase("slice_dim: 3", 2).SetUp(), "slice_dim 3 out of range");
  EXPECT_CAFFE_ERROR(SliceCase("axis: 1 slice_dim: 1", 2).SetUp(), "axis and slice_dim");
  LayerCase<double> in_place = SliceCase("", 2);
  in_place.top[1] = in_place.bottom[0];
  EXPECT_CAFFE_ERROR(in_place.SetUp(), "top[1] is the bottom");
}

}  // namespace caffe
