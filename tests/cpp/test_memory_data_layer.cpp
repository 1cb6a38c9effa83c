#include <gtest/gtest.h>

#include "caffe/layers/memory_data_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "data_test_util.hpp"

namespace caffe {

namespace {

struct MemoryCase : LayerCase<double> {
  explicit MemoryCase(const string& rest = "", const string& size =
                                                   "batch_size: 2 channels: 3 "
                                                   "height: 4 width: 5")
      : LayerCase<double>(
            "name: 'memory' type: 'MemoryData' memory_data_param { " + size + " } " + rest, {}, 2) {
    SetUp();
  }
  MemoryDataLayer<double>* operator->() {
    return static_cast<MemoryDataLayer<double>*>(layer.get());
  }
};

vector<Datum> Datums(int count) {
  vector<Datum> datums;
  for (int i = 0; i < count; ++i) datums.push_back(BytesDatum(3, 4, 5, i));
  return datums;
}

}  // namespace

TEST(MemoryDataLayerTest, ShowsTheCallersArraysBatchByBatchAndBeginsAnew) {
  MemoryCase test;
  vector<double> data = RandomValues(4 * 60, 1), labels = {3, 1, 4, 1};
  test->Reset(data.data(), labels.data(), 4);
  for (int i = 0; i < 5; ++i) {
    test.Forward();
    EXPECT_EQ(test.top[0]->shape(), vector<int>({2, 3, 4, 5}));
    EXPECT_EQ(test.top[0]->cpu_data(), data.data() + (i % 2) * 120);
    EXPECT_EQ(test.top[1]->cpu_data(), labels.data() + (i % 2) * 2);
  }
}

TEST(MemoryDataLayerTest, TheBatchSizeCanChange) {
  MemoryCase test;
  vector<double> data = RandomValues(4 * 60, 1), labels = {3, 1, 4, 1};
  test->Reset(data.data(), labels.data(), 4);
  test.Forward();
  test->set_batch_size(1);
  test.Forward();
  EXPECT_EQ(test.top[0]->shape(), vector<int>({1, 3, 4, 5}));
  EXPECT_EQ(test.top[0]->data()->size(), 60 * sizeof(double));
  test->set_batch_size(4);
  test.Forward();
  EXPECT_EQ(DataOf(*test.top[1]), labels);
  EXPECT_CAFFE_ERROR(test->set_batch_size(3), "a divisor of the 4 items at hand, got 3");
  EXPECT_CAFFE_ERROR(test->set_batch_size(0), "a positive batch size, got 0");
}

TEST(MemoryDataLayerTest, AddedDatumsAreTransformed) {
  MemoryCase test("transform_param { scale: 2 mean_value: 7 }");
  const vector<Datum> datums = Datums(4);
  test->AddDatumVector(datums);
  for (int batch = 0; batch < 2; ++batch) {
    test.Forward();
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(test.top[1]->cpu_data()[i], 2 * batch + i);
      const string& bytes = datums[2 * batch + i].data();
      for (int j = 0; j < 60; ++j) {
        ASSERT_EQ(test.top[0]->cpu_data()[i * 60 + j], (static_cast<uchar>(bytes[j]) - 7) * 2.0);
      }
    }
  }
  test->AddDatumVector(Datums(2));  // all were used
  test.Forward();
  EXPECT_EQ(DataOf(*test.top[1]), vector<double>({0, 1}));
}

TEST(MemoryDataLayerTest, AddedImagesAreTransformed) {
  MemoryCase test("transform_param { crop_size: 2 }",
                  "batch_size: 1 channels: 3 height: 2 width: 2");
  const cv::Mat image = RandomImage(3, 4, 6, 1);
  test->AddMatVector({image}, {9});
  test.Forward();
  EXPECT_EQ(test.top[1]->cpu_data()[0], 9);
  // Phase TRAIN is the default, so the crop is anywhere: its values are the image's.
  std::set<double> pixels(image.data, image.data + 72);
  for (const double value : DataOf(*test.top[0])) EXPECT_EQ(pixels.count(value), 1u);
}

TEST(MemoryDataLayerTest, ErrorsSayWhatWasExpected) {
  MemoryCase test;
  vector<double> data(3 * 60), labels(3);
  EXPECT_CAFFE_ERROR(test.Forward(), "memory (MemoryData): there are no data: call Reset");
  EXPECT_CAFFE_ERROR(test->Reset(data.data(), labels.data(), 3), "the batch size 2, got 3");
  EXPECT_CAFFE_ERROR(test->Reset(nullptr, labels.data(), 2), "expected arrays");
  EXPECT_CAFFE_ERROR(test->AddDatumVector(Datums(3)), "the batch size 2, got 3 images");
  EXPECT_CAFFE_ERROR(test->AddDatumVector({}), "got 0 images");
  EXPECT_CAFFE_ERROR(test->AddMatVector({RandomImage(3, 4, 5, 1)}, {}), "got 0 labels for 1");
  vector<Datum> wrong(2, BytesDatum(3, 4, 6, 0));
  EXPECT_CAFFE_ERROR(test->AddDatumVector(wrong), "N x 3 x 4 x 6, got 2 3 4 5");
  test->AddDatumVector(Datums(4));
  test.Forward();
  EXPECT_CAFFE_ERROR(test->AddDatumVector(Datums(2)), "have not all been used");
  EXPECT_CAFFE_ERROR(test->set_batch_size(1), "have not all been used");
  EXPECT_CAFFE_ERROR(MemoryCase("", "batch_size: 1 channels: 1 height: 1"),
                     "all positive; got 1, 1, 1 and 0");
}

}  // namespace caffe
