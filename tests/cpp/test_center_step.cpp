#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "caffe/util/center_step.hpp"
#include "test_util.hpp"

namespace caffe {

constexpr int kRows = 40, kClasses = 7, kDim = 5;

/** Random features, centers and samples: not every row counts, and class 3 never comes. */
struct CenterStepData {
  CenterStepData() : features(kRows * kDim), centers(kClasses * kDim) {
    FillUniform<double>(-3, 3, 5, kRows * kDim, features.data());
    FillUniform<double>(-3, 3, 6, kClasses * kDim, centers.data());
    std::mt19937 random(4);
    for (int row = 0; row < kRows; ++row) {
      const int label = static_cast<int>(random() % kClasses);
      if (random() % 4 != 0 && label != 3) samples.push_back({row, label});
    }
  }
  CenterBatch<double> Batch() const { return {features.data(), centers.data(), kDim, &samples}; }
  double Difference(const CenterSample& s, int k) const {
    return features[s.row * kDim + k] - centers[s.label * kDim + k];
  }

  vector<double> features, centers;
  vector<CenterSample> samples;
};

/** Δ from its definition: for every class, all samples are searched. */
vector<double> NaiveStep(const CenterStepData& data) {
  vector<double> step(kClasses * kDim);
  for (int j = 0; j < kClasses; ++j) {
    for (int k = 0; k < kDim; ++k) {
      double sum = 0, count = 0;
      for (const CenterSample& s : data.samples) {
        if (s.label != j) continue;
        sum -= data.Difference(s, k);
        count += 1;
      }
      step[j * kDim + k] = sum / (1 + count);
    }
  }
  return step;
}

void ExpectNear(const vector<double>& a, const vector<double>& b) {
  ASSERT_EQ(a.size(), b.size());
  // Sums of some 10 values of size 3 in another order.
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-13) << i;
}

TEST(CenterStepTest, DistancesAndGradient) {
  const CenterStepData data;
  double squared = 0, distance = 0;
  vector<double> expected(kRows * kDim, 9), gradient(kRows * kDim, 9);
  for (const CenterSample& s : data.samples) {
    double of_sample = 0;
    for (int k = 0; k < kDim; ++k) {
      of_sample += data.Difference(s, k) * data.Difference(s, k);
      expected[s.row * kDim + k] += 0.3 * data.Difference(s, k);
    }
    squared += of_sample;
    distance += std::sqrt(of_sample);
  }
  const CenterDistances sum = SumCenterDistances(data.Batch());
  EXPECT_NEAR(sum.squared, squared, 1e-11);
  EXPECT_NEAR(sum.distance, distance, 1e-11);
  AddCenterGradient(data.Batch(), 0.3, gradient.data());
  ExpectNear(gradient, expected);
}

TEST(CenterStepTest, StepAgreesWithItsDefinition) {
  const CenterStepData data;
  CenterSums<double> sums;
  sums.Resize(kClasses, kDim);
  AddToCenterSums(data.Batch(), &sums);
  vector<double> step(kClasses * kDim, 0);
  AddCenterStep(sums, 1.0, step.data());
  ExpectNear(step, NaiveStep(data));
  EXPECT_EQ(sums.counts[3], 0);
  AddCenterStep(sums, -1.0, step.data());
  EXPECT_EQ(step, vector<double>(kClasses * kDim, 0));
  sums.Clear();
  AddCenterStep(sums, 1.0, step.data());
  EXPECT_EQ(step, vector<double>(kClasses * kDim, 0));
}

TEST(CenterStepTest, BatchesAddUpToTheirUnion) {
  const CenterStepData data;
  CenterSums<double> sums;
  sums.Resize(kClasses, kDim);
  vector<double> target(kClasses * kDim, 0.5);
  vector<CenterSample> part;
  CenterBatch<double> batch = data.Batch();
  batch.samples = &part;
  for (size_t begin = 0; begin < data.samples.size(); begin += 11) {
    const size_t end = std::min(begin + 11, data.samples.size());
    part.assign(data.samples.begin() + begin, data.samples.begin() + end);
    AddCenterStepOfBatch(batch, &sums, target.data());
  }
  part.clear();
  AddCenterStepOfBatch(batch, &sums, target.data());
  vector<double> expected = NaiveStep(data);
  for (double& value : expected) value += 0.5;
  ExpectNear(target, expected);
  EXPECT_EQ(sums.batch_count, vector<int>(kClasses, 0));
}

}  // namespace caffe
