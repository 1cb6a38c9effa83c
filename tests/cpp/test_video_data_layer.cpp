#include <gtest/gtest.h>

#include <opencv2/videoio.hpp>

#include "caffe/layers/video_data_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "data_test_util.hpp"

namespace caffe {

namespace {

struct VideoCase : LayerCase<float> {
  VideoCase(const string& file, int batch_size, const string& rest = "", const string& more = "",
            int num_top = 1)
      : LayerCase<float>(
            "name: 'data' type: 'VideoData' video_data_param { video_type: VIDEO "
            "video_file: '" +
                file + "' " + more + " } data_param { batch_size: " + std::to_string(batch_size) +
                " } " + rest,
            {}, num_top) {}
  /** The mean of each frame in the next batch: 20 for each frame before it. */
  vector<int> Frames() {
    Forward();
    vector<int> frames;
    for (int i = 0; i < top[0]->num(); ++i) {
      double sum = 0;
      for (int j = 0; j < top[0]->count(1); ++j) sum += top[0]->cpu_data()[top[0]->offset(i) + j];
      frames.push_back(static_cast<int>(std::lround(sum / top[0]->count(1) / 20)));
    }
    return frames;
  }
};

class VideoDataLayerTest : public ::testing::Test {
 protected:
  /** Frame i is gray of the level 20 · i. */
  string WriteVideo(int count) {
    const string path = dir_ / "video.avi";
    cv::VideoWriter writer(path, cv::CAP_OPENCV_MJPEG, cv::VideoWriter::fourcc('M', 'J', 'P', 'G'),
                           25, cv::Size(48, 32));
    for (int i = 0; i < count; ++i) {
      writer.write(cv::Mat(32, 48, CV_8UC3, cv::Scalar::all(20 * i)));
    }
    return path;
  }
  TempDir dir_;
};

}  // namespace

TEST_F(VideoDataLayerTest, GivesTheFramesInOrderAndEnds) {
  VideoCase test(WriteVideo(8), 3, "", "", 2);
  test.SetUp();
  EXPECT_EQ(test.top[0]->shape(), vector<int>({3, 3, 32, 48}));
  EXPECT_EQ(test.top[1]->shape(), vector<int>({3}));
  EXPECT_EQ(test.Frames(), vector<int>({0, 1, 2}));
  EXPECT_EQ(test.Frames(), vector<int>({3, 4, 5}));
  EXPECT_EQ(test.Frames(), vector<int>({6, 7, 7}));
  EXPECT_EQ(DataOf(*test.top[1]), vector<float>(3, 0));
  for (int i = 0; i < 2; ++i) {
    EXPECT_CAFFE_ERROR(test.Forward(), "data (VideoData): video " + (dir_ / "video.avi") +
                                           ": has ended after 8 frames");
  }
}

TEST_F(VideoDataLayerTest, SkipsFrames) {
  VideoCase test(WriteVideo(8), 1, "", "skip_frames: 2");
  test.SetUp();
  EXPECT_EQ(test.Frames(), vector<int>({0}));
  EXPECT_EQ(test.Frames(), vector<int>({3}));
  EXPECT_EQ(test.Frames(), vector<int>({6}));
  EXPECT_CAFFE_ERROR(test.Forward(), "has ended after 3 frames");
}

TEST_F(VideoDataLayerTest, FramesAreTransformed) {
  VideoCase test(WriteVideo(3), 2,
                 "transform_param { mirror: true mean_value: 4 scale: 0.5 crop_size: 10 "
                 "resize_param { resize_mode: WARP height: 16 width: 20 } "
                 "expand_param { max_expand_ratio: 4 } distort_param { brightness_delta: -1 } }");
  test.SetUp();
  EXPECT_EQ(test.top[0]->shape(), vector<int>({2, 3, 10, 10}));
  test.Forward();
  // MJPEG keeps a plain gray to one level.
  EXPECT_NEAR(test.top[0]->data_at(1, 0, 5, 5), 8, 1);
  EXPECT_NEAR(test.top[0]->data_at(0, 2, 5, 5), -2, 1);
}

TEST_F(VideoDataLayerTest, WhatIsWrongIsSaidInSetUp) {
  EXPECT_CAFFE_ERROR(VideoCase(dir_ / "none.avi", 1).SetUp(),
                     "data (VideoData): video " + (dir_ / "none.avi") + ": cannot be read");
  EXPECT_CAFFE_ERROR(VideoCase("", 1).SetUp(), "video_type VIDEO needs a video_file");
  WriteText(dir_ / "text.avi", "this is no video");
  EXPECT_CAFFE_ERROR(VideoCase(dir_ / "text.avi", 1).SetUp(),
                     "is not a video that OpenCV can read");
  const string video = WriteVideo(2);
  EXPECT_CAFFE_ERROR(VideoCase(video, 0).SetUp(), "batch_size must be at least 1, got 0");
  EXPECT_CAFFE_ERROR(VideoCase(video, 1, "transform_param { crop_size: 33 }").SetUp(),
                     "crop 33 x 33, image 32 x 48");
  LayerCase<float> camera(
      "name: 'data' type: 'VideoData' data_param { batch_size: 1 } "
      "video_data_param { device_id: 9999 }",
      {});
  EXPECT_CAFFE_ERROR(camera.SetUp(), "data (VideoData): camera 9999: cannot be opened");
  LayerCase<float> negative(
      "name: 'data' type: 'VideoData' data_param { batch_size: 1 } "
      "video_data_param { device_id: -1 }",
      {});
  EXPECT_CAFFE_ERROR(negative.SetUp(), "device_id must be at least 0, got -1");
}

TEST_F(VideoDataLayerTest, StopsWhileItReadsAhead) {
  const string video = WriteVideo(12);
  for (int i = 0; i < 5; ++i) {
    VideoCase test(video, 2);
    test.SetUp();
    test.Forward();
  }
}

}  // namespace caffe
