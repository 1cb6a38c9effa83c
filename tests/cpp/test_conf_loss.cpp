#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "caffe/detection/conf_loss.hpp"

namespace caffe {
namespace {

TEST(ConfLossTest, ManyRowsAreEachRowByItself) {
  std::mt19937 random(4);
  // Around the block of 64 rows; scales up to where e^x leaves a float's range.
  for (const int num_rows : {1, 63, 64, 65, 200}) {
    for (const int num_classes : {1, 2, 21, 81}) {
      for (const float scale : {0.0F, 1.0F, 30.0F, 200.0F}) {
        std::normal_distribution<float> normal(0, scale + 1e-20F);
        std::vector<float> scores(num_rows * num_classes), losses(num_rows);
        for (float& score : scores) score = normal(random);
        const int label = num_classes / 2;
        ConfLosses(CONF_SOFTMAX, scores.data(), num_rows, num_classes, label, losses.data());
        for (int i = 0; i < num_rows; ++i) {
          const std::vector<double> row(scores.begin() + i * num_classes,
                                        scores.begin() + (i + 1) * num_classes);
          const double expected = ConfLoss(CONF_SOFTMAX, row.data(), num_classes, label);
          // A few roundings of numbers as large as the scores, and of a logarithm.
          EXPECT_NEAR(losses[i], expected, 4e-7 * (4 + 4 * scale + expected))
              << num_rows << " " << num_classes << " " << scale << " row " << i;
        }
      }
    }
  }
}

TEST(ConfLossTest, OtherTypesAgreeToTheBit) {
  const std::vector<double> doubles = {0.5, -1, 2, 3, 0, -200};
  std::vector<double> losses(2);
  ConfLosses(CONF_SOFTMAX, doubles.data(), 2, 3, 1, losses.data());
  EXPECT_EQ(losses[1], ConfLoss(CONF_SOFTMAX, doubles.data() + 3, 3, 1));
  const std::vector<float> floats(doubles.begin(), doubles.end());
  std::vector<float> float_losses(2);
  ConfLosses(CONF_LOGISTIC, floats.data(), 2, 3, -1, float_losses.data());
  EXPECT_EQ(float_losses[1], ConfLoss(CONF_LOGISTIC, floats.data() + 3, 3, -1));
}

TEST(ConfLossTest, WhatIsNotFiniteDoesNotHide) {
  const float kNan = std::numeric_limits<float>::quiet_NaN();
  const float kInfinity = std::numeric_limits<float>::infinity();
  for (const float broken : {kNan, kInfinity}) {
    for (int at = 0; at < 3; ++at) {
      std::vector<float> scores = {0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F};
      scores[at] = broken;
      std::vector<float> losses(2);
      ConfLosses(CONF_SOFTMAX, scores.data(), 2, 3, 0, losses.data());
      EXPECT_FALSE(std::isfinite(losses[0])) << broken << " at " << at;
      EXPECT_TRUE(std::isfinite(losses[1])) << "the other row";
    }
  }
}

}  // namespace
}  // namespace caffe
