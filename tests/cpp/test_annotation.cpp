#include <gtest/gtest.h>

#include "annotated_test_util.hpp"
#include "caffe/data/annotation.hpp"
#include "caffe/test/test_caffe_main.hpp"

namespace caffe {

namespace {

typedef vector<float> Corners;

Corners CornersOf(const Box<float>& box) { return {box.xmin, box.ymin, box.xmax, box.ymax}; }

vector<AnnotatedBox> One(const Box<float>& box) { return {{box, 3, 7, true}}; }

/** The corners of the one box that is left, or none. */
Corners Project(const Box<float>& box, const Box<float>& window, const string& constraint = "-") {
  const auto rule = FromText<EmitConstraint>(constraint == "-" ? "" : constraint);
  const vector<AnnotatedBox> seen =
      ProjectBoxes(One(box), window, constraint == "-" ? nullptr : &rule);
  return seen.empty() ? Corners() : CornersOf(seen[0].box);
}

const Box<float> kWindow = {0.25F, 0.5F, 0.75F, 1};

}  // namespace

TEST(AnnotationTest, BoxesKeepTheirGroupInstanceAndDifficulty) {
  AnnotatedDatum datum;
  AddBox(4, {0, 0.25, 0.5, 1}, &datum);
  AddBox(2, {0.5, 0.5, 1, 1}, &datum, true);
  *datum.mutable_annotation_group(0)->add_annotation() = datum.annotation_group(1).annotation(0);
  string complaint;
  const vector<AnnotatedBox> boxes = BoxesOf(datum, &complaint);
  EXPECT_EQ(complaint, "");
  vector<double> rows = {9};
  AppendLabelRows(5, boxes, &rows);
  EXPECT_EQ(rows, vector<double>({9,                              // what was there
                                  5, 4, 1, 0,   0.25, 0.5, 1, 0,  //
                                  5, 4, 2, 0.5, 0.5,  1,   1, 1,  //
                                  5, 2, 2, 0.5, 0.5,  1,   1, 1}));
}

TEST(AnnotationTest, FaultyBoxesAreCounted) {
  AnnotatedDatum datum;
  AddBox(1, {0.5, 0, 0.5, 1}, &datum);
  AddBox(1, {0, 0, 1, 1}, &datum);
  AddBox(1, {-2, 0, -1, 1}, &datum);
  AddBox(1, {0, 1, 1, 2}, &datum);                 // touches the image
  datum.add_annotation_group()->add_annotation();  // no box at all
  string complaint;
  EXPECT_EQ(BoxesOf(datum, &complaint).size(), 1u);
  EXPECT_EQ(complaint, "4 box(es) left out; the first, (0.5, 0, 0.5, 1) has no area");
  datum.mutable_annotation_group(0)->set_group_label(1 << 25);
  EXPECT_CAFFE_ERROR(BoxesOf(datum, &complaint), "has the label 33554432");
}

TEST(AnnotationTest, ProjectionByHand) {
  EXPECT_EQ(Project({0.375, 0.625, 0.5, 0.75}, kWindow), Corners({0.25, 0.25, 0.5, 0.5}));
  EXPECT_EQ(Project({0, 0, 0.5, 0.75}, kWindow), Corners({0, 0, 0.5, 0.5}));
  EXPECT_EQ(Project({0, 0, 1, 1}, kWindow), Corners({0, 0, 1, 1}));
  EXPECT_EQ(Project({0, 0, 0.25, 1}, kWindow), Corners());  // they share an edge
  EXPECT_EQ(Project({0, 0, 1, 0.25}, kWindow), Corners());
  // Zooming out: the window is larger than the image.
  EXPECT_EQ(Project({0, 0, 1, 1}, {-1, 0, 3, 2}), Corners({0.25, 0, 0.5, 0.5}));
  const AnnotatedBox seen = ProjectBoxes(One({0, 0, 1, 1}), kWindow, nullptr)[0];
  EXPECT_EQ(seen.label, 3);
  EXPECT_EQ(seen.instance, 7);
  EXPECT_TRUE(seen.difficult);
}

TEST(AnnotationTest, ProjectionIntoAWindowAndBackIsTheCommonPart) {
  const vector<float> numbers = RandomValues<float>(800, 3, 0, 1);
  for (size_t i = 0; i < numbers.size(); i += 8) {
    const float* n = numbers.data() + i;
    const Box<float> box = {std::min(n[0], n[1]), std::min(n[2], n[3]), std::max(n[0], n[1]),
                            std::max(n[2], n[3])};
    const Box<float> window = {n[4] / 2, n[5] / 2, n[4] / 2 + 0.5F, n[5] / 2 + 0.5F};
    const Box<float> common = Intersection(box, window);
    const vector<AnnotatedBox> seen = ProjectBoxes(One(box), window, nullptr);
    ASSERT_EQ(seen.size(), Area(common) > 0 ? 1u : 0u);
    if (seen.empty()) continue;
    const Box<float>& part = seen[0].box;
    // Coordinates up to 1 in single precision, divided by sides of 1/2 and multiplied again.
    EXPECT_NEAR(part.xmin * Width(window) + window.xmin, common.xmin, 1e-6);
    EXPECT_NEAR(part.ymax * Height(window) + window.ymin, common.ymax, 1e-6);
  }
}

TEST(AnnotationTest, EmitConstraints) {
  const Box<float> center_inside = {0.125F, 0.5F, 0.5F, 1};   // two thirds of it inside
  const Box<float> center_outside = {0, 0.5F, 0.375F, 1};     // one third
  EXPECT_NE(Project(center_inside, kWindow, ""), Corners());  // CENTER is the default
  EXPECT_EQ(Project(center_outside, kWindow, ""), Corners());
  EXPECT_NE(Project(center_outside, kWindow), Corners());
  const auto overlap = [](const char* least) {
    return string("emit_type: MIN_OVERLAP emit_overlap: ") + least;
  };
  EXPECT_NE(Project(center_outside, kWindow, overlap("0.33")), Corners());
  EXPECT_EQ(Project(center_outside, kWindow, overlap("0.34")), Corners());
  EXPECT_EQ(Project({0.25, 0.5, 0.75, 1}, kWindow, overlap("1")), Corners());  // must be above
  const auto center = FromText<EmitConstraint>("");
  EXPECT_TRUE(Emits(center, kWindow, {0, 0, 0.5, 1}));  // the center is on the corner
}

TEST(AnnotationTest, MirroringTwiceIsNothing) {
  vector<AnnotatedBox> boxes = One({0.125, 0.25, 0.5, 0.75});
  MirrorBoxes(&boxes);
  EXPECT_EQ(CornersOf(boxes[0].box), Corners({0.5, 0.25, 0.875, 0.75}));
  MirrorBoxes(&boxes);
  EXPECT_EQ(CornersOf(boxes[0].box), Corners({0.125, 0.25, 0.5, 0.75}));
}

}  // namespace caffe
