#include "caffe/backend/onednn_conv_cache.hpp"
#include "caffe/backend/onednn_conv_choice.hpp"
#include "caffe/backend/onednn_conv_layer.hpp"
#include "caffe/util/io.hpp"
#include "onednn_test_util.hpp"

namespace caffe {

using onednn::ConvCache;
using onednn::ConvShape;
using onednn::ElementType;

namespace {

ConvShape Shape() {
  return {2, 16,           20,           21,   32,   20, 21,
          1, {3, 1, 1, 1}, {3, 1, 1, 1}, true, true, 1,  ElementType::f32};
}

void Write(const string& path, const string& text) { std::ofstream(path) << text; }

class ConvChoiceTest : public ::testing::Test {
 protected:
  ConvChoiceTest() { MakeTempDir(&folder_); }
  string Path(const string& name) const { return folder_ + "/" + name; }

  string folder_;
};

}  // namespace

TEST_F(ConvChoiceTest, TheCacheIsAFileOfLines) {
  ConvCache cache(Path("new/folder/conv.txt"));
  EXPECT_EQ(cache.Find("a b"), "");
  cache.Add("a b", "winograd");
  cache.Add("c", "direct");
  EXPECT_EQ(cache.Find("a b"), "winograd");
  ConvCache other(Path("new/folder/conv.txt"));
  EXPECT_EQ(other.Find("a b"), "winograd");
  EXPECT_EQ(other.Find("c"), "direct");
  // What another process found meanwhile stays.
  other.Add("d", "nhwc");
  cache.Add("e", "nchw");
  EXPECT_EQ(ConvCache(Path("new/folder/conv.txt")).Find("d"), "nhwc");
}

TEST_F(ConvChoiceTest, ABrokenCacheIsReadAsFarAsItGoes) {
  Write(Path("conv.txt"), string("\x7f"
                                 "ELF\0\n: \nno colon\n\nkey: direct\r\ngood: winograd\ncut",
                                 49));
  ConvCache cache(Path("conv.txt"));
  EXPECT_EQ(cache.Find("good"), "winograd");
  EXPECT_EQ(cache.Find("no colon"), "");
  cache.Add("new", "direct");
  EXPECT_EQ(ConvCache(Path("conv.txt")).Find("new"), "direct");
  EXPECT_EQ(ConvCache(Path("")).Find("new"), "");
  ConvCache folder(folder_);  // not a file
  folder.Add("new", "direct");
  folder.Add("newer", "direct");
  EXPECT_EQ(folder.Find("newer"), "direct");
}

TEST_F(ConvChoiceTest, TheCacheLiesInTheUsersCacheUnlessToldOtherwise) {
  const ScopedEnvironment home("HOME", "/home/somebody"), none("CAFFE_CONV_CACHE", "");
  {
    const ScopedEnvironment xdg("XDG_CACHE_HOME", "");
    EXPECT_EQ(onednn::ConvCachePath().find("/home/somebody/.cache/ssd-centerloss/conv-"), 0U);
  }
  const ScopedEnvironment xdg("XDG_CACHE_HOME", "/cache");
  EXPECT_EQ(onednn::ConvCachePath().find("/cache/ssd-centerloss/conv-"), 0U);
  EXPECT_EQ(onednn::ConvCachePath().find(' '), string::npos);
  const ScopedEnvironment given("CAFFE_CONV_CACHE", "here.txt");
  EXPECT_EQ(onednn::ConvCachePath(), "here.txt");
  const ScopedEnvironment off("CAFFE_CONV_CACHE", "off");
  EXPECT_EQ(onednn::ConvCachePath(), "");
}

TEST_F(ConvChoiceTest, LargeShapesAreMeasuredWithFewerImages) {
  ConvShape shape = Shape();
  EXPECT_EQ(MeasuredShape(shape).num, 2);
  shape.channels = shape.num_output = 64;
  shape.height = shape.width = shape.out_height = shape.out_width = 300;  // 3.3e9 for an image
  shape.num = 8;
  EXPECT_EQ(MeasuredShape(shape).num, 1);
  shape.threads = 8;
  EXPECT_EQ(MeasuredShape(shape).num, 2);
  shape.threads = 100;
  EXPECT_EQ(MeasuredShape(shape).num, 8);
  shape.group = 64;
  shape.threads = 1;
  EXPECT_EQ(MeasuredShape(shape).num, 8);
}

TEST_F(ConvChoiceTest, KeysTellShapesAndPassesApart) {
  std::set<string> keys;
  vector<ConvShape> shapes(15, Shape());
  int* const fields[] = {&shapes[0].num,
                         &shapes[1].channels,
                         &shapes[2].height,
                         &shapes[3].width,
                         &shapes[4].num_output,
                         &shapes[5].out_height,
                         &shapes[6].out_width,
                         &shapes[7].group,
                         &shapes[8].threads,
                         &shapes[9].rows.pad,
                         &shapes[10].rows.stride,
                         &shapes[11].columns.kernel,
                         &shapes[12].columns.dilation};
  for (int* field : fields) *field += 100;
  shapes[13].bias = false;
  shapes[14].type = ElementType::bf16;
  shapes.push_back(Shape());
  for (const ConvShape& shape : shapes) {
    for (int pass = 0; pass < 3; ++pass) {
      keys.insert(ConvKey(shape, static_cast<onednn::ConvPass>(pass)));
    }
  }
  EXPECT_EQ(keys.size(), 3 * shapes.size());
}

TEST_F(ConvChoiceTest, TheFastestIsRemembered) {
  const ScopedEnvironment measure("CAFFE_CONV_ALGORITHM", "measure");
  const ScopedEnvironment cache("CAFFE_CONV_CACHE", Path("conv.txt").c_str());
  for (int pass = 0; pass < 3; ++pass) {
    const string method = ChooseConvMethod(Shape(), static_cast<onednn::ConvPass>(pass)).name;
    const string key = ConvKey(Shape(), static_cast<onednn::ConvPass>(pass));
    EXPECT_EQ(ConvCache(Path("conv.txt")).Find(key), method);
  }
}

TEST_F(ConvChoiceTest, WhatTheCacheSaysIsTaken) {
  const ScopedEnvironment measure("CAFFE_CONV_ALGORITHM", "");
  const string key = ConvKey(Shape(), onednn::kConvForward);
  const auto with = [&](const string& name, const string& method) {
    Write(Path(name), key + ": " + method + "\n");
    const ScopedEnvironment cache("CAFFE_CONV_CACHE", Path(name).c_str());
    return ChooseConvMethod(Shape(), onednn::kConvForward).name;
  };
  EXPECT_EQ(with("a.txt", "nhwc"), "nhwc");
  EXPECT_EQ(with("b.txt", "nchw"), "nchw");
  // Of another release, or for another type: measured anew.
  const string kept = with("c.txt", "warp");
  EXPECT_NO_THROW(onednn::ConvMethodByName(kept));
  EXPECT_EQ(ConvCache(Path("c.txt")).Find(key), kept);
  EXPECT_NE(with("d.txt", "bf16"), "bf16");
}

TEST_F(ConvChoiceTest, MeasuringGoesThroughEveryShape) {
  const ScopedEnvironment measure("CAFFE_CONV_ALGORITHM", "measure");
  const ScopedEnvironment cache("CAFFE_CONV_CACHE", "off");
  for (const char* precision : {"FP32", "BF16"}) {
    for (const char* fields :
         {"num_output: 32 kernel_size: 3 pad: 1", "num_output: 7 kernel_size: 3 pad: 6 dilation: 6",
          "num_output: 16 kernel_size: 1 bias_term: false",
          "num_output: 32 kernel_size: 3 stride: 2 group: 32"}) {
      BackendPair pair(string("type: 'Convolution' precision: ") + precision +
                           " convolution_param { " + fields + " }",
                       {{1, 32, 22, 19}});
      if (precision == string("BF16")) pair.tolerance = kBFloats;
      pair.SetUp().ExpectSame(fields);
    }
  }
}

TEST_F(ConvChoiceTest, PinnedChoicesGiveTheSameBits) {
  const ScopedEnvironment cache("CAFFE_CONV_CACHE", Path("conv.txt").c_str());
  for (const char* algorithm : {"measure", "default", "direct", "winograd"}) {
    const ScopedEnvironment chosen("CAFFE_CONV_ALGORITHM", algorithm);
    vector<vector<float>> runs;
    for (int run = 0; run < 2; ++run) {
      BackendPair pair(
          "type: 'Convolution' convolution_param { num_output: 32 kernel_size: 3 pad: 1 }",
          {{3, 16, 23, 20}});
      pair.SetUp().ExpectSame(algorithm);
      vector<float> all = Values(*pair.fast.top[0]);
      for (const Blob<float>* blob : {pair.fast.bottom[0], pair.fast.layer->blobs()[0].get()}) {
        const vector<float> gradients = Gradients(*blob);
        all.insert(all.end(), gradients.begin(), gradients.end());
      }
      runs.push_back(all);
    }
    EXPECT_EQ(runs[0], runs[1]) << algorithm;
  }
}

}  // namespace caffe
