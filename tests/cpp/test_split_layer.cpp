#include <gtest/gtest.h>

#include <vector>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

TEST(SplitLayerTest, TopsShareTheData) {
  LayerCase<double> split("name: 's' type: 'Split'", {{2, 3, 4}}, 3);
  split.SetUp();
  split.Forward();
  for (const Blob<double>* top : split.top) {
    EXPECT_EQ(top->shape(), split.bottom[0]->shape());
    EXPECT_EQ(top->cpu_data(), split.bottom[0]->cpu_data());
  }
  split.bottom[0]->Reshape({5, 6});
  FillUniform<double>(-1, 1, 1, 30, split.bottom[0]->mutable_cpu_data());
  split.Forward();
  EXPECT_EQ(split.top[2]->shape(), split.bottom[0]->shape());
  EXPECT_EQ(split.top[2]->cpu_data(), split.bottom[0]->cpu_data());
}

TEST(SplitLayerTest, GradientIsTheSum) {
  for (int num_top = 1; num_top <= 4; ++num_top) {
    LayerCase<double> split("name: 's' type: 'Split'", {{2, 5}}, num_top);
    // The layer is linear: differences are exact but for rounding, about 1e-16 / step.
    GradientChecker<double>(1e-2, 1e-9).CheckGradient(split.layer.get(), split.bottom, split.top);
  }
}

TEST(SplitLayerTest, GradientIsLeftAloneWhenNotAskedFor) {
  LayerCase<double> split("name: 's' type: 'Split'", {{2}}, 2);
  split.SetUp();
  split.Forward();
  split.bottom[0]->mutable_cpu_diff()[0] = 5;
  split.Backward(0);
  EXPECT_EQ(split.bottom[0]->cpu_diff()[0], 5);
}

TEST(SplitLayerTest, RefusesToWorkInPlace) {
  LayerCase<double> split("name: 's' type: 'Split'", {{2, 5}}, 2);
  split.top[1] = split.bottom[0];
  EXPECT_CAFFE_ERROR(split.SetUp(), "s (Split): cannot work in place, but top[1] is the bottom");
}

}  // namespace caffe
