#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "caffe/layers/spp_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

namespace {

string SppText(const string& param, const string& phase = "TRAIN") {
  return "name: 'spp' type: 'SPP' phase: " + phase + " spp_param { " + param + " }";
}

/** Level `level` alone, by a Pooling layer with the bins as its windows. */
vector<double> PooledLevel(const Blob<double>& bottom, const string& method, int level) {
  const int bins = 1 << level;
  std::ostringstream text;
  text << "type: 'Pooling' pooling_param { pool: " << method;
  for (const char* axis : {"h", "w"}) {
    const int size = axis[0] == 'h' ? bottom.height() : bottom.width();
    const int bin = (size + bins - 1) / bins;
    text << " kernel_" << axis << ": " << bin << " stride_" << axis << ": " << bin << " pad_"
         << axis << ": " << (bin * bins - size + 1) / 2;
  }
  LayerCase<double> test(text.str() + " }", {bottom.shape()});
  test.bottom[0]->CopyFrom(bottom);
  test.SetUp();
  test.Forward();
  EXPECT_EQ(test.top[0]->shape(), vector<int>({bottom.num(), bottom.channels(), bins, bins}));
  return DataOf(*test.top[0]);
}

}  // namespace

TEST(SPPLayerTest, IsPoolingLevelByLevel) {
  for (const string method : {"MAX", "AVE"}) {
    LayerCase<double> test(SppText("pyramid_height: 3 pool: " + method), {{2, 3, 9, 8}});
    test.SetUp();
    for (const vector<int>& shape : {vector<int>{2, 3, 9, 8}, {1, 3, 11, 7}, {3, 3, 4, 6}}) {
      test.bottom[0]->Reshape(shape);
      FillUniform<double>(-1, 1, 3, test.bottom[0]->count(), test.bottom[0]->mutable_cpu_data());
      test.Forward();
      ASSERT_EQ(test.top[0]->shape(), vector<int>({shape[0], 3 * (1 + 4 + 16)}));
      int offset = 0;
      for (int level = 0; level < 3; ++level) {
        const vector<double> pooled = PooledLevel(*test.bottom[0], method, level);
        const int length = 3 << (2 * level);
        for (size_t i = 0; i < pooled.size(); ++i) {
          const int image = static_cast<int>(i) / length, element = static_cast<int>(i) % length;
          ASSERT_EQ(test.top[0]->cpu_data()[image * 63 + offset + element], pooled[i]);
        }
        offset += length;
      }
    }
  }
}

TEST(SPPLayerTest, NumbersByHand) {
  LayerCase<double> test(SppText("pyramid_height: 2"), {{1, 1, 2, 3}});
  test.SetUp();
  SetData<double>({1, 2, 3, 4, 5, 6}, test.bottom[0]);
  test.Forward();
  // The whole; then two by two bins, the left ones holding one column and one of padding.
  EXPECT_EQ(DataOf(*test.top[0]), vector<double>({6, 1, 3, 4, 6}));
}

TEST(SPPLayerTest, Gradients) {
  for (const char* phase : {"TRAIN", "TEST"}) {
    for (const char* method : {"MAX", "AVE", "STOCHASTIC"}) {
      SCOPED_TRACE(string(method) + " " + phase);
      LayerCase<double> test(SppText(string("pyramid_height: 3 pool: ") + method, phase),
                             {{2, 2, 6, 7}});
      // Positive and 0.02 apart, so that a step changes no maximum and probabilities exist.
      std::mt19937 random(5);
      vector<double> values;
      for (int i = 0; i < test.bottom[0]->count(); ++i) values.push_back(0.02 * (i + 1));
      std::shuffle(values.begin(), values.end(), random);
      SetData(values, test.bottom[0]);
      GradientChecker<double> checker(1e-4, 1e-6);
      checker.CheckGradient(test.layer.get(), test.bottom, test.top);
    }
  }
}

TEST(SPPLayerTest, Errors) {
  LayerCase<double> none(SppText(""), {{1, 1, 5, 5}});
  EXPECT_CAFFE_ERROR(none.SetUp(), "spp (SPP): pyramid_height must be from 1 to 15, got 0");
  LayerCase<double> empty(SppText("pyramid_height: 3"), {{1, 1, 5, 9}});
  EXPECT_CAFFE_ERROR(empty.SetUp(),
                     "level 2 of the pyramid has 4 by 4 bins of 2 by 3 pixels, of which some would "
                     "be empty for an image of 5 by 9");
  LayerCase<double> axes(SppText("pyramid_height: 1"), {{5, 5}});
  EXPECT_CAFFE_ERROR(axes.SetUp(), "expected N x C x H x W");
}

}  // namespace caffe
