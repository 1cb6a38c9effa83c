#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

/** Three bottoms that differ along the axis alone. */
LayerCase<double> ConcatCase(const string& param, int axis) {
  vector<vector<int>> shapes(3, {2, 3, 2});
  shapes[1][axis] = 1;
  shapes[2][axis] = 4;
  return LayerCase<double>("name: 'c' type: 'Concat' concat_param { " + param + " }", shapes);
}

TEST(ConcatLayerTest, ValuesAlongEveryAxis) {
  for (int axis = 0; axis < 3; ++axis) {
    for (const int given : {axis, axis - 3}) {
      LayerCase<double> c = ConcatCase("axis: " + std::to_string(given), axis);
      c.SetUp();
      c.Forward();
      int begin = 0;
      for (const Blob<double>* blob : c.bottom) {
        for (int i = 0; i < blob->count(); ++i) {
          vector<int> index = {i / blob->count(1), i / blob->shape(2) % blob->shape(1),
                               i % blob->shape(2)};
          const double value = blob->data_at(index);
          index[axis] += begin;
          ASSERT_EQ(c.top[0]->data_at(index), value);
        }
        begin += blob->shape(axis);
      }
      ASSERT_EQ(c.top[0]->shape(axis), begin);
    }
  }
}

TEST(ConcatLayerTest, Gradient) {
  for (int axis = 0; axis < 3; ++axis) {
    LayerCase<double> c = ConcatCase("axis: " + std::to_string(axis), axis);
    // Copies: differences are exact but for rounding.
    GradientChecker<double>(1e-2, 1e-9).CheckGradient(c.layer.get(), c.bottom, c.top);
    GradientChecker<double>(1e-2, 1e-9).CheckGradient(c.layer.get(), c.bottom, c.top, 1);
  }
}

TEST(ConcatLayerTest, LargeBlobsOnSeveralThreads) {
  const int size = 70001;  // several pieces, the last one short
  LayerCase<float> c("type: 'Concat'", {{2, size}, {2, 3}, {2, size}});
  c.SetUp();
  c.Forward();
  int begin = 0;
  for (const Blob<float>* blob : c.bottom) {
    for (int n = 0; n < 2; ++n) {
      const float* row = blob->cpu_data() + n * blob->shape(1);
      EXPECT_TRUE(std::equal(row, row + blob->shape(1),
                             c.top[0]->cpu_data() + n * c.top[0]->shape(1) + begin));
    }
    begin += blob->shape(1);
  }
}

TEST(ConcatLayerTest, DeprecatedConcatDim) {
  LayerCase<double> c = ConcatCase("concat_dim: 2", 2);
  c.SetUp();
  EXPECT_EQ(c.top[0]->shape(), (vector<int>{2, 3, 7}));
}

TEST(ConcatLayerTest, OneBottomIsCopied) {
  LayerCase<double> c("type: 'Concat'", {{2, 3}});
  c.SetUp();
  c.Forward();
  EXPECT_EQ(DataOf(*c.top[0]), DataOf(*c.bottom[0]));
}

TEST(ConcatLayerTest, Errors) {
  EXPECT_CAFFE_ERROR(ConcatCase("axis: 0", 1).SetUp(),
                     "c (Concat): bottom[1] has the shape 2 1 2 (4); expected that of bottom[0]");
  EXPECT_CAFFE_ERROR(ConcatCase("axis: 3", 1).SetUp(), "axis 3 out of range");
  EXPECT_CAFFE_ERROR(ConcatCase("concat_dim: 3", 1).SetUp(), "concat_dim 3 out of range");
  EXPECT_CAFFE_ERROR(ConcatCase("axis: 1 concat_dim: 1", 1).SetUp(), "axis and concat_dim");
  LayerCase<double> axes("type: 'Concat'", {{2, 3}, {2, 3, 1}});
  EXPECT_CAFFE_ERROR(axes.SetUp(), "bottom[1] has the shape 2 3 1 (6)");
  LayerCase<double> in_place = ConcatCase("", 1);
  in_place.top[0] = in_place.bottom[2];
  EXPECT_CAFFE_ERROR(in_place.SetUp(), "the top is bottom[2]");
}

}  // namespace caffe
