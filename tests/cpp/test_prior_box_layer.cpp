#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "caffe/layers/prior_box_layer.hpp"
#include "test_util.hpp"

namespace caffe {
namespace {

LayerCase<double> Priors(const string& param, int map_height = 2, int map_width = 3) {
  return LayerCase<double>("name: 'p' type: 'PriorBox' prior_box_param { " + param + " }",
                           {{1, 4, map_height, map_width}, {1, 3, 60, 90}});
}

TEST(PriorBoxLayerTest, SizesOfOneCellByHand) {
  LayerCase<double> c = Priors("min_size: 18 max_size: 32 aspect_ratio: 4 flip: true", 1, 1);
  c.SetUp();
  c.Forward();
  EXPECT_EQ(c.top[0]->shape(), (vector<int>{1, 2, 4 * 4}));
  const double widths[] = {18, 24, 36, 9};  // 18, √(18·32), 18·√4, 18/√4
  const double heights[] = {18, 24, 9, 36};
  const double* box = c.top[0]->cpu_data();
  for (int i = 0; i < 4; ++i, box += 4) {
    // The cell's center is the image's: (45, 30) of 90 × 60. A few roundings of numbers near 1.
    EXPECT_NEAR(box[0], (45 - widths[i] / 2) / 90, 1e-15) << i;
    EXPECT_NEAR(box[1], (30 - heights[i] / 2) / 60, 1e-15) << i;
    EXPECT_NEAR(box[2], (45 + widths[i] / 2) / 90, 1e-15) << i;
    EXPECT_NEAR(box[3], (30 + heights[i] / 2) / 60, 1e-15) << i;
  }
  for (int i = 0; i < 16; ++i) EXPECT_FLOAT_EQ(box[i], 0.1f) << "the default variance";
}

TEST(PriorBoxLayerTest, CentersFollowStepAndOffset) {
  LayerCase<double> c = Priors("min_size: 8 step: 10 offset: 0.25 variance: [0.1, 0.2, 0.3, 0.4]");
  c.SetUp();
  c.Forward();
  const double* box = c.top[0]->cpu_data();
  for (int row = 0; row < 2; ++row) {
    for (int column = 0; column < 3; ++column, box += 4) {
      EXPECT_NEAR((box[0] + box[2]) / 2 * 90, (column + 0.25) * 10, 1e-12);
      EXPECT_NEAR((box[1] + box[3]) / 2 * 60, (row + 0.25) * 10, 1e-12);
    }
  }
  for (int i = 0; i < 24; ++i) EXPECT_FLOAT_EQ(box[i], 0.1f * (i % 4 + 1));
}

TEST(PriorBoxLayerTest, ClipKeepsPriorsInTheImage) {
  LayerCase<double> free = Priors("min_size: 70");
  LayerCase<double> clipped = Priors("min_size: 70 clip: true");
  free.SetUp();
  free.Forward();
  clipped.SetUp();
  clipped.Forward();
  for (int i = 0; i < 24; ++i) {
    EXPECT_EQ(clipped.top[0]->cpu_data()[i],
              std::min(std::max(free.top[0]->cpu_data()[i], 0.0), 1.0));
  }
}

TEST(PriorBoxLayerTest, RatiosThatAreKnownAddNothing) {
  LayerCase<double> c = Priors("min_size: 10 aspect_ratio: 1 aspect_ratio: 2 aspect_ratio: 2");
  c.SetUp();
  EXPECT_EQ(c.top[0]->shape(2), 2 * 3 * 3 * 4) << "1, 2 and, flipped, 1/2";
}

TEST(PriorBoxLayerTest, AreComputedAgainOnlyWhereTheyMayHaveChanged) {
  LayerCase<double> c = Priors("min_size: 10");
  c.SetUp();
  c.Forward();
  const vector<double> priors(c.top[0]->cpu_data(), c.top[0]->cpu_data() + c.top[0]->count());
  const auto are_right = [&] {
    return std::equal(priors.begin(), priors.end(), c.top[0]->cpu_data());
  };
  const uint64_t version = c.top[0]->data()->version();
  c.Forward();
  EXPECT_EQ(c.top[0]->data()->version(), version) << "nobody wrote";
  EXPECT_TRUE(are_right());
  c.top[0]->mutable_cpu_data()[3] = 7;
  c.Forward();
  EXPECT_TRUE(are_right()) << "somebody wrote";
  c.top[0]->data()->PinHost();
  auto* kept = const_cast<double*>(c.top[0]->cpu_data());
  c.Forward();
  kept[5] = 7;  // as an array of Python's, which tells nobody
  c.Forward();
  EXPECT_TRUE(are_right()) << "somebody kept the pointer";
  c.top[0]->data()->UnpinHost();
  Blob<double> other(c.top[0]->shape());
  c.top[0]->ShareData(other);
  c.Forward();
  EXPECT_TRUE(are_right()) << "the memory is another";
  c.bottom[1]->Reshape({1, 3, 120, 90});
  c.Forward();
  EXPECT_NE(c.top[0]->cpu_data()[1], priors[1]) << "the image is another";
}

TEST(PriorBoxLayerTest, Errors) {
  const vector<pair<string, string>> cases = {
      {"", "prior_box_param needs min_size"},
      {"min_size: 0", "min_size must be positive, got 0"},
      {"min_size: 5 max_size: 5", "max_size must exceed its min_size 5, got 5"},
      {"min_size: 5 min_size: 6 max_size: 7",
       "max_size must be given for every min_size or for none"},
      {"min_size: 5 aspect_ratio: -1", "aspect_ratio must be positive, got -1"},
      {"min_size: 5 variance: 0.1 variance: 0.2", "variance takes 1 or 4 values, got 2"},
      {"min_size: 5 variance: 0", "variance must be positive, got 0"},
      {"min_size: 5 img_size: 3 img_h: 4 img_w: 4", "give img_size, or img_h and img_w"},
      {"min_size: 5 img_h: 4", "img_h and img_w go together"},
      {"min_size: 5 step: 0", "the step must be positive"},
      {"min_size: 5 step_w: 3", "step_h and step_w go together"},
  };
  for (const auto& bad : cases) {
    LayerCase<double> c = Priors(bad.first);
    EXPECT_CAFFE_ERROR(c.SetUp(), "p (PriorBox): " + bad.second);
  }
}

}  // namespace
}  // namespace caffe
