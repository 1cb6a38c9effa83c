#include <gtest/gtest.h>

#include "caffe/layers/crop_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

namespace {

string CropText(const string& param) {
  return "name: 'crop' type: 'Crop' crop_param { " + param + " }";
}

/** Every element of the top is the bottom's, `offset` further. */
void ExpectPart(const LayerCase<double>& test, const vector<int>& offset) {
  const Blob<double>& top = *test.top[0];
  for (int i = 0; i < top.count(); ++i) {
    vector<int> index(top.num_axes());
    for (int a = top.num_axes() - 1, rest = i; a >= 0; --a) {
      index[a] = rest % top.shape(a) + offset[a];
      rest /= top.shape(a);
    }
    ASSERT_EQ(top.cpu_data()[i], test.bottom[0]->data_at(index)) << i;
  }
}

void CheckPart(const string& param, const vector<int>& shape, const vector<int>& offset) {
  SCOPED_TRACE(param);
  LayerCase<double> test(CropText(param), {{4, 5, 6, 7}, {2, 3, 4, 5}});
  test.SetUp();
  test.Forward();
  ASSERT_EQ(test.top[0]->shape(), shape);
  ExpectPart(test, offset);
}

}  // namespace

TEST(CropLayerTest, AxesAndOffsets) {
  CheckPart("", {4, 5, 4, 5}, {0, 0, 0, 0});
  CheckPart("offset: 2", {4, 5, 4, 5}, {0, 0, 2, 2});
  CheckPart("offset: 1 offset: 2", {4, 5, 4, 5}, {0, 0, 1, 2});
  CheckPart("axis: -1 offset: 1", {4, 5, 6, 5}, {0, 0, 0, 1});
  CheckPart("axis: 1 offset: 2 offset: 0 offset: 1", {4, 3, 4, 5}, {0, 2, 0, 1});
  CheckPart("axis: 0 offset: 2 offset: 1 offset: 0 offset: 2", {2, 3, 4, 5}, {2, 1, 0, 2});
}

TEST(CropLayerTest, AnyNumberOfAxesAndOtherSizesLater) {
  LayerCase<double> test(CropText("axis: 2 offset: 1 offset: 0 offset: 2"),
                         {{2, 2, 3, 4, 5}, {9, 9, 2, 4, 3}});
  test.SetUp();
  test.Forward();
  EXPECT_EQ(test.top[0]->shape(), vector<int>({2, 2, 2, 4, 3}));
  ExpectPart(test, {0, 0, 1, 0, 2});
  test.bottom[1]->Reshape({1, 1, 1, 2, 1});
  test.Forward();
  EXPECT_EQ(test.top[0]->shape(), vector<int>({2, 2, 1, 2, 1}));
  ExpectPart(test, {0, 0, 1, 0, 2});
  LayerCase<double> line(CropText("axis: 0 offset: 3"), {{8}, {2}});
  line.SetUp();
  line.Forward();
  ExpectPart(line, {3});
}

TEST(CropLayerTest, Gradients) {
  LayerCase<double> test(CropText("axis: 1 offset: 1 offset: 0 offset: 2"),
                         {{2, 3, 2, 4}, {7, 2, 1, 2}});
  // Linear, so differences are exact but for rounding. Both bottoms: the second's is zero.
  GradientChecker<double> checker(1e-2, 1e-9);
  checker.CheckGradient(test.layer.get(), test.bottom, test.top);
  EXPECT_EQ(test.bottom[1]->asum_diff(), 0);
}

TEST(CropLayerTest, Errors) {
  const auto expect_error = [](const string& param, const vector<vector<int>>& bottoms,
                               const string& error) {
    LayerCase<double> test(CropText(param), bottoms);
    EXPECT_CAFFE_ERROR(test.SetUp(), error);
  };
  expect_error("offset: 3", {{1, 2, 5, 5}, {1, 2, 3, 2}},
               "crop (Crop): axis 2 of bottom[0] has 5, but the part starts at 3 and has 3");
  expect_error("offset: 4294967295", {{1, 2, 5, 5}, {1, 2, 3, 2}},
               "starts at 4294967295 and has 3");
  expect_error("", {{1, 2, 5, 5}, {1, 2, 5, 6}}, "axis 3 of bottom[0] has 5, but the part starts");
  expect_error("offset: 1 offset: 1 offset: 1", {{1, 2, 5, 5}, {1, 2, 3, 2}},
               "crop_param has 3 offsets for 2 axes from axis 2 on");
  expect_error("axis: 4", {{1, 2, 5, 5}, {1, 2, 3, 2}}, "axis 4 out of range");
  expect_error("axis: 1", {{1, 2, 5, 5}, {1, 2}}, "bottom[1] has the shape 1 2 (2), expected at");
}

}  // namespace caffe
