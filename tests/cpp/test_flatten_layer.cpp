#include <gtest/gtest.h>

#include <vector>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

LayerCase<double> FlattenCase(const string& param) {
  return LayerCase<double>("name: 'f' type: 'Flatten' flatten_param { " + param + " }",
                           {{2, 3, 4, 5}});
}

TEST(FlattenLayerTest, Shapes) {
  const struct {
    const char* param;
    vector<int> shape;
  } cases[] = {{"", {2, 60}},
               {"axis: 0", {120}},
               {"axis: 2", {2, 3, 20}},
               {"axis: 0 end_axis: -2", {24, 5}},
               {"axis: -3 end_axis: 2", {2, 12, 5}},
               {"axis: 1 end_axis: 1", {2, 3, 4, 5}}};
  for (const auto& each : cases) {
    LayerCase<double> c = FlattenCase(each.param);
    c.SetUp();
    c.Forward();
    EXPECT_EQ(c.top[0]->shape(), each.shape) << each.param;
    EXPECT_EQ(c.top[0]->cpu_data(), c.bottom[0]->cpu_data());
    // A view: differences are exact but for rounding.
    GradientChecker<double>(1e-2, 1e-9).CheckGradient(c.layer.get(), c.bottom, c.top);
  }
}

TEST(FlattenLayerTest, SharesTheGradientAndFollowsAReshape) {
  LayerCase<double> c = FlattenCase("");
  c.SetUp();
  c.bottom[0]->Reshape({3, 9, 9, 9});
  c.Forward();
  EXPECT_EQ(c.top[0]->shape(), (vector<int>{3, 729}));
  EXPECT_EQ(c.top[0]->cpu_data(), c.bottom[0]->cpu_data());
  EXPECT_EQ(c.top[0]->cpu_diff(), c.bottom[0]->cpu_diff());
}

TEST(FlattenLayerTest, ALossWeightStaysInItsOwnGradient) {
  LayerCase<double> c("type: 'Flatten' loss_weight: 0.5", {{2, 3}});
  c.SetUp();
  c.Forward();
  EXPECT_NE(c.top[0]->cpu_diff(), c.bottom[0]->cpu_diff());
  c.Backward();
  EXPECT_EQ(DiffOf(*c.bottom[0]), vector<double>(6, 0.5));
  caffe_set(6, 9.0, c.bottom[0]->mutable_cpu_diff());  // as an in-place layer below would
  EXPECT_EQ(DiffOf(*c.top[0]), vector<double>(6, 0.5));
  c.Backward(0);
  EXPECT_EQ(DiffOf(*c.bottom[0]), vector<double>(6, 9.0));
}

TEST(FlattenLayerTest, Errors) {
  EXPECT_CAFFE_ERROR(FlattenCase("axis: 2 end_axis: 1").SetUp(),
                     "f (Flatten): end_axis 1 lies before axis 2");
  EXPECT_CAFFE_ERROR(FlattenCase("axis: 4").SetUp(), "axis 4 out of range");
  EXPECT_CAFFE_ERROR(FlattenCase("end_axis: -5").SetUp(), "axis -5 out of range");
  LayerCase<double> in_place = FlattenCase("");
  in_place.top[0] = in_place.bottom[0];
  EXPECT_CAFFE_ERROR(in_place.SetUp(), "cannot work in place");
}

}  // namespace caffe
