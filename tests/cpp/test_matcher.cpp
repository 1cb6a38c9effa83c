#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "caffe/detection/matcher.hpp"
#include "detection_test_util.hpp"

namespace caffe {
namespace {

std::vector<int> Range(std::size_t n) {
  std::vector<int> indices(n);
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

Matches<double> Match(const MatchOptions& options, const BoxArray<double>& candidates,
                      const std::vector<Box<double>>& truth) {
  Matches<double> matches;
  Matcher<double>(options).Match(candidates, truth, Range(truth.size()), &matches);
  return matches;
}

/** The definition, word by word: every pair in falling order of overlap, then the threshold. */
std::vector<int> NaiveMatch(const MatchOptions& options, const BoxArray<double>& candidates,
                            const std::vector<Box<double>>& truth) {
  struct Pair {
    double overlap;
    int candidate, truth;
  };
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    for (std::size_t j = 0; j < truth.size(); ++j) {
      const double overlap = JaccardOverlap(candidates[i], truth[j]);
      const bool out = options.ignore_cross_boundary_box && CrossesBoundary(candidates[i]);
      if (overlap > 1e-6 && !out) {
        pairs.push_back({overlap, static_cast<int>(i), static_cast<int>(j)});
      }
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return a.overlap > b.overlap; });
  std::vector<int> match(candidates.size(), -1);
  std::vector<bool> is_used(truth.size(), false);
  for (const Pair& pair : pairs) {
    if (match[pair.candidate] >= 0 || is_used[pair.truth]) continue;
    match[pair.candidate] = pair.truth;
    is_used[pair.truth] = true;
  }
  if (options.type == MATCH_BIPARTITE) return match;
  for (const Pair& pair : pairs) {
    if (match[pair.candidate] < 0 && pair.overlap >= options.overlap_threshold) {
      match[pair.candidate] = pair.truth;
    }
  }
  return match;
}

TEST(MatcherTest, AgreesWithTheNaiveMatcher) {
  std::mt19937 random(11);
  for (int round = 0; round < 60; ++round) {
    BoxArray<double> candidates = RandomBoxes<double>(40, &random);
    if (round % 3 == 0) candidates.xmin[5] = -0.1;
    std::vector<Box<double>> truth;
    for (int j = 0; j < round % 7; ++j) truth.push_back(RandomBox<double>(&random));
    if (round % 5 == 0 && !truth.empty()) truth.push_back(truth[0]);  // ties
    for (const MatchType type : {MATCH_BIPARTITE, MATCH_PER_PREDICTION}) {
      const MatchOptions options = {type, 0.4, round % 2 == 0};
      EXPECT_EQ(Match(options, candidates, truth).ground_truth,
                NaiveMatch(options, candidates, truth))
          << "round " << round;
    }
  }
}

TEST(MatcherTest, EveryObjectGetsACandidateEvenBelowTheThreshold) {
  BoxArray<double> candidates;
  candidates.Resize(2);
  candidates.Set(0, {0, 0, 0.5, 0.5});
  candidates.Set(1, {0.5, 0.5, 1, 1});
  const Matches<double> matches =
      Match({MATCH_PER_PREDICTION, 0.5, false}, candidates, {{0.4, 0.4, 0.55, 0.55}});
  EXPECT_EQ(matches.ground_truth, (std::vector<int>{0, -1}));
  EXPECT_NEAR(matches.overlap[0], 0.01 / (0.25 + 0.0225 - 0.01), 1e-12);
  EXPECT_GT(matches.overlap[1], 0) << "the overlap of an unmatched candidate is kept for the miner";
}

TEST(MatcherTest, OnlyTheConsideredObjectsTakePart) {
  std::mt19937 random(12);
  const BoxArray<double> candidates = RandomBoxes<double>(20, &random);
  std::vector<Box<double>> truth = {RandomBox<double>(&random), RandomBox<double>(&random)};
  Matches<double> matches;
  Matcher<double> matcher({MATCH_PER_PREDICTION, 0.1, false});
  matcher.Match(candidates, truth, {1}, &matches);
  EXPECT_EQ(std::count(matches.ground_truth.begin(), matches.ground_truth.end(), 0), 0);
  EXPECT_GT(std::count(matches.ground_truth.begin(), matches.ground_truth.end(), 1), 0);
  matcher.Match(candidates, truth, {}, &matches);
  EXPECT_EQ(matches.ground_truth, std::vector<int>(20, -1));
}

TEST(MatcherTest, IgnoredCandidatesMatchNothingAndAreMarked) {
  BoxArray<double> candidates;
  candidates.Resize(2);
  candidates.Set(0, {-0.1, 0, 0.5, 0.5});
  candidates.Set(1, {0, 0, 0.5, 0.4});
  const Matches<double> matches =
      Match({MATCH_PER_PREDICTION, 0.3, true}, candidates, {{0, 0, 0.5, 0.5}});
  EXPECT_EQ(matches.ground_truth, (std::vector<int>{-1, 0}));
  EXPECT_EQ(matches.ignored, (std::vector<char>{1, 0}));
}

TEST(MatcherTest, PermutingTheCandidatesPermutesTheMatches) {
  std::mt19937 random(13);
  const BoxArray<double> candidates = RandomBoxes<double>(30, &random);
  std::vector<Box<double>> truth;
  for (int j = 0; j < 4; ++j) truth.push_back(RandomBox<double>(&random));
  const MatchOptions options = {MATCH_PER_PREDICTION, 0.3, false};
  const Matches<double> matches = Match(options, candidates, truth);
  std::vector<int> order = Range(candidates.size());
  std::shuffle(order.begin(), order.end(), random);
  BoxArray<double> permuted;
  permuted.Resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) permuted.Set(i, candidates[order[i]]);
  const Matches<double> of_permuted = Match(options, permuted, truth);
  for (std::size_t i = 0; i < order.size(); ++i) {
    EXPECT_EQ(of_permuted.ground_truth[i], matches.ground_truth[order[i]]);
  }
}

}  // namespace
}  // namespace caffe
