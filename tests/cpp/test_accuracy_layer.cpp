#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "caffe/test/test_caffe_main.hpp"
#include "test_util.hpp"

namespace caffe {

TEST(AccuracyLayerTest, ByHand) {
  LayerCase<double> c("type: 'Accuracy'", {{3, 3}, {3}}, 2);
  SetData<double>({.1, .7, .2, .5, .3, .2, .1, .2, .7}, c.bottom[0]);
  SetData<double>({1, 1, 2}, c.bottom[1]);
  c.SetUp();
  c.Forward();
  EXPECT_DOUBLE_EQ(c.top[0]->cpu_data()[0], 2 / 3.0);
  EXPECT_EQ(c.top[0]->num_axes(), 0);
  EXPECT_EQ(DataOf(*c.top[1]), (vector<double>{0, 0.5, 1}));
}

/** The rank of y when scores are sorted in falling order, of equal ones the later first. */
int NaiveRank(const vector<double>& scores, int y) {
  vector<std::pair<double, int>> sorted;
  for (size_t c = 0; c < scores.size(); ++c) sorted.emplace_back(scores[c], static_cast<int>(c));
  std::sort(sorted.rbegin(), sorted.rend());
  for (size_t rank = 0; rank < sorted.size(); ++rank) {
    if (sorted[rank].second == y) return static_cast<int>(rank);
  }
  return -1;
}

TEST(AccuracyLayerTest, AgreesWithSortingOnManyTies) {
  for (int top_k = 1; top_k <= 4; ++top_k) {
    LayerCase<double> c("type: 'Accuracy' accuracy_param { ignore_label: 3 axis: -2 top_k: " +
                            std::to_string(top_k) + " }",
                        {{6, 4, 5}, {6, 5}}, 2);
    double* scores = c.bottom[0]->mutable_cpu_data();
    for (int i = 0; i < 120; ++i) scores[i] = std::floor(2 * scores[i]);
    for (int i = 0; i < 30; ++i) c.bottom[1]->mutable_cpu_data()[i] = (i * 7) % 4;
    c.SetUp();
    c.Forward();
    double right[4] = {}, seen[4] = {};
    for (int i = 0; i < 30; ++i) {
      const int y = (i * 7) % 4;
      if (y == 3) continue;
      vector<double> column;
      for (int k = 0; k < 4; ++k) column.push_back(scores[(i / 5 * 4 + k) * 5 + i % 5]);
      ++seen[y];
      if (NaiveRank(column, y) < top_k) ++right[y];
    }
    const double all = seen[0] + seen[1] + seen[2];
    EXPECT_DOUBLE_EQ(c.top[0]->cpu_data()[0], (right[0] + right[1] + right[2]) / all);
    for (int k = 0; k < 3; ++k) EXPECT_DOUBLE_EQ(c.top[1]->cpu_data()[k], right[k] / seen[k]);
    EXPECT_EQ(c.top[1]->cpu_data()[3], 0);
  }
}

TEST(AccuracyLayerTest, NaNsAreWrongAndNothingIsZero) {
  LayerCase<double> c("type: 'Accuracy' accuracy_param { ignore_label: 255 }", {{2, 2}, {2}});
  SetData<double>({std::nan(""), 1, 1, std::nan("")}, c.bottom[0]);
  SetData<double>({0, 0}, c.bottom[1]);
  c.SetUp();
  c.Forward();
  EXPECT_EQ(c.top[0]->cpu_data()[0], 0);
  SetData<double>({255, 255}, c.bottom[1]);
  c.Forward();
  EXPECT_EQ(c.top[0]->cpu_data()[0], 0);
}

TEST(AccuracyLayerTest, Errors) {
  LayerCase<double> zero("type: 'Accuracy' accuracy_param { top_k: 0 }", {{2, 3}, {2}});
  EXPECT_CAFFE_ERROR(zero.SetUp(), "top_k must be at least 1, got 0");
  LayerCase<double> many("name: 'a' type: 'Accuracy' accuracy_param { top_k: 4 }", {{2, 3}, {2}});
  EXPECT_CAFFE_ERROR(many.SetUp(), "a (Accuracy): top_k is 4, but axis 1");
  LayerCase<double> counts("type: 'Accuracy'", {{2, 3, 4}, {2}});
  EXPECT_CAFFE_ERROR(counts.SetUp(), "bottom[1] has 2 labels, expected 8");
  LayerCase<double> c("type: 'Accuracy' bottom: 'x' bottom: 'y'", {{2, 3}, {2}});
  c.SetUp();
  SetData<double>({0, 3}, c.bottom[1]);
  EXPECT_CAFFE_ERROR(c.Forward(), "label[1] is 3, out of the range 0 to 2");
  SetData<double>({0, 2}, c.bottom[1]);
  c.Forward();
  EXPECT_CAFFE_ERROR(c.Backward(1), "bottom[0] \"x\" holds the scores of an accuracy");
  c.Backward(0);
}

}  // namespace caffe
