#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "caffe/layers/detection_evaluate_layer.hpp"
#include "caffe/util/io.hpp"
#include "test_util.hpp"

namespace caffe {
namespace {

const char kOptions[] = "num_classes: 4 overlap_threshold: 0.5 evaluate_difficult_gt: false";

/** Image 0: class 1 found twice, class 2 missed; image 1: a difficult object; image 2: none. */
struct EvaluateCase : LayerCase<double> {
  explicit EvaluateCase(const string& options = kOptions)
      : LayerCase<double>(
            "name: 'eval' type: 'DetectionEvaluate' detection_evaluate_param { " + options + " }",
            {{1, 1, 5, 7}, {1, 1, 4, 8}}) {
    SetData<double>({0, 1,  0.4, 0.1, 0.1, 0.5, 0.5,   //
                     0, 1,  0.9, 0.1, 0.1, 0.5, 0.45,  //
                     1, 1,  0.8, 0.2, 0.2, 0.6, 0.6,   //
                     2, 3,  0.7, 0.2, 0.2, 0.6, 0.6,   //
                     1, -1, -1,  -1,  -1,  -1,  -1},
                    bottom[0]);
    SetData<double>({0,  1,  0,  0.1, 0.1, 0.5, 0.5, 0,   //
                     0,  2,  1,  0.6, 0.6, 0.9, 0.9, 0,   //
                     -1, -1, -1, -1,  -1,  -1,  -1,  -1,  //
                     1,  1,  0,  0.2, 0.2, 0.6, 0.6, 1},
                    bottom[1]);
  }
  vector<double> Run() {
    SetUp();
    Forward();
    return DataOf(*top[0]);
  }
};

TEST(DetectionEvaluateLayerTest, CountsObjectsAndJudgesDetections) {
  EXPECT_EQ(EvaluateCase().Run(), (vector<double>{-1, 1, 1,   -1, -1,  //
                                                  -1, 2, 1,   -1, -1,  //
                                                  -1, 3, 0,   -1, -1,  //
                                                  0,  1, 0.9, 1,  0,   //
                                                  0,  1, 0.4, 0,  1,   //
                                                  1,  1, 0.8, 0,  0,   //
                                                  2,  3, 0.7, 0,  1}));
  const vector<double> all = EvaluateCase("num_classes: 4").Run();
  EXPECT_EQ(all[2], 2) << "the difficult object counts by default";
  EXPECT_EQ(all[5 * 5 + 3], 1) << "and its detection is right";
}

TEST(DetectionEvaluateLayerTest, NoDetectionsAndNoObjects) {
  EvaluateCase c;
  caffe_set(c.bottom[0]->count(), -1.0, c.bottom[0]->mutable_cpu_data());
  caffe_set(c.bottom[1]->count(), -1.0, c.bottom[1]->mutable_cpu_data());
  EXPECT_EQ(c.Run(), (vector<double>{-1, 1, 0, -1, -1, -1, 2, 0, -1, -1, -1, 3, 0, -1, -1}));
}

TEST(DetectionEvaluateLayerTest, SaysWhichRowIsWrong) {
  const auto fails = [](int bottom, int index, double value, const string& text) {
    EvaluateCase c;
    c.bottom[bottom]->mutable_cpu_data()[index] = value;
    EXPECT_CAFFE_ERROR(c.Run(), text);
  };
  const double nan = std::nan("");
  fails(0, 1, 4, "eval (DetectionEvaluate): bottom[0] row 0: label 4 is no integer from 0 to 3");
  fails(0, 8, 0, "bottom[0] row 1: the label 0 is the background's");
  fails(0, 8, 1.5, "bottom[0] row 1: label 1.5 is no integer");
  fails(0, 0, nan, "bottom[0] row 0: image nan is no integer");
  fails(0, 9, nan, "bottom[0] row 1: score nan is not finite");
  fails(0, 3, std::numeric_limits<double>::infinity(), "bottom[0] row 0: box (inf, ");
  fails(1, 9, 7, "bottom[1] row 1: label 7 is no integer from 0 to 3");
  fails(1, 1, 0, "bottom[1] row 0: the label 0 is the background's");
  fails(1, 3, nan, "bottom[1] row 0: box (nan, ");
  fails(1, 0, -2, "bottom[1] row 0: item -2 is no integer");
}

TEST(DetectionEvaluateLayerTest, SaysWhatIsWrongBeforeTheFirstForward) {
  EXPECT_CAFFE_ERROR(EvaluateCase("").SetUp(), "needs num_classes");
  EXPECT_CAFFE_ERROR(EvaluateCase("num_classes: 0").SetUp(), "at least 1, got 0");
  EXPECT_CAFFE_ERROR(EvaluateCase("num_classes: 4 background_label_id: 4294967295").SetUp(),
                     "background_label_id is 4294967295, expected less than 2147483648");
  EXPECT_CAFFE_ERROR(EvaluateCase("num_classes: 4 overlap_threshold: 0").SetUp(),
                     "overlap_threshold must be positive, got 0");
  EXPECT_CAFFE_ERROR(EvaluateCase("num_classes: 4 name_size_file: '/no/file'").SetUp(),
                     "name_size_file /no/file: cannot be read");
  EvaluateCase c;
  c.bottom[0]->Reshape({1, 1, 5, 8});
  EXPECT_CAFFE_ERROR(c.SetUp(), "bottom[0] has the shape 1 1 5 8 (40), expected 1 1 detections 7");
}

TEST(DetectionEvaluateLayerTest, SizesMakePixelsOfTheRightImage) {
  string file;
  MakeTempFilename(&file);
  // As fractions the boxes overlap by 0.49; in an image of two by two pixels by 3/4 or all.
  std::ofstream(file) << "a 100 100\nb 2 2\nc 100 100\n";
  EvaluateCase c("num_classes: 2 overlap_threshold: 0.5 name_size_file: '" + file + "'");
  c.bottom[0]->Reshape({1, 1, 2, 7});
  c.bottom[1]->Reshape({1, 1, 2, 8});
  SetData<double>({0, 1, 0.9, 0, 0, 1, 0.49, 1, 1, 0.9, 0, 0, 1, 0.49}, c.bottom[0]);
  SetData<double>({0, 1, 0, 0, 0, 1, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0}, c.bottom[1]);
  c.Run();
  EXPECT_EQ(c.top[0]->cpu_data()[5 + 3], 0) << "image a";
  EXPECT_EQ(c.top[0]->cpu_data()[10 + 3], 1) << "image b";
  LayerState state;
  c.layer->SaveState(&state);
  c.Forward();  // images c and a
  EXPECT_EQ(c.top[0]->cpu_data()[5 + 3], 0);
  EXPECT_EQ(c.top[0]->cpu_data()[10 + 3], 0);
  // A batch whose first image shows nothing still has two images: b and c.
  SetData<double>({1, 1, 0.9, 0, 0, 1, 0.49, 1, -1, -1, -1, -1, -1, -1}, c.bottom[0]);
  SetData<double>({1, 1, 0, 0, 0, 1, 1, 0, -1, -1, -1, -1, -1, -1, -1, -1}, c.bottom[1]);
  c.Forward();
  EXPECT_EQ(c.top[0]->cpu_data()[5 + 3], 0) << "image c";
  c.Forward();  // a, b
  EXPECT_EQ(c.top[0]->cpu_data()[5 + 3], 1) << "image b";
  // A resumed run goes on with images c and a.
  c.layer->LoadState(state);
  c.Forward();
  EXPECT_EQ(c.top[0]->cpu_data()[5 + 3], 0) << "image a";
  std::filesystem::remove(file);
}

TEST(DetectionEvaluateLayerTest, HasNoGradient) {
  EvaluateCase c;
  c.Run();
  EXPECT_CAFFE_ERROR(c.Backward(1), "which have no gradient");
  c.Backward(0);
}

}  // namespace
}  // namespace caffe
