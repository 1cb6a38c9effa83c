#include <gtest/gtest.h>

#include <vector>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

LayerCase<double> ReshapeCase(const string& param) {
  return LayerCase<double>("name: 'r' type: 'Reshape' reshape_param { " + param + " }",
                           {{2, 12, 5}});
}

TEST(ReshapeLayerTest, Shapes) {
  const struct {
    const char* param;
    vector<int> shape;
  } cases[] = {{"shape { dim: 0 dim: -1 dim: 4 }", {2, 15, 4}},
               {"shape { dim: -1 }", {120}},
               {"shape { dim: 0 dim: 0 dim: 0 }", {2, 12, 5}},
               {"shape { dim: 3 dim: 4 } axis: 1 num_axes: 1", {2, 3, 4, 5}},
               {"shape { dim: 1 dim: 1 } axis: 1 num_axes: 0", {2, 1, 1, 12, 5}},
               {"shape { dim: 1 } axis: -1 num_axes: 0", {2, 12, 5, 1}},
               {"shape { dim: 1 } axis: -2 num_axes: 0", {2, 12, 1, 5}},
               {"shape { dim: -1 dim: 2 } axis: -3 num_axes: 2", {2, 30, 2}},
               {"shape { dim: 0 dim: -1 dim: 2 } axis: 1 num_axes: 2", {2, 12, -1, 2}},
               {"shape { } axis: 1 num_axes: 0", {2, 12, 5}}};
  for (const auto& each : cases) {
    LayerCase<double> c = ReshapeCase(each.param);
    if (each.shape.size() == 4 && each.shape[2] == -1) {
      EXPECT_CAFFE_ERROR(c.SetUp(),
                         "cannot infer the -1 of the shape: the bottom has 120 elements");
      continue;
    }
    c.SetUp();
    c.Forward();
    EXPECT_EQ(c.top[0]->shape(), each.shape) << each.param;
    EXPECT_EQ(c.top[0]->cpu_data(), c.bottom[0]->cpu_data());
    EXPECT_EQ(c.top[0]->cpu_diff(), c.bottom[0]->cpu_diff());
    // A view: differences are exact but for rounding.
    GradientChecker<double>(1e-2, 1e-9).CheckGradient(c.layer.get(), c.bottom, c.top);
  }
}

TEST(ReshapeLayerTest, ThereAndBack) {
  LayerCase<double> there = ReshapeCase("shape { dim: 10 dim: -1 }");
  there.SetUp();
  there.Forward();
  LayerCase<double> back("type: 'Reshape' reshape_param { shape { dim: 2 dim: 12 dim: 5 } }", {});
  back.bottom = there.top;
  back.SetUp();
  back.Forward();
  EXPECT_EQ(back.top[0]->shape(), there.bottom[0]->shape());
  EXPECT_EQ(DataOf(*back.top[0]), DataOf(*there.bottom[0]));
}

TEST(ReshapeLayerTest, KeptAndInferredAxesFollowTheBottom) {
  LayerCase<double> c = ReshapeCase("shape { dim: 0 dim: -1 dim: 4 }");
  c.SetUp();
  c.bottom[0]->Reshape({3, 8, 7});
  c.Forward();
  EXPECT_EQ(c.top[0]->shape(), (vector<int>{3, 14, 4}));
}

TEST(ReshapeLayerTest, Errors) {
  EXPECT_CAFFE_ERROR(ReshapeCase("shape { dim: 7 dim: -1 }").SetUp(),
                     "r (Reshape): cannot infer the -1 of the shape: the bottom has 120 elements, "
                     "the other axes 7");
  EXPECT_CAFFE_ERROR(ReshapeCase("shape { dim: 2 dim: 12 }").SetUp(),
                     "cannot give a blob of shape 2 12 5 (120) the shape 2 12 (24)");
  EXPECT_CAFFE_ERROR(ReshapeCase("shape { dim: -1 dim: -1 }").SetUp(), "a second -1");
  EXPECT_CAFFE_ERROR(ReshapeCase("shape { dim: -2 }").SetUp(), "shape.dim -2");
  EXPECT_CAFFE_ERROR(ReshapeCase("shape { dim: 8000000000 }").SetUp(), "shape.dim 8000000000");
  EXPECT_CAFFE_ERROR(ReshapeCase("shape { dim: 0 dim: 0 dim: 0 dim: 0 }").SetUp(),
                     "shape.dim 0 keeps axis 3");
  EXPECT_CAFFE_ERROR(ReshapeCase("axis: 4").SetUp(), "axis 4 out of range");
  EXPECT_CAFFE_ERROR(ReshapeCase("axis: -5").SetUp(), "axis -5 out of range");
  EXPECT_CAFFE_ERROR(ReshapeCase("axis: 2 num_axes: 2").SetUp(), "the next 2 exceed");
  EXPECT_CAFFE_ERROR(ReshapeCase("num_axes: -2").SetUp(), "num_axes must be at least -1, got -2");
  LayerCase<double> empty("type: 'Reshape' reshape_param { shape { dim: 0 dim: -1 } }", {{0, 3}});
  EXPECT_CAFFE_ERROR(empty.SetUp(), "cannot infer");
  LayerCase<double> in_place = ReshapeCase("shape { dim: -1 }");
  in_place.top[0] = in_place.bottom[0];
  EXPECT_CAFFE_ERROR(in_place.SetUp(), "cannot work in place");
}

}  // namespace caffe
