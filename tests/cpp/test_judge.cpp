#include <gtest/gtest.h>

#include <vector>

#include "caffe/detection/judge.hpp"

namespace caffe {
namespace {

typedef std::vector<Verdict> Verdicts;

Verdicts Judge(const std::vector<Box<double>>& detections,
               const std::vector<JudgedObject<double>>& objects, const JudgeOptions& options) {
  Verdicts verdicts;
  JudgeDetections(detections, objects, options, &verdicts);
  return verdicts;
}

const Box<double> kLeft = {0, 0, 0.4, 0.4};
const Box<double> kNearLeft = {0, 0, 0.4, 0.3};  // overlaps kLeft by 3/4
const Box<double> kRight = {0.5, 0.5, 1, 1};
const Box<double> kNowhere = {0.41, 0, 0.49, 1};

TEST(JudgeTest, TheFirstToFindAnObjectIsRight) {
  const std::vector<JudgedObject<double>> objects = {{kRight, false}, {kLeft, false}};
  EXPECT_EQ(Judge({kLeft, kNearLeft, kNowhere, kRight}, objects, {0.5, true, false}),
            (Verdicts{TRUE_POSITIVE, FALSE_POSITIVE, FALSE_POSITIVE, TRUE_POSITIVE}));
  EXPECT_EQ(Judge({kNearLeft, kLeft}, objects, {0.5, true, false}),
            (Verdicts{TRUE_POSITIVE, FALSE_POSITIVE}));
}

TEST(JudgeTest, TheThresholdItselfIsEnough) {
  // Sums of halves: the overlap is 3/4 exactly.
  const std::vector<JudgedObject<double>> objects = {{{0, 0, 1, 1}, false}};
  EXPECT_EQ(Judge({{0, 0, 1, 0.75}}, objects, {0.75, true, false}), Verdicts{TRUE_POSITIVE});
  EXPECT_EQ(Judge({{0, 0, 1, 0.75}}, objects, {0.76, true, false}), Verdicts{FALSE_POSITIVE});
}

TEST(JudgeTest, DifficultObjectsCountOnlyWhereAsked) {
  const std::vector<JudgedObject<double>> objects = {{kLeft, true}, {kRight, false}};
  EXPECT_EQ(Judge({kLeft, kNearLeft, kRight}, objects, {0.5, false, false}),
            (Verdicts{NOT_COUNTED, NOT_COUNTED, TRUE_POSITIVE}));
  EXPECT_EQ(Judge({kLeft, kNearLeft, kRight}, objects, {0.5, true, false}),
            (Verdicts{TRUE_POSITIVE, FALSE_POSITIVE, TRUE_POSITIVE}));
}

TEST(JudgeTest, PixelsIncludeTheLastOne) {
  // 2 × 1 of 2 × 2 pixels is a half; as areas 1 × 0 of 1 × 1 it would be nothing.
  const std::vector<JudgedObject<double>> objects = {{{0, 0, 1, 1}, false}};
  EXPECT_EQ(Judge({{0, 0, 1, 0}}, objects, {0.5, true, true}), Verdicts{TRUE_POSITIVE});
  EXPECT_EQ(Judge({{0, 0, 1, 0}}, objects, {0.5, true, false}), Verdicts{FALSE_POSITIVE});
}

TEST(JudgeTest, NothingToFindMakesAllWrong) {
  EXPECT_EQ(Judge({kLeft, kRight}, {}, {0.5, true, false}),
            (Verdicts{FALSE_POSITIVE, FALSE_POSITIVE}));
  EXPECT_TRUE(Judge({}, {{kLeft, false}}, {0.5, true, false}).empty());
}

}  // namespace
}  // namespace caffe
