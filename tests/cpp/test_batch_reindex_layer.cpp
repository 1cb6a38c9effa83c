#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

LayerCase<double> ReindexCase(const vector<double>& indices) {
  LayerCase<double> c("name: 'b' type: 'BatchReindex' bottom: 'x' bottom: 'i'",
                      {{4, 3, 2}, {static_cast<int>(indices.size())}});
  SetData(indices, c.bottom[1]);
  return c;
}

TEST(BatchReindexLayerTest, SelectsRepeatsAndReorders) {
  const vector<double> indices = {3, 0, 0, 2, 3};
  LayerCase<double> c = ReindexCase(indices);
  c.SetUp();
  c.Forward();
  ASSERT_EQ(c.top[0]->shape(), (vector<int>{5, 3, 2}));
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(c.top[0]->cpu_data()[i],
              c.bottom[0]->cpu_data()[static_cast<int>(indices[i / 6]) * 6 + i % 6]);
  }
  // Copies and sums: differences are exact but for rounding.
  GradientChecker<double>(1e-2, 1e-9).CheckGradient(c.layer.get(), c.bottom, c.top, 0);
}

TEST(BatchReindexLayerTest, NoIndicesNoSamples) {
  LayerCase<double> c = ReindexCase({});
  c.SetUp();
  c.Forward();
  EXPECT_EQ(c.top[0]->shape(), (vector<int>{0, 3, 2}));
  caffe_set(24, 5.0, c.bottom[0]->mutable_cpu_diff());
  c.Backward(1);
  EXPECT_EQ(DiffOf(*c.bottom[0]), vector<double>(24, 0));
}

TEST(BatchReindexLayerTest, Errors) {
  const auto forward = [](double index) {
    LayerCase<double> c = ReindexCase({0, index});
    c.SetUp();
    c.Forward();
  };
  EXPECT_CAFFE_ERROR(forward(4),
                     "b (BatchReindex): index[1] is 4; expected an integer from 0 to 3");
  EXPECT_CAFFE_ERROR(forward(-1), "index[1] is -1");
  EXPECT_CAFFE_ERROR(forward(1.5), "index[1] is 1.5");
  EXPECT_CAFFE_ERROR(forward(std::nan("")), "index[1] is nan");
  LayerCase<double> axes("type: 'BatchReindex'", {{4, 3}, {2, 1}});
  EXPECT_CAFFE_ERROR(axes.SetUp(), "bottom[1] must be a vector of indices, got the shape 2 1 (2)");
  LayerCase<double> c = ReindexCase({1});
  c.SetUp();
  c.Forward();
  EXPECT_CAFFE_ERROR(c.Backward(2), "bottom[1] \"i\" holds indices");
  EXPECT_FALSE(c.layer->AllowForceBackward(1));
}

}  // namespace caffe
