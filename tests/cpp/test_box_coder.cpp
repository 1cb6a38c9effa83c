#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "caffe/detection/box_coder.hpp"
#include "detection_test_util.hpp"

namespace caffe {
namespace {

const double kVariance[4] = {0.1, 0.2, 0.3, 0.4};

TEST(BoxCoderTest, CodesByHand) {
  const Box<double> prior = {0.2, 0.2, 0.6, 0.4};  // center (0.4, 0.3), size 0.4 × 0.2
  const Box<double> box = {0.3, 0.1, 0.5, 0.5};    // center (0.4, 0.3), size 0.2 × 0.4
  const double corner[4] = {0.1 / 0.1, -0.1 / 0.2, -0.1 / 0.3, 0.1 / 0.4};
  const double center_size[4] = {0, 0, std::log(0.5) / 0.3, std::log(2.0) / 0.4};
  const double corner_size[4] = {0.25 / 0.1, -0.5 / 0.2, -0.25 / 0.3, 0.5 / 0.4};
  const BoxCodeType types[] = {BOX_CODE_CORNER, BOX_CODE_CENTER_SIZE, BOX_CODE_CORNER_SIZE};
  const double* expected[] = {corner, center_size, corner_size};
  for (int i = 0; i < 3; ++i) {
    const BoxCoder coder = {types[i], false};
    double code[4];
    coder.Encode(prior, kVariance, box, code);
    for (int k = 0; k < 4; ++k) EXPECT_NEAR(code[k], expected[i][k], 1e-14) << i << " " << k;
  }
}

TEST(BoxCoderTest, DecodeIsTheInverseOfEncode) {
  std::mt19937 random(1);
  for (const BoxCodeType type : {BOX_CODE_CORNER, BOX_CODE_CENTER_SIZE, BOX_CODE_CORNER_SIZE}) {
    for (const bool in_target : {false, true}) {
      const BoxCoder coder = {type, in_target};
      for (int i = 0; i < 50; ++i) {
        const Box<double> prior = RandomBox<double>(&random);
        const Box<double> box = RandomBox<double>(&random);
        double code[4];
        coder.Encode(prior, kVariance, box, code);
        const Box<double> decoded = coder.Decode(prior, kVariance, code);
        // A dozen roundings of numbers below 1.
        EXPECT_NEAR(decoded.xmin, box.xmin, 1e-14);
        EXPECT_NEAR(decoded.ymin, box.ymin, 1e-14);
        EXPECT_NEAR(decoded.xmax, box.xmax, 1e-14);
        EXPECT_NEAR(decoded.ymax, box.ymax, 1e-14);
      }
    }
  }
}

TEST(BoxCoderTest, VarianceInTargetLeavesTheVarianceToTheLoss) {
  std::mt19937 random(2);
  const Box<double> prior = RandomBox<double>(&random);
  const Box<double> box = RandomBox<double>(&random);
  for (const BoxCodeType type : {BOX_CODE_CORNER, BOX_CODE_CENTER_SIZE, BOX_CODE_CORNER_SIZE}) {
    double with[4], without[4];
    BoxCoder{type, false}.Encode(prior, kVariance, box, with);
    BoxCoder{type, true}.Encode(prior, kVariance, box, without);
    for (int k = 0; k < 4; ++k) EXPECT_NEAR(with[k] * kVariance[k], without[k], 1e-15);
  }
}

TEST(BoxCoderTest, OnlyBoxesWithSidesAreEncodable) {
  const Box<double> line = {0.1, 0.1, 0.1, 0.5};
  EXPECT_TRUE((BoxCoder{BOX_CODE_CORNER, false}.IsEncodable(line)));
  EXPECT_FALSE((BoxCoder{BOX_CODE_CENTER_SIZE, false}.IsEncodable(line)));
}

}  // namespace
}  // namespace caffe
