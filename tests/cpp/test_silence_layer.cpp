#include <gtest/gtest.h>

#include <vector>

#include "caffe/test/test_caffe_main.hpp"
#include "test_util.hpp"

namespace caffe {

TEST(SilenceLayerTest, GradientsAreZeroWhereAskedFor) {
  LayerCase<double> c("type: 'Silence'", {{2, 3}, {2}}, 0);
  c.SetUp();
  EXPECT_EQ(c.Forward(), 0);
  for (Blob<double>* blob : c.bottom) caffe_set(blob->count(), 5.0, blob->mutable_cpu_diff());
  c.Backward(1);
  EXPECT_EQ(DiffOf(*c.bottom[0]), vector<double>(6, 0));
  EXPECT_EQ(DiffOf(*c.bottom[1]), vector<double>(2, 5.0));
}

TEST(SilenceLayerTest, Errors) {
  LayerCase<double> none("name: 's' type: 'Silence'", {}, 0);
  EXPECT_CAFFE_ERROR(none.SetUp(), "s (Silence): takes at least 1 bottom");
  LayerCase<double> top("type: 'Silence'", {{2}}, 1);
  EXPECT_CAFFE_ERROR(top.SetUp(), "takes 0 top");
}

}  // namespace caffe
