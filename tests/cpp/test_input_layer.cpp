#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "caffe/layers/input_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"

namespace caffe {

namespace {

LayerParameter ParseLayer(const string& text) {
  LayerParameter param;
  CHECK(google::protobuf::TextFormat::ParseFromString(text, &param)) << text;
  return param;
}

struct TwoTops {
  Blob<double> a, b;
  vector<Blob<double>*> tops{&a, &b};
  void SetUp(const string& text) {
    InputLayer<double> layer(ParseLayer("name: 'in' " + text));
    layer.SetUp({}, tops);
    layer.Forward({}, tops);
  }
};

}  // namespace

TEST(InputLayerTest, OneShapeServesAllTops) {
  TwoTops test;
  test.SetUp("input_param { shape { dim: 2 dim: 3 } }");
  EXPECT_EQ(test.a.shape(), vector<int>({2, 3}));
  EXPECT_EQ(test.b.shape(), vector<int>({2, 3}));
}

TEST(InputLayerTest, EachTopHasItsShape) {
  TwoTops test;
  test.SetUp("input_param { shape { dim: 2 dim: 3 } shape { dim: 5 } }");
  EXPECT_EQ(test.a.shape(), vector<int>({2, 3}));
  EXPECT_EQ(test.b.shape(), vector<int>({5}));
}

TEST(InputLayerTest, WithoutShapesTheTopsStayAsTheyAre) {
  TwoTops test;
  test.a.Reshape({7});
  test.SetUp("");
  EXPECT_EQ(test.a.shape(), vector<int>({7}));
}

TEST(InputLayerTest, WhatTheCallerWroteAndReshapedStays) {
  Blob<double> top;
  InputLayer<double> layer(ParseLayer("input_param { shape { dim: 2 } }"));
  layer.SetUp({}, {&top});
  top.Reshape({3});
  top.mutable_cpu_data()[2] = 5;
  layer.Forward({}, {&top});
  EXPECT_EQ(top.shape(), vector<int>({3}));
  EXPECT_EQ(top.cpu_data()[2], 5);
}

TEST(InputLayerTest, ANumberOfShapesThatFitsNothingIsAnError) {
  TwoTops test;
  EXPECT_CAFFE_ERROR(
      test.SetUp("input_param { shape { dim: 1 } shape { dim: 1 } shape { dim: 1 } }"),
      "in (Input): input_param has 3 shapes for 2 top blob(s)");
}

}  // namespace caffe
