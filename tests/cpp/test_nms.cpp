#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "caffe/detection/nms.hpp"
#include "detection_test_util.hpp"

namespace caffe {
namespace {

TEST(NmsTest, TopScoresAreSortedAndStable) {
  const std::vector<double> scores = {0.3, 0.9, 0.1, 0.9, 0.5};
  std::vector<int> indices;
  TopScores(scores.data(), 5, 0.2, -1, &indices);
  EXPECT_EQ(indices, (std::vector<int>{1, 3, 4, 0}));
  TopScores(scores.data(), 5, 0.2, 2, &indices);
  EXPECT_EQ(indices, (std::vector<int>{1, 3}));
  TopScores(scores.data(), 5, 0.9, -1, &indices);
  EXPECT_TRUE(indices.empty()) << "the threshold itself does not pass";
}

/** Repeats: take the highest score left, drop what overlaps it. Correct for eta = 1. */
std::vector<int> NaiveNms(const BoxArray<double>& boxes, const std::vector<double>& scores,
                          double score_threshold, double overlap_threshold) {
  std::vector<int> left, kept;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] > score_threshold) left.push_back(static_cast<int>(i));
  }
  while (!left.empty()) {
    const int best = *std::max_element(left.begin(), left.end(),
                                       [&](int a, int b) { return scores[a] < scores[b]; });
    kept.push_back(best);
    left.erase(std::remove_if(left.begin(), left.end(),
                              [&](int i) {
                                return i == best ||
                                       JaccardOverlap(boxes[i], boxes[best]) > overlap_threshold;
                              }),
               left.end());
  }
  return kept;
}

TEST(NmsTest, AgreesWithTheNaiveSuppression) {
  std::mt19937 random(21);
  for (int round = 0; round < 40; ++round) {
    const BoxArray<double> boxes = RandomBoxes<double>(60, &random);
    std::vector<double> scores(boxes.size());
    for (double& score : scores) score = std::uniform_real_distribution<double>(0, 1)(random);
    std::vector<int> kept;
    SuppressNonMaxima(boxes, scores.data(), 0.2, {0.3, 1, -1}, &kept);
    EXPECT_EQ(kept, NaiveNms(boxes, scores, 0.2, 0.3));
    EXPECT_LT(kept.size(), boxes.size());
  }
}

TEST(NmsTest, TopKLimitsWhatIsLookedAt) {
  BoxArray<double> boxes;
  boxes.Resize(3);
  boxes.Set(0, {0, 0, 0.5, 0.5});
  boxes.Set(1, {0, 0, 0.5, 0.45});
  boxes.Set(2, {0.6, 0.6, 1, 1});
  const std::vector<double> scores = {0.9, 0.8, 0.7};
  std::vector<int> kept;
  SuppressNonMaxima(boxes, scores.data(), 0, {0.5, 1, 2}, &kept);
  EXPECT_EQ(kept, std::vector<int>{0}) << "the third box is not among the two looked at";
}

TEST(NmsTest, EtaTightensTheThreshold) {
  // Overlaps with the first box: 0.6; between the second and third boxes: 0 — so the third is
  // judged by the threshold that the second one's keeping has tightened.
  BoxArray<double> boxes;
  boxes.Resize(3);
  boxes.Set(0, {0, 0, 1, 0.5});
  boxes.Set(1, {0, 0.6, 1, 1});
  boxes.Set(2, {0, 0, 0.6, 0.5});
  const std::vector<double> scores = {0.9, 0.8, 0.7};
  std::vector<int> kept;
  SuppressNonMaxima(boxes, scores.data(), 0, {0.65, 1, -1}, &kept);
  EXPECT_EQ(kept, (std::vector<int>{0, 1, 2}));
  SuppressNonMaxima(boxes, scores.data(), 0, {0.65, 0.9, -1}, &kept);
  EXPECT_EQ(kept, (std::vector<int>{0, 1})) << "0.65 · 0.9 = 0.585 < 0.6";
}

}  // namespace
}  // namespace caffe
