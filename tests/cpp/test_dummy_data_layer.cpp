#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "caffe/layers/dummy_data_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"

namespace caffe {

namespace {

/** A layer with two tops, made from the text of its dummy_data_param. */
struct TwoTops {
  Blob<double> a, b;
  vector<Blob<double>*> tops{&a, &b};
  std::unique_ptr<DummyDataLayer<double>> layer;
  void SetUp(const string& text) {
    LayerParameter param;
    CHECK(google::protobuf::TextFormat::ParseFromString(
        "name: 'dummy' dummy_data_param { " + text + " }", &param));
    layer.reset(new DummyDataLayer<double>(param));
    layer->SetUp({}, tops);
  }
  void Forward() { layer->Forward({}, tops); }
};

vector<double> Values(const Blob<double>& blob) {
  return vector<double>(blob.cpu_data(), blob.cpu_data() + blob.count());
}

}  // namespace

TEST(DummyDataLayerTest, OneShapeAndNoFillerGiveZerosForAllTops) {
  TwoTops test;
  test.SetUp("shape { dim: 2 dim: 1 dim: 3 }");
  test.Forward();
  EXPECT_EQ(test.a.shape(), vector<int>({2, 1, 3}));
  EXPECT_EQ(test.b.shape(), vector<int>({2, 1, 3}));
  EXPECT_EQ(Values(test.b), vector<double>(6, 0));
}

TEST(DummyDataLayerTest, ShapesAndFillersForEachTop) {
  TwoTops test;
  test.SetUp(
      "shape { dim: 3 } shape { dim: 1 dim: 2 }"
      "data_filler { type: 'constant' value: 2.5 } data_filler { type: 'constant' value: -1 }");
  test.Forward();
  EXPECT_EQ(Values(test.a), vector<double>(3, 2.5));
  EXPECT_EQ(Values(test.b), vector<double>(2, -1));
}

TEST(DummyDataLayerTest, LegacyShapesOneForAllOrOneForEach) {
  TwoTops test;
  test.SetUp("num: 5 num: 2 channels: 3 height: 1 height: 4 width: 7");
  EXPECT_EQ(test.a.shape(), vector<int>({5, 3, 1, 7}));
  EXPECT_EQ(test.b.shape(), vector<int>({2, 3, 4, 7}));
}

TEST(DummyDataLayerTest, ConstantsAreFilledOnceAndOthersInEachForward) {
  TwoTops test;
  test.SetUp("shape { dim: 8 } data_filler { type: 'gaussian' std: 1 } data_filler { value: 3 }");
  Caffe::set_random_seed(5);
  test.Forward();
  const vector<double> first = Values(test.a);
  test.b.mutable_cpu_data()[1] = 11;
  test.Forward();
  EXPECT_NE(Values(test.a), first);
  EXPECT_EQ(test.b.cpu_data()[0], 3);
  EXPECT_EQ(test.b.cpu_data()[1], 11);
  Caffe::set_random_seed(5);
  test.Forward();
  EXPECT_EQ(Values(test.a), first);
}

TEST(DummyDataLayerTest, OneFillerServesAllTops) {
  TwoTops test;
  test.SetUp("shape { dim: 4 } data_filler { type: 'uniform' min: 1 max: 2 }");
  test.Forward();
  for (double value : Values(test.a)) EXPECT_TRUE(value >= 1 && value <= 2) << value;
  for (double value : Values(test.b)) EXPECT_TRUE(value >= 1 && value <= 2) << value;
  EXPECT_NE(Values(test.a), Values(test.b));
}

TEST(DummyDataLayerTest, ErrorsNameTheFieldAndTheNumbers) {
  TwoTops test;
  EXPECT_CAFFE_ERROR(test.SetUp(""), "dummy (DummyData): dummy_data_param has 0 of shape for 2");
  EXPECT_CAFFE_ERROR(test.SetUp("num: 1 channels: 1 height: 1"), "has 0 of width for 2");
  EXPECT_CAFFE_ERROR(test.SetUp("num: 1 shape { dim: 1 }"), "expected one form");
  EXPECT_CAFFE_ERROR(test.SetUp("shape { dim: 1 } data_filler {} data_filler {} data_filler {}"),
                     "has 3 of data_filler for 2");
  EXPECT_CAFFE_ERROR(test.SetUp("shape { dim: 1 } data_filler { type: 'zeros' }"),
                     "unknown filler type \"zeros\"");
}

}  // namespace caffe
