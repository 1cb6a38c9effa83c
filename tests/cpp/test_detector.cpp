#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "caffe/detection/detector.hpp"
#include "detection_test_util.hpp"

namespace caffe {
namespace {

DetectorOptions Options(int num_classes) {
  DetectorOptions options;
  options.num_classes = num_classes;
  options.background_label = 0;
  options.share_location = true;
  options.coder = {BOX_CODE_CENTER_SIZE, false};
  options.confidence_threshold = 0.1;
  options.nms = {0.45, 1, -1};
  options.keep_top_k = -1;
  options.objectness_threshold = 0;
  return options;
}

/** Random predictions of a batch. */
struct Batch {
  Batch(int num_images, int num_priors, const DetectorOptions& options) {
    std::mt19937 random(3);
    priors = RandomBoxes<double>(num_priors, &random);
    std::normal_distribution<double> normal;
    std::uniform_real_distribution<double> uniform(0, 1);
    loc.resize(static_cast<size_t>(num_images) * num_priors * options.num_loc_classes() * 4);
    conf.resize(static_cast<size_t>(num_images) * num_priors * options.num_classes);
    variance.assign(static_cast<size_t>(num_priors) * 4, 0.1);
    for (double& value : loc) value = normal(random);
    for (double& value : conf) value = uniform(random);
    predictions = {num_images, num_priors,      loc.data(), conf.data(),
                   &priors,    variance.data(), nullptr,    nullptr};
  }
  BoxArray<double> priors;
  std::vector<double> loc, conf, variance;
  Predictions<double> predictions;
};

/** Box by box, as the paper tells it. */
std::vector<Detection<double>> NaiveDetections(const Batch& batch, const DetectorOptions& options) {
  const Predictions<double>& p = batch.predictions;
  std::vector<Detection<double>> result;
  for (int image = 0; image < p.num_images; ++image) {
    std::vector<Detection<double>> of_image;
    for (int label = 0; label < options.num_classes; ++label) {
      if (label == options.background_label) continue;
      BoxArray<double> boxes;
      boxes.Resize(p.num_priors);
      std::vector<double> scores(p.num_priors);
      for (int i = 0; i < p.num_priors; ++i) {
        const int row = image * p.num_priors + i;
        const int code = row * options.num_loc_classes() + (options.share_location ? 0 : label);
        boxes.Set(i, options.coder.Decode(batch.priors[i], p.variance + 4 * i, p.loc + 4 * code));
        scores[i] = p.conf[row * options.num_classes + label];
      }
      std::vector<int> kept;
      SuppressNonMaxima(boxes, scores.data(), options.confidence_threshold, options.nms, &kept);
      for (const int i : kept) of_image.push_back({image, label, scores[i], boxes[i]});
    }
    if (options.keep_top_k == 0) of_image.clear();
    if (options.keep_top_k > 0 && of_image.size() > static_cast<size_t>(options.keep_top_k)) {
      std::vector<double> scores;
      for (const auto& detection : of_image) scores.push_back(detection.score);
      std::sort(scores.rbegin(), scores.rend());
      const double least = scores[options.keep_top_k - 1];
      of_image.erase(std::remove_if(of_image.begin(), of_image.end(),
                                    [least](const auto& d) { return d.score < least; }),
                     of_image.end());
    }
    result.insert(result.end(), of_image.begin(), of_image.end());
  }
  return result;
}

void ExpectSame(const std::vector<Detection<double>>& got,
                const std::vector<Detection<double>>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].image, expected[i].image) << i;
    EXPECT_EQ(got[i].label, expected[i].label) << i;
    EXPECT_EQ(got[i].score, expected[i].score) << i;
    EXPECT_EQ(got[i].box.xmin, expected[i].box.xmin) << i;
    EXPECT_EQ(got[i].box.ymax, expected[i].box.ymax) << i;
  }
}

TEST(DetectorTest, AgreesWithTheNaiveOneForEveryOption) {
  std::vector<DetectorOptions> variants(7, Options(4));
  variants[1].share_location = false;
  variants[2].coder = {BOX_CODE_CORNER, true};
  variants[3].background_label = -1;
  variants[4].nms = {0.7, 0.8, 20};
  variants[5].keep_top_k = 7;
  variants[6].keep_top_k = 0;
  for (size_t i = 0; i < variants.size(); ++i) {
    SCOPED_TRACE(i);
    const Batch batch(3, 50, variants[i]);
    Detector<double> detector(variants[i]);
    const auto expected = NaiveDetections(batch, variants[i]);
    EXPECT_EQ(expected.empty(), variants[i].keep_top_k == 0);
    ExpectSame(detector.Detect(batch.predictions), expected);
    ExpectSame(detector.Detect(batch.predictions), expected);
    EXPECT_EQ(detector.num_broken(), 0U);
  }
}

TEST(DetectorTest, ThreadsDoNotChangeTheResult) {
  const Batch batch(3, 50, Options(4));
  Detector<double> detector(Options(4));
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const std::vector<Detection<double>> one = detector.Detect(batch.predictions);
  omp_set_num_threads(4);
  ExpectSame(detector.Detect(batch.predictions), one);
  omp_set_num_threads(threads);
}

TEST(DetectorTest, WhatIsNotFiniteIsNoDetection) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  DetectorOptions options = Options(3);
  options.confidence_threshold = std::numeric_limits<double>::lowest();
  Batch batch(2, 30, options);
  // One score of image 0 and, for two classes of objects, one box of image 1.
  batch.conf[5 * 3 + 1] = nan;
  batch.conf[6 * 3 + 1] = std::numeric_limits<double>::infinity();
  batch.loc[(30 + 7) * 4 + 2] = nan;
  Detector<double> detector(options);
  for (const auto& detection : detector.Detect(batch.predictions)) {
    EXPECT_TRUE(std::isfinite(detection.score));
    EXPECT_TRUE(std::isfinite(detection.box.xmin) && std::isfinite(detection.box.xmax));
  }
  EXPECT_EQ(detector.num_broken(), 4U);
  // A size beyond every number is broken too.
  batch.loc[(30 + 7) * 4 + 2] = 1e6;
  detector.Detect(batch.predictions);
  EXPECT_EQ(detector.num_broken(), 4U);
  std::fill(batch.conf.begin(), batch.conf.end(), nan);
  EXPECT_TRUE(detector.Detect(batch.predictions).empty());
  EXPECT_EQ(detector.num_broken(), batch.conf.size());
}

TEST(DetectorTest, RefinedPriorsAreDecodedTwice) {
  DetectorOptions options = Options(2);
  options.objectness_threshold = 0.5;
  Batch batch(1, 2, options);
  std::vector<double> anchor_loc = {1, 0, 0, 0, 1, 0, 0, 0};
  std::vector<double> anchor_conf = {0.1, 0.9, 0.9, 0.1};
  std::fill(batch.loc.begin(), batch.loc.end(), 0.0);
  batch.conf = {0, 1, 0, 1};
  batch.predictions.anchor_loc = anchor_loc.data();
  batch.predictions.anchor_conf = anchor_conf.data();
  Detector<double> detector(options);
  const auto& found = detector.Detect(batch.predictions);
  ASSERT_EQ(found.size(), 1U) << "the second prior holds no object";
  // Moved by the variance of 0.1 widths.
  EXPECT_NEAR(found[0].box.xmin, batch.priors[0].xmin + 0.1 * Width(batch.priors[0]), 1e-12);
  EXPECT_NEAR(found[0].box.ymax, batch.priors[0].ymax, 1e-12);
}

}  // namespace
}  // namespace caffe
