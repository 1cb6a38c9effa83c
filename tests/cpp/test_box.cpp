#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "caffe/detection/box.hpp"
#include "detection_test_util.hpp"

namespace caffe {
namespace {

TEST(BoxTest, AreasAndOverlapsByHand) {
  const Box<double> a = {0, 0, 0.4, 0.5};
  const Box<double> b = {0.2, 0.25, 0.6, 0.75};
  EXPECT_DOUBLE_EQ(Area(a), 0.2);
  // Common part 0.2 × 0.25 = 0.05; union 0.2 + 0.2 − 0.05.
  EXPECT_NEAR(JaccardOverlap(a, b), 0.05 / 0.35, 1e-15);
  EXPECT_NEAR(Coverage(a, b), 0.25, 1e-15);
}

TEST(BoxTest, EmptyAndTouchingBoxesDoNotOverlap) {
  const Box<double> a = {0, 0, 0.5, 0.5};
  const Box<double> touching = {0.5, 0, 1, 0.5};
  const Box<double> inverted = {0.4, 0.4, 0.1, 0.1};
  const Box<double> point = {0.2, 0.2, 0.2, 0.2};
  EXPECT_EQ(JaccardOverlap(a, touching), 0);
  EXPECT_EQ(Area(inverted), 0);
  EXPECT_EQ(JaccardOverlap(a, inverted), 0);
  EXPECT_EQ(JaccardOverlap(point, point), 0);
  EXPECT_EQ(Coverage(point, a), 0);
}

TEST(BoxTest, OverlapLaws) {
  std::mt19937 random(3);
  for (int i = 0; i < 200; ++i) {
    const Box<double> a = RandomBox<double>(&random);
    const Box<double> b = RandomBox<double>(&random);
    const Box<double> shifted_a = {a.xmin + 3, a.ymin - 2, a.xmax + 3, a.ymax - 2};
    const Box<double> shifted_b = {b.xmin + 3, b.ymin - 2, b.xmax + 3, b.ymax - 2};
    EXPECT_EQ(JaccardOverlap(a, b), JaccardOverlap(b, a));
    EXPECT_DOUBLE_EQ(JaccardOverlap(a, a), 1);
    // Shifting by 3 costs two bits of the sides: a few 1e-16 over areas of at least 0.01.
    EXPECT_NEAR(JaccardOverlap(a, b), JaccardOverlap(shifted_a, shifted_b), 1e-12);
    const Box<double> clipped = Clip(shifted_a);
    EXPECT_FALSE(CrossesBoundary(clipped));
    EXPECT_TRUE(CrossesBoundary(shifted_a));
  }
}

TEST(BoxTest, ArrayOverlapsAreThoseOfSingleBoxes) {
  std::mt19937 random(4);
  BoxArray<double> boxes;
  boxes.Resize(133);  // no multiple of a vector's width
  for (std::size_t i = 0; i < boxes.size(); ++i) boxes.Set(i, RandomBox<double>(&random));
  const Box<double> inverted = {0.9, 0.9, 0.1, 0.1};
  boxes.Set(7, inverted);
  const Box<double> box = RandomBox<double>(&random);
  std::vector<double> overlaps(boxes.size());
  JaccardOverlaps(boxes, box, overlaps.data());
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    EXPECT_NEAR(overlaps[i], JaccardOverlap(boxes[i], box), 1e-15);
  }
}

}  // namespace
}  // namespace caffe
