#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

string PermuteText(const vector<int>& order) {
  string text = "name: 'p' type: 'Permute' permute_param {";
  for (const int axis : order) text += " order: " + std::to_string(axis);
  return text + " }";
}

TEST(PermuteLayerTest, EveryOrderAndItsInverse) {
  vector<int> order = {0, 1, 2, 3};
  do {
    LayerCase<double> c(PermuteText(order), {{2, 3, 4, 5}});
    c.SetUp();
    c.Forward();
    vector<int> inverse(4);
    for (int i = 0; i < 4; ++i) {
      ASSERT_EQ(c.top[0]->shape(i), c.bottom[0]->shape(order[i]));
      inverse[order[i]] = i;
    }
    for (int i = 0; i < 120; ++i) {
      const vector<int> from = {i / 60, i / 20 % 3, i / 5 % 4, i % 5};
      vector<int> to;
      for (const int axis : order) to.push_back(from[axis]);
      ASSERT_EQ(c.top[0]->data_at(to), c.bottom[0]->data_at(from));
    }
    LayerCase<double> back(PermuteText(inverse), {});
    back.bottom = c.top;
    back.SetUp();
    back.Forward();
    ASSERT_EQ(DataOf(*back.top[0]), DataOf(*c.bottom[0]));
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(PermuteLayerTest, Gradient) {
  for (const vector<int>& order : {vector<int>{0, 2, 3, 1}, {3, 1, 0, 2}, {0, 1, 2, 3}}) {
    LayerCase<double> c(PermuteText(order), {{2, 3, 2, 4}});
    // Copies: differences are exact but for rounding.
    GradientChecker<double>(1e-2, 1e-9).CheckGradient(c.layer.get(), c.bottom, c.top);
  }
}

TEST(PermuteLayerTest, LargeBlobsOnSeveralThreads) {
  LayerCase<double> c(PermuteText({2, 0, 1}), {{20, 30, 40}});
  c.SetUp();
  c.Forward();
  caffe_copy(24000, c.top[0]->cpu_data(), c.top[0]->mutable_cpu_diff());
  c.Backward();
  EXPECT_EQ(DiffOf(*c.bottom[0]), DataOf(*c.bottom[0]));
  for (int i = 0; i < 24000; ++i) {
    ASSERT_EQ(c.top[0]->data_at({i % 40, i / 1200, i / 40 % 30}), c.bottom[0]->cpu_data()[i]);
  }
}

TEST(PermuteLayerTest, AxesThatAreNotNamedFollow) {
  LayerCase<double> c(PermuteText({2, 0}), {{2, 3, 4, 5}});
  c.SetUp();
  EXPECT_EQ(c.top[0]->shape(), (vector<int>{4, 2, 3, 5}));
  c.bottom[0]->Reshape({1, 2, 3, 4});
  c.Forward();
  EXPECT_EQ(c.top[0]->shape(), (vector<int>{3, 1, 2, 4}));
}

TEST(PermuteLayerTest, EmptyAndScalar) {
  LayerCase<double> empty(PermuteText({1, 0}), {{3, 0}});
  empty.SetUp();
  empty.Forward();
  empty.Backward();
  EXPECT_EQ(empty.top[0]->shape(), (vector<int>{0, 3}));
  LayerCase<double> scalar(PermuteText({}), {vector<int>()});
  scalar.SetUp();
  scalar.Forward();
  EXPECT_EQ(scalar.top[0]->cpu_data()[0], scalar.bottom[0]->cpu_data()[0]);
}

TEST(PermuteLayerTest, Errors) {
  LayerCase<double> range(PermuteText({0, 3}), {{2, 3, 4}});
  EXPECT_CAFFE_ERROR(range.SetUp(), "p (Permute): order names axis 3, but the bottom has 3 axes");
  LayerCase<double> twice(PermuteText({0, 2, 0}), {{2, 3, 4}});
  EXPECT_CAFFE_ERROR(twice.SetUp(), "order names axis 0 twice");
  LayerCase<double> in_place(PermuteText({1, 0}), {{2, 3}});
  in_place.top[0] = in_place.bottom[0];
  EXPECT_CAFFE_ERROR(in_place.SetUp(), "cannot work in place");
  LayerCase<double> axes(PermuteText({1, 0}), {{2, 3}});
  axes.SetUp();
  axes.bottom[0]->Reshape({2, 3, 1});
  EXPECT_CAFFE_ERROR(axes.Forward(), "the bottom had 2 axes at setup, now its shape is 2 3 1 (6)");
}

}  // namespace caffe
