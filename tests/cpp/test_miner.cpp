#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "caffe/detection/miner.hpp"
#include "detection_test_util.hpp"

namespace caffe {
namespace {

MiningOptions Options(MiningType type) {
  MiningOptions options;
  options.type = type;
  options.neg_pos_ratio = 2;
  options.neg_overlap = 0.5;
  options.sample_size = 3;
  options.nms_threshold = 0;
  options.nms_top_k = -1;
  options.min_negatives = 0;
  return options;
}

Matches<double> SomeMatches() {
  Matches<double> matches;
  matches.Reset(7);
  matches.ground_truth = {-1, 0, -1, -1, -1, -1, -1};
  matches.overlap = {0.1, 0.9, 0.5, 0.2, 0.0, 0.3, 0.0};
  matches.ignored[6] = 1;
  return matches;
}

const std::vector<double> kLosses = {0.5, 0.1, 9.0, 0.7, 0.6, 0.2, 8.0};

TEST(MinerTest, MaxNegativeTakesTheWorstFarFromObjects) {
  Matches<double> matches = SomeMatches();
  std::vector<int> negatives;
  // Prior 2 overlaps by neg_overlap, prior 6 is ignored: 3 and 4 are the worst of the rest.
  MineExamples(Options(MINE_MAX_NEGATIVE), kLosses, BoxArray<double>(), &matches, &negatives);
  EXPECT_EQ(negatives, (std::vector<int>{3, 4}));
  EXPECT_EQ(matches.ground_truth[1], 0);
}

TEST(MinerTest, MaxNegativeCountsFollowTheMatches) {
  std::vector<int> negatives;
  Matches<double> matches = SomeMatches();
  MiningOptions options = Options(MINE_MAX_NEGATIVE);
  options.neg_pos_ratio = 100;
  MineExamples(options, kLosses, BoxArray<double>(), &matches, &negatives);
  EXPECT_EQ(negatives, (std::vector<int>{0, 3, 4, 5})) << "no more than there are";
  matches.ground_truth[1] = -1;
  MineExamples(options, kLosses, BoxArray<double>(), &matches, &negatives);
  EXPECT_TRUE(negatives.empty()) << "no match, no negatives";
  options.min_negatives = 1;
  MineExamples(options, kLosses, BoxArray<double>(), &matches, &negatives);
  EXPECT_EQ(negatives, std::vector<int>{3});
}

TEST(MinerTest, HardExampleUnmatchesWhatItDoesNotTake) {
  Matches<double> matches = SomeMatches();
  std::vector<int> negatives;
  MineExamples(Options(MINE_HARD_EXAMPLE), kLosses, BoxArray<double>(), &matches, &negatives);
  EXPECT_EQ(negatives, (std::vector<int>{2, 3, 4}));
  EXPECT_EQ(matches.ground_truth[1], -1) << "a match of small loss";
  matches = SomeMatches();
  std::vector<double> losses = kLosses;
  losses[1] = 10;
  MineExamples(Options(MINE_HARD_EXAMPLE), losses, BoxArray<double>(), &matches, &negatives);
  EXPECT_EQ(negatives, (std::vector<int>{2, 3}));
  EXPECT_EQ(matches.ground_truth[1], 0);
}

TEST(MinerTest, SuppressionLeavesOutNearDuplicates) {
  Matches<double> matches = SomeMatches();
  BoxArray<double> boxes;
  boxes.Resize(7);
  for (int i = 0; i < 7; ++i) boxes.Set(i, {0.1 * i, 0, 0.1 * i + 0.1, 0.5});
  boxes.Set(4, boxes[3]);  // the same place as the worst one
  MiningOptions options = Options(MINE_MAX_NEGATIVE);
  options.nms_threshold = 0.7;
  std::vector<int> negatives;
  MineExamples(options, kLosses, boxes, &matches, &negatives);
  EXPECT_EQ(negatives, (std::vector<int>{0, 3}));
}

TEST(MinerTest, EqualLossesGoToTheLowerPrior) {
  Matches<double> matches = SomeMatches();
  std::vector<int> negatives;
  MineExamples(Options(MINE_MAX_NEGATIVE), std::vector<double>(7, 1.0), BoxArray<double>(),
               &matches, &negatives);
  EXPECT_EQ(negatives, (std::vector<int>{0, 3}));
}

TEST(MinerTest, NoneMinesNothing) {
  Matches<double> matches = SomeMatches();
  std::vector<int> negatives = {1};
  MineExamples(Options(MINE_NONE), kLosses, BoxArray<double>(), &matches, &negatives);
  EXPECT_TRUE(negatives.empty());
}

TEST(MinerTest, AgreesWithSorting) {
  std::mt19937 random(8);
  for (int round = 0; round < 60; ++round) {
    const int num_priors = 300;
    Matches<double> matches;
    matches.Reset(num_priors);
    for (int i = 0; i < 1 + round % 7; ++i) matches.ground_truth[random() % num_priors] = 0;
    // Few different losses in every second round: ties.
    std::vector<double> losses(num_priors);
    for (double& loss : losses) loss = round % 2 == 0 ? random() : random() % 5;
    MiningOptions options = Options(MINE_MAX_NEGATIVE);
    options.neg_pos_ratio = round % 12 * 5;
    std::vector<int> expected, negatives;
    int num_positives = 0;
    for (int i = 0; i < num_priors; ++i) {
      if (matches.ground_truth[i] < 0) expected.push_back(i);
      num_positives += matches.ground_truth[i] < 0 ? 0 : 1;
    }
    std::stable_sort(expected.begin(), expected.end(),
                     [&](int a, int b) { return losses[a] > losses[b]; });
    const size_t num_wanted = static_cast<size_t>(num_positives * options.neg_pos_ratio);
    expected.resize(std::min(expected.size(), num_wanted));
    std::sort(expected.begin(), expected.end());
    MineExamples(options, losses, BoxArray<double>(), &matches, &negatives);
    EXPECT_EQ(negatives, expected) << round;
  }
}

}  // namespace
}  // namespace caffe
