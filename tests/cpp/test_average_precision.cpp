#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "caffe/detection/average_precision.hpp"

namespace caffe {
namespace {

TEST(AveragePrecisionTest, ThreeVersionsByHand) {
  // Hits at ranks 1, 3 and 4 of 4 objects: (recall, precision) = (¼, 1), (¼, ½), (½, ⅔), (¾, ¾).
  const PrecisionRecall curve =
      ComputePrecisionRecall({{0.9, true}, {0.8, false}, {0.7, true}, {0.6, true}}, 4);
  ASSERT_EQ(curve.precision.size(), 4u);
  EXPECT_DOUBLE_EQ(curve.precision[2], 2.0 / 3);
  EXPECT_DOUBLE_EQ(curve.recall[3], 0.75);
  EXPECT_NEAR(AveragePrecision(curve, AP_INTEGRAL), (1 + 2.0 / 3 + 0.75) / 4, 1e-15);
  EXPECT_NEAR(AveragePrecision(curve, AP_MAX_INTEGRAL), (1 + 0.75 + 0.75) / 4, 1e-15);
  // Recall points 0, 0.1, 0.2 reach precision 1; 0.3 to 0.7 reach ¾; the rest nothing.
  EXPECT_NEAR(AveragePrecision(curve, AP_11POINT), (3 * 1 + 5 * 0.75) / 11, 1e-15);
}

TEST(AveragePrecisionTest, RecallPointsAreReachedWhateverTheRounding) {
  for (int hits = 1; hits <= 10; ++hits) {
    const std::vector<ScoredDetection> detections(hits, ScoredDetection{1, true});
    const PrecisionRecall curve = ComputePrecisionRecall(detections, 10);
    EXPECT_NEAR(AveragePrecision(curve, AP_11POINT), (hits + 1) / 11.0, 1e-15) << hits;
  }
}

TEST(AveragePrecisionTest, PerfectAndEmpty) {
  for (const ApVersion version : {AP_11POINT, AP_MAX_INTEGRAL, AP_INTEGRAL}) {
    EXPECT_NEAR(AveragePrecision(ComputePrecisionRecall({{1, true}, {0.5, true}}, 2), version), 1,
                1e-15);
    EXPECT_EQ(AveragePrecision(ComputePrecisionRecall({}, 2), version), 0);
    EXPECT_EQ(AveragePrecision(ComputePrecisionRecall({{1, false}}, 0), version), 0);
    EXPECT_EQ(AveragePrecision(ComputePrecisionRecall({{1, false}}, 3), version), 0);
  }
}

TEST(AveragePrecisionTest, OnlyTheOrderOfScoresMatters) {
  std::mt19937 random(1);
  std::vector<ScoredDetection> detections, squared;
  for (int i = 0; i < 50; ++i) {
    const double score = std::uniform_real_distribution<double>(0, 1)(random);
    detections.push_back({score, random() % 3 == 0});
    squared.push_back({score * score, detections.back().is_true_positive});
  }
  for (const ApVersion version : {AP_11POINT, AP_MAX_INTEGRAL, AP_INTEGRAL}) {
    EXPECT_EQ(AveragePrecision(ComputePrecisionRecall(detections, 30), version),
              AveragePrecision(ComputePrecisionRecall(squared, 30), version));
  }
}

}  // namespace
}  // namespace caffe
