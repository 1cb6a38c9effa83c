#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/videoio.hpp>
#include <string>
#include <vector>

#include "caffe/layers/detection_output_layer.hpp"
#include "caffe/util/io.hpp"
#include "test_util.hpp"

namespace caffe {
namespace {

const char kOptions[] =
    "num_classes: 3 confidence_threshold: 0.1 code_type: CENTER_SIZE nms_param { nms_threshold: "
    "0.45 } ";

/** Two images, two priors (left and right half), three classes; offsets are 0: boxes are priors. */
struct OutputCase : LayerCase<double> {
  explicit OutputCase(const string& options = kOptions, vector<vector<int>> extra = {})
      : LayerCase<double>(
            "name: 'out' type: 'DetectionOutput' detection_output_param { " + options + " }",
            Shapes(options, std::move(extra))) {
    SetData<double>({0, 0, 0.5, 1, 0.5, 0, 1, 1,  //
                     0.1, 0.1, 0.2, 0.2, 0.1, 0.1, 0.2, 0.2},
                    bottom[2]);
    caffe_set(bottom[0]->count(), 0.0, bottom[0]->mutable_cpu_data());
    // Image 0: class 1 left and right, class 2 left. Image 1: class 2 right.
    SetData<double>({0.1, 0.6, 0.3, 0.2, 0.8, 0.0,  //
                     1.0, 0.0, 0.0, 0.3, 0.0, 0.7},
                    bottom[1]);
  }
  static vector<vector<int>> Shapes(const string& options, vector<vector<int>> extra) {
    const bool shared = options.find("share_location: false") == string::npos;
    vector<vector<int>> shapes = {{2, 2 * 4 * (shared ? 1 : 3)}, {2, 2 * 3}, {1, 2, 8}};
    shapes.insert(shapes.end(), extra.begin(), extra.end());
    return shapes;
  }
  vector<double> Run() {
    SetUp();
    Forward();
    return DataOf(*top[0]);
  }
};

TEST(DetectionOutputLayerTest, RowsByImageLabelAndScore) {
  OutputCase c;
  // Decoding multiplies and divides by powers of two and variances times 0.
  EXPECT_EQ(c.Run(), (vector<double>{0, 1, 0.8, 0.5, 0, 1,   1,  //
                                     0, 1, 0.6, 0,   0, 0.5, 1,  //
                                     0, 2, 0.3, 0,   0, 0.5, 1,  //
                                     1, 2, 0.7, 0.5, 0, 1,   1}));
  EXPECT_EQ(c.top[0]->shape(), (vector<int>{1, 1, 4, 7}));
}

TEST(DetectionOutputLayerTest, WithoutDetectionsEachImageHasARowOfMinusOnes) {
  OutputCase c;
  c.SetUp();
  caffe_set(c.bottom[1]->count(), 0.0, c.bottom[1]->mutable_cpu_data());
  c.Forward();
  EXPECT_EQ(DataOf(*c.top[0]), (vector<double>{0, -1, -1, -1, -1, -1, -1,  //
                                               1, -1, -1, -1, -1, -1, -1}));
}

TEST(DetectionOutputLayerTest, BrokenPredictionsAreLeftOutAndWarnedOf) {
  string log_folder;
  MakeTempDir(&log_folder);
  OutputCase c;
  c.SetUp();
  c.bottom[1]->mutable_cpu_data()[4] = std::nan("");
  logging::SetLogFile(log_folder + "/log");
  c.Forward();
  logging::SetLogFile("");
  EXPECT_EQ(c.top[0]->shape(2), 3);
  std::ifstream log(log_folder + "/log");
  const string text((std::istreambuf_iterator<char>(log)), {});
  EXPECT_NE(text.find("out (DetectionOutput): 1 predictions are not finite"), string::npos) << text;
  for (int i = 0; i < 2; ++i) {
    caffe_set(c.bottom[i]->count(), std::nan(""), c.bottom[i]->mutable_cpu_data());
  }
  c.Forward();
  EXPECT_EQ(DataOf(*c.top[0])[1], -1);
  std::filesystem::remove_all(log_folder);
}

TEST(DetectionOutputLayerTest, SaysWhichBottomDoesNotFitThePriors) {
  const auto fails = [](int index, const vector<int>& shape, const string& text) {
    OutputCase c;
    c.bottom[index]->Reshape(shape);
    EXPECT_CAFFE_ERROR(c.SetUp(),
                       "out (DetectionOutput): bottom[" + std::to_string(index) + "] " + text);
  };
  fails(0, {2, 12},
        "has 12 values per image, expected 2 priors × 4 (4 for each location class) = 8");
  fails(1, {2, 8}, "has 8 values per image, expected 2 priors × 3 (num_classes) = 6");
  fails(1, {3, 6}, "has the shape 3 6 (18), expected 2 images");
  fails(2, {1, 2, 7}, "has the shape 1 2 7 (14), expected 1 2 4 x priors");
  OutputCase not_shared(string(kOptions) + "share_location: false");
  not_shared.bottom[0]->Reshape({2, 8});
  EXPECT_CAFFE_ERROR(not_shared.SetUp(), "expected 2 priors × 12 (4 for each location class) = 24");
  OutputCase refined(kOptions, {{2, 6}, {2, 8}});
  EXPECT_CAFFE_ERROR(refined.SetUp(), "bottom[3] has 6 values per image, expected 2 priors × 2");
}

TEST(DetectionOutputLayerTest, SaysWhichOptionIsWrong) {
  EXPECT_CAFFE_ERROR(OutputCase("").SetUp(), "needs num_classes");
  EXPECT_CAFFE_ERROR(OutputCase("num_classes: 0").SetUp(), "num_classes must be at least 1, got 0");
  EXPECT_CAFFE_ERROR(OutputCase("num_classes: 3 nms_param { eta: 0 }").SetUp(),
                     "eta must be above 0 and at most 1, got 0");
  EXPECT_CAFFE_ERROR(OutputCase("num_classes: 3 nms_param { nms_threshold: -1 }").SetUp(),
                     "nms_threshold must not be negative, got -1");
}

TEST(DetectionOutputLayerTest, HasNoGradient) {
  OutputCase c;
  c.Run();
  EXPECT_CAFFE_ERROR(c.Backward(1), "which have no gradient");
  c.Backward(0);
}

/** A folder with a label map and sizes; what a layer saves there. */
class SavedOutputTest : public ::testing::Test {
 protected:
  SavedOutputTest() {
    MakeTempDir(&folder_);
    Write("map.prototxt",
          "item { name: 'none' label: 0 } item { name: '12' label: 1 display_name: 'cat' } "
          "item { name: 'dog' label: 2 }");
    Write("sizes.txt", "000007 50 100\nb 40 20\n");
  }
  ~SavedOutputTest() override { std::filesystem::remove_all(folder_); }
  void Write(const string& name, const string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
  }
  string Read(const string& name) const {
    std::ifstream in(folder_ + "/" + name);
    return in.good() ? string((std::istreambuf_iterator<char>(in)), {}) : "(no file)";
  }
  string Options(const string& format, const string& more = "") const {
    return string(kOptions) + "save_output_param { output_directory: '" + folder_ +
           "/new/out' output_name_prefix: 'det_' output_format: '" + format +
           "' label_map_file: '" + folder_ + "/map.prototxt' name_size_file: '" + folder_ +
           "/sizes.txt' " + more + " }";
  }
  string folder_;
};

TEST_F(SavedOutputTest, Voc) {
  OutputCase c(Options("VOC"));
  c.Run();
  EXPECT_EQ(
      Read("new/out/det_12.txt"),
      "000007 0.800000012 50.00 0.00 100.00 50.00\n000007 0.600000024 0.00 0.00 50.00 50.00\n");
  EXPECT_EQ(Read("new/out/det_dog.txt"),
            "000007 0.300000012 0.00 0.00 50.00 50.00\nb 0.699999988 10.00 0.00 20.00 40.00\n");
  // The next round replaces the files.
  c.Forward();
  EXPECT_EQ(Read("new/out/det_dog.txt"),
            "000007 0.300000012 0.00 0.00 50.00 50.00\nb 0.699999988 10.00 0.00 20.00 40.00\n");
}

TEST_F(SavedOutputTest, Coco) {
  OutputCase(Options("COCO")).Run();
  EXPECT_EQ(Read("new/out/det_.json"),
            "[{\"image_id\": 7, \"category_id\": 12, \"bbox\": [50.00, 0.00, 50.00, 50.00], "
            "\"score\": 0.800000012},\n"
            "{\"image_id\": 7, \"category_id\": 12, \"bbox\": [0.00, 0.00, 50.00, 50.00], "
            "\"score\": 0.600000024},\n"
            "{\"image_id\": 7, \"category_id\": 2, \"bbox\": [0.00, 0.00, 50.00, 50.00], "
            "\"score\": 0.300000012},\n"
            "{\"image_id\": \"b\", \"category_id\": 2, \"bbox\": [10.00, 0.00, 10.00, 40.00], "
            "\"score\": 0.699999988}]\n");
}

TEST_F(SavedOutputTest, Ilsvrc) {
  OutputCase(Options("ILSVRC")).Run();
  EXPECT_EQ(Read("new/out/det_.txt"),
            "000007 1 0.800000012 50.00 0.00 100.00 50.00\n"
            "000007 1 0.600000024 0.00 0.00 50.00 50.00\n"
            "000007 2 0.300000012 0.00 0.00 50.00 50.00\n"
            "b 2 0.699999988 10.00 0.00 20.00 40.00\n");
}

TEST_F(SavedOutputTest, NothingIsWrittenBeforeAllImagesAreThrough) {
  Write("sizes.txt", "a 10 10\nb 10 10\nc 10 10\nd 10 10\n");
  OutputCase c(Options("ILSVRC", "num_test_image: 3"));
  c.Run();
  EXPECT_EQ(Read("new/out/det_.txt"), "(no file)");
  c.Forward();
  const string once = Read("new/out/det_.txt");
  EXPECT_NE(once.find("c 1 0.8"), string::npos);
  EXPECT_EQ(once.find("d "), string::npos);
  EXPECT_EQ(once.find("a 2 0.69"), string::npos) << "the fourth image begins the next round";
}

TEST_F(SavedOutputTest, AFailureToWriteEndsTheRound) {
  OutputCase c(Options("ILSVRC"));
  c.SetUp();
  std::filesystem::remove_all(folder_ + "/new/out");
  EXPECT_CAFFE_ERROR(c.Forward(), "det_.txt");
  std::filesystem::create_directories(folder_ + "/new/out");
  c.Forward();
  EXPECT_EQ(Read("new/out/det_.txt"),
            "000007 1 0.800000012 50.00 0.00 100.00 50.00\n"
            "000007 1 0.600000024 0.00 0.00 50.00 50.00\n"
            "000007 2 0.300000012 0.00 0.00 50.00 50.00\n"
            "b 2 0.699999988 10.00 0.00 20.00 40.00\n");
}

TEST_F(SavedOutputTest, AWholeTestWithoutDetectionsLeavesEmptyFiles) {
  OutputCase c(Options("COCO"));
  caffe_set(c.bottom[1]->count(), 0.0, c.bottom[1]->mutable_cpu_data());
  c.Run();
  EXPECT_EQ(Read("new/out/det_.json"), "[]\n");
}

TEST_F(SavedOutputTest, PicturesShowWhatIsLikelyEnough) {
  const string visualize =
      " visualize: true visualize_threshold: 0.5 save_file: '" + folder_ + "/seen.png'";
  OutputCase c(kOptions + visualize, {{2, 3, 40, 60}});
  caffe_set(c.bottom[3]->count(), 20.0, c.bottom[3]->mutable_cpu_data());
  c.SetUp();
  c.Forward();
  const cv::Mat first = cv::imread(folder_ + "/seen_000000.png");
  const cv::Mat second = cv::imread(folder_ + "/seen_000001.png");
  ASSERT_EQ(first.size(), cv::Size(60, 40));
  const cv::Vec3b untouched(20, 20, 20);
  // Inside the boxes; on the left one's left edge; the second image has nothing on the left.
  EXPECT_EQ(first.at<cv::Vec3b>(30, 15), untouched);
  EXPECT_NE(first.at<cv::Vec3b>(30, 0), untouched);
  EXPECT_EQ(second.at<cv::Vec3b>(30, 0), untouched);
  EXPECT_NE(second.at<cv::Vec3b>(30, 30), untouched);
  // Hugely wrong boxes and images are drawn too, without harm.
  caffe_set(c.bottom[0]->count(), 1e4, c.bottom[0]->mutable_cpu_data());
  c.bottom[0]->mutable_cpu_data()[2] = 400;
  caffe_set(c.bottom[3]->count(), std::nan(""), c.bottom[3]->mutable_cpu_data());
  c.Forward();
  EXPECT_EQ(cv::imread(folder_ + "/seen_000003.png").at<cv::Vec3b>(30, 15), cv::Vec3b(0, 0, 0));
}

TEST_F(SavedOutputTest, PicturesMakeAVideo) {
  {
    OutputCase c(kOptions + (" visualize: true save_file: '" + folder_ + "/seen.avi'"),
                 {{2, 3, 48, 64}});
    c.Run();
    c.Forward();
    c.bottom[3]->Reshape({2, 3, 40, 64});
    EXPECT_CAFFE_ERROR(c.Forward(), "one size, 48 x 64; got 40 x 64");
  }
  cv::VideoCapture video(folder_ + "/seen.avi");
  cv::Mat picture;
  int count = 0;
  for (; video.read(picture); ++count) EXPECT_EQ(picture.size(), cv::Size(64, 48));
  EXPECT_EQ(count, 4);
  OutputCase nowhere(kOptions + string(" visualize: true save_file: '/no/folder/seen.avi'"),
                     {{2, 3, 48, 64}});
  EXPECT_CAFFE_ERROR(nowhere.Run(), "save_file /no/folder/seen.avi: cannot be written");
}

TEST_F(SavedOutputTest, PicturesUndoMeanAndScale) {
  const string text = string(kOptions) + " visualize: true visualize_threshold: 2 save_file: '" +
                      folder_ +
                      "/seen.bmp' } transform_param { scale: 0.5 mean_value: 100 "
                      "mean_value: 110 mean_value: 120";
  OutputCase c(text, {{2, 3, 4, 4}});
  caffe_set(c.bottom[3]->count(), 5.0, c.bottom[3]->mutable_cpu_data());
  c.bottom[3]->mutable_cpu_data()[1] = 500;
  c.Run();
  const cv::Mat picture = cv::imread(folder_ + "/seen_000000.bmp");
  EXPECT_EQ(picture.at<cv::Vec3b>(0, 0), cv::Vec3b(110, 120, 130));
  EXPECT_EQ(picture.at<cv::Vec3b>(0, 1), cv::Vec3b(255, 120, 130));
}

TEST_F(SavedOutputTest, SaysWhyThereCannotBePictures) {
  EXPECT_CAFFE_ERROR(OutputCase(string(kOptions) + "visualize: true save_file: 'a.png'").SetUp(),
                     "visualize needs four bottoms, the last one the images; got 3");
  EXPECT_CAFFE_ERROR(
      OutputCase(string(kOptions) + "visualize: true save_file: 'a.doc'", {{2, 3, 4, 4}}).SetUp(),
      "save_file is \"a.doc\", expected pictures (.png");
  EXPECT_CAFFE_ERROR(OutputCase(kOptions, {{3, 3, 4, 4}}).SetUp(),
                     "bottom[3] has the shape 3 3 4 4 (144), expected 2 images");
  OutputCase(string(kOptions) + "visualize: true").SetUp();  // only warned of
}

TEST_F(SavedOutputTest, SaysWhichFileIsWrong) {
  EXPECT_CAFFE_ERROR(OutputCase(Options("XML")).SetUp(),
                     "output_format is \"XML\", expected VOC, COCO or ILSVRC");
  EXPECT_CAFFE_ERROR(
      OutputCase(Options("VOC", "num_test_image: 3")).SetUp(),
      "num_test_image is 3, but name_size_file " + folder_ + "/sizes.txt names 2 images");
  Write("map.prototxt", "item { name: 'none' label: 0 } item { name: 'dog' label: 2 }");
  EXPECT_CAFFE_ERROR(OutputCase(Options("VOC")).SetUp(),
                     "out (DetectionOutput): label map " + folder_ +
                         "/map.prototxt has no class of label 1; num_classes 3");
  Write("map.prototxt",
        "item { name: 'none' label: 0 } item { name: 'dog' label: 2 } "
        "item { name: 'tv/monitor' label: 1 }");
  EXPECT_CAFFE_ERROR(OutputCase(Options("VOC")).SetUp(),
                     "the class \"tv/monitor\" has a slash in its name");
  OutputCase(Options("COCO")).SetUp();  // one file for all
  std::filesystem::remove(folder_ + "/map.prototxt");
  EXPECT_CAFFE_ERROR(OutputCase(Options("VOC")).SetUp(), "map.prototxt: cannot be read");
}

}  // namespace
}  // namespace caffe
