#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>

#include "caffe/layers/image_data_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "data_test_util.hpp"

namespace caffe {

namespace {

class ImageDataLayerTest : public ::testing::Test {
 protected:
  ImageDataLayerTest() {
    Caffe::set_random_seed(1701);
    for (int i = 0; i < 5; ++i) {
      const string name = "image " + std::to_string(i) + ".png";
      cv::imwrite(dir_ / name, Image(i));
      list_ += name + " " + std::to_string(10 * i) + "\n";
    }
    WriteText(dir_ / "list.txt", list_);
  }
  static cv::Mat Image(int i) { return RandomImage(3, 6, 8, 40U + static_cast<unsigned>(i)); }
  std::unique_ptr<LayerCase<float>> Make(const string& image_param, const string& rest = "",
                                         const string& list = "list.txt") {
    std::unique_ptr<LayerCase<float>> test(new LayerCase<float>(
        "name: 'images' type: 'ImageData' " + rest + " image_data_param { root_folder: '" +
            dir_.path() + "/' source: '" + (dir_ / list) + "' " + image_param + " }",
        {}, 2));
    test->SetUp();
    return test;
  }
  static vector<float> Labels(LayerCase<float>* test) {
    test->Forward();
    return DataOf(*test->top[1]);
  }
  TempDir dir_;
  string list_;
};

}  // namespace

TEST_F(ImageDataLayerTest, GivesTheImagesOfTheListInTurn) {
  const auto test = Make("batch_size: 3");
  EXPECT_EQ(test->top[0]->shape(), vector<int>({3, 3, 6, 8}));
  EXPECT_EQ(Labels(test.get()), vector<float>({0, 10, 20}));
  EXPECT_EQ(Labels(test.get()), vector<float>({30, 40, 0}));
  for (int c = 0; c < 3; ++c) {
    for (int h = 0; h < 6; ++h) {
      for (int w = 0; w < 8; ++w) {
        ASSERT_EQ(test->top[0]->data_at(1, c, h, w), Image(4).at<cv::Vec3b>(h, w)[c]);
      }
    }
  }
}

TEST_F(ImageDataLayerTest, ResizesAndTurnsGray) {
  const auto test = Make("batch_size: 2 new_height: 4 new_width: 5 is_color: false");
  EXPECT_EQ(test->top[0]->shape(), vector<int>({2, 1, 4, 5}));
  test->Forward();
}

TEST_F(ImageDataLayerTest, TransformsAlikeWithAnyNumberOfWorkersAndAfterAResume) {
  const string rest = "phase: TRAIN transform_param { crop_size: 4 mirror: true scale: 0.5 }";
  vector<vector<float>> results;
  LayerState state;
  for (const int workers : {1, 4}) {
    Caffe::set_random_seed(3);
    const auto test = Make("batch_size: 3 shuffle: true rand_skip: 4",
                           rest + " data_param { num_workers: " + std::to_string(workers) + " }");
    vector<float> all;
    for (int i = 0; i < 6; ++i) {
      if (i == 3) test->layer->SaveState(&state);
      test->Forward();
      for (const float value : DataOf(*test->top[0])) all.push_back(value);
    }
    results.push_back(all);
  }
  EXPECT_EQ(results[0], results[1]);
  const auto resumed = Make("batch_size: 3 shuffle: true rand_skip: 4", rest);
  resumed->layer->LoadState(state);
  for (int i = 3; i < 6; ++i) {
    resumed->Forward();
    const vector<float> batch = DataOf(*resumed->top[0]);
    EXPECT_TRUE(std::equal(batch.begin(), batch.end(), results[0].begin() + i * batch.size()));
  }
}

TEST_F(ImageDataLayerTest, BatchesOfOneTakeTheShapeOfEachImage) {
  cv::imwrite(dir_ / "small.png", RandomImage(3, 2, 3, 1));
  WriteText(dir_ / "two.txt", "image 0.png 1\r\n\nsmall.png\t-2\n");
  const auto test = Make("batch_size: 1", "", "two.txt");
  EXPECT_EQ(Labels(test.get()), vector<float>({1}));
  EXPECT_EQ(test->top[0]->shape(), vector<int>({1, 3, 6, 8}));
  EXPECT_EQ(Labels(test.get()), vector<float>({-2}));
  EXPECT_EQ(test->top[0]->shape(), vector<int>({1, 3, 2, 3}));
  const auto batches = Make("batch_size: 2", "", "two.txt");
  EXPECT_CAFFE_ERROR(batches->Forward(),
                     "images (ImageData): line 3 of the list " + (dir_ / "two.txt") +
                         ", image small.png: all records of a batch must "
                         "have the shape of the first, 3 x 6 x 8, got 3 x 2 x 3");
}

TEST_F(ImageDataLayerTest, ErrorsNameTheLineAndTheImage) {
  WriteText(dir_ / "bad.txt", "image 0.png 0\nimage 1.png\n");
  EXPECT_CAFFE_ERROR(Make("", "", "bad.txt"),
                     "list " + (dir_ / "bad.txt") +
                         ", line 2: expected a path and an integer label, got \"image 1.png\"");
  WriteText(dir_ / "bad.txt", "image 0.png 0\nimage 1.png 1.5\n");
  EXPECT_CAFFE_ERROR(Make("", "", "bad.txt"), "line 2: expected a path and an integer label");
  WriteText(dir_ / "bad.txt", "lonely\n");
  EXPECT_CAFFE_ERROR(Make("", "", "bad.txt"), "line 1: expected a path and an integer label");
  WriteText(dir_ / "bad.txt", " \n");
  EXPECT_CAFFE_ERROR(Make("", "", "bad.txt"), "names no image");
  EXPECT_CAFFE_ERROR(Make("", "", "none.txt"), "none.txt: cannot be read: No such file");
  EXPECT_CAFFE_ERROR(Make("new_height: 3"), "expected both of new_height and new_width");
  WriteText(dir_ / "bad.txt", list_ + "missing.png 3\n");
  const auto test = Make("batch_size: 6", "", "bad.txt");
  EXPECT_CAFFE_ERROR(test->Forward(), "line 6 of the list " + (dir_ / "bad.txt") +
                                          ", image missing.png: " + (dir_ / "missing.png") +
                                          ": cannot be read: No such file");
  WriteText(dir_ / "text.png", "no image");
  WriteText(dir_ / "bad.txt", "text.png 3\n");
  EXPECT_CAFFE_ERROR(Make("", "", "bad.txt"), "cannot be decoded as an image");
}

}  // namespace caffe
