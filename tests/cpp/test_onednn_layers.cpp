// The overrides that take the layout in which their input lies: ReLU, Split, Pooling.
#include "caffe/backend/onednn_elementwise.hpp"
#include "onednn_test_util.hpp"

namespace caffe {

namespace {

string Pool(const string& fields) { return "type: 'Pooling' pooling_param { " + fields + " }"; }

}  // namespace

TEST(OnednnLayersTest, ReLUOnTheHostAndInTheBackend) {
  for (const string& fields : vector<string>{"", "relu_param { negative_slope: 0.3 }",
                                             "relu_param { negative_slope: -0.5 }"}) {
    for (const bool in_place : {false, true}) {
      const string what = fields + (in_place ? " in place" : "");
      BackendPair host("type: 'ReLU' " + fields, {{2, 21, 5, 7}});
      if (in_place) host.InPlace();
      host.SetUp().ExpectSame(what);
      if (fields.find('-') != string::npos) continue;  // plain alone
      for (const TestLayout& layout : TestLayouts()) {
        BackendPair pair("type: 'ReLU' " + fields, {{2, 21, 5, 7}});
        if (in_place) pair.InPlace();
        pair.SetUp();
        ExpectSameOnBackend(&pair, what + " in blocks", layout);
      }
    }
  }
}

TEST(OnednnLayersTest, ReLULetsNaNsThrough) {
  LayerRun<float> run("type: 'ReLU'", {{1, 16, 2, 2}});
  run.SetUp();
  run.bottom[0]->mutable_cpu_data()[5] = std::numeric_limits<float>::quiet_NaN();
  MoveToBackend({1, 16, 2, 2}, run.bottom[0]->data().get());
  const vector<float> top = run.Forward();
  EXPECT_TRUE(std::isnan(top[5]));
  EXPECT_FALSE(std::isnan(top[4]));
}

TEST(OnednnLayersTest, ReLUCanBeForcedToBePlain) {
  LayerRun<float> run("type: 'ReLU' relu_param { engine: CAFFE }", {{1, 16, 2, 2}});
  run.SetUp();
  MoveToBackend({1, 16, 2, 2}, run.bottom[0]->data().get());
  run.layer->Forward(run.bottom, run.top);
  EXPECT_EQ(run.top[0]->data()->head(), SyncedMemory::HEAD_AT_CPU);
}

TEST(OnednnLayersTest, SplitAddsGradientsInTheBackend) {
  for (const int num_top : {1, 2, 3}) {
    BackendPair pair("type: 'Split'", {{2, 21, 5, 7}}, num_top);
    pair.SetUp();
    const string what = std::to_string(num_top) + " tops";
    pair.ExpectSame(what);
    pair.ExpectBackward(what + " in the backend", {}, true);
    for (const Blob<float>* top : pair.fast.top)
      EXPECT_EQ(top->data(), pair.fast.bottom[0]->data());
  }
}

TEST(OnednnLayersTest, SplitAddsGradientsOfDifferentLayouts) {
  for (const vector<int>& blocks : vector<vector<int>>{{0, 16, 0}, {8, 16, 0}, {16, 8, 8}}) {
    LayerRun<float> plain("type: 'Split'", {{2, 21, 5, 7}}, 3);
    LayerRun<float> fast("type: 'Split'", {{2, 21, 5, 7}}, 3);
    for (LayerRun<float>* run : {&plain, &fast}) {
      run->SetUp().Forward();
      for (int i = 0; i < 3; ++i) {
        SetGradients(RandomValues<float>(run->top[i]->count(), 9U + i), run->top[i]);
        if (run == &fast && blocks[i] > 0) {
          MoveToBackend({2, 21, 5, 7}, run->top[i]->diff().get(), blocks[i]);
        }
      }
      run->layer->Backward(run->top, {true}, run->bottom);
    }
    EXPECT_TRUE(OnlyOnBackend(*fast.bottom[0]->diff()));
    EXPECT_EQ(Gradients(*plain.bottom[0]), Gradients(*fast.bottom[0]));  // the same sums
  }
}

TEST(OnednnLayersTest, SplitReadsNoGradientThatNobodyHasWritten) {
  LayerRun<float> run("type: 'Split'", {{2, 21, 5, 7}}, 3);
  run.SetUp().Forward();
  const vector<float> gradient = RandomValues<float>(run.top[1]->count(), 9);
  SetGradients(gradient, run.top[1]);
  MoveToBackend({2, 21, 5, 7}, run.top[1]->diff().get());
  SetGradients(gradient, run.top[2]);
  run.top[2]->diff()->SetZero();
  run.layer->Backward(run.top, {true}, run.bottom);
  EXPECT_EQ(Gradients(*run.bottom[0]), gradient);
  EXPECT_EQ(run.top[0]->diff()->head(), SyncedMemory::UNINITIALIZED);
  EXPECT_EQ(run.top[2]->diff()->head(), SyncedMemory::UNINITIALIZED);
}

TEST(OnednnLayersTest, SplitAddsInFloatAndRoundsOnce) {
  if (!onednn::HasBf16()) GTEST_SKIP() << "the processor has no bf16";
  const TestLayout bf16 = {dnnl::memory::format_tag::nChw16c, onednn::ElementType::bf16};
  LayerRun<float> run("type: 'Split'", {{2, 21, 5, 7}}, 3);
  run.SetUp().Forward();
  // Steps of bf16 at 1 are 1/128: one more 1/256 is lost, two are not.
  const float terms[] = {1, 1.0F / 256, 1.0F / 256};
  for (int i = 0; i < 3; ++i) {
    SetGradients(vector<float>(run.top[i]->count(), terms[i]), run.top[i]);
    MoveToBackend({2, 21, 5, 7}, run.top[i]->diff().get(), bf16);
  }
  run.layer->Backward(run.top, {true}, run.bottom);
  EXPECT_TRUE(OnlyOnBackend(*run.bottom[0]->diff()));
  EXPECT_EQ(Gradients(*run.bottom[0]), vector<float>(run.bottom[0]->count(), 1 + 1.0F / 128));
}

TEST(OnednnLayersTest, RoundingIsToTheNearestAndNaNsStay) {
  const float infinity = std::numeric_limits<float>::infinity();
  const vector<vector<float>> rounded = {{1, 1},
                                         {1 + 1.0F / 256, 1},  // of two the even one
                                         {1 + 3.0F / 256, 1 + 2.0F / 128},
                                         {1 + 1.1F / 256, 1 + 1.0F / 128},
                                         {-1.0F / 3, -0.333984375F},
                                         {3.4e38F, infinity},
                                         {-infinity, -infinity},
                                         {0, 0}};
  for (const vector<float>& pair : rounded) {
    EXPECT_EQ(static_cast<float>(onednn::BFloat16(pair[0])), pair[1]) << pair[0];
  }
  const uint32_t worst = 0x7FFFFFFF;  // adding to it would make it a zero
  float nan;
  std::memcpy(&nan, &worst, sizeof(nan));
  EXPECT_TRUE(std::isnan(static_cast<float>(onednn::BFloat16(nan))));
}

TEST(OnednnLayersTest, PoolingOnTheHostAndInTheBackend) {
  for (const string& fields : vector<string>{
           "pool: MAX kernel_size: 2 stride: 2", "pool: MAX kernel_size: 3 stride: 1 pad: 1",
           "pool: MAX kernel_size: 3 stride: 2", "pool: MAX kernel_size: 3 stride: 2 pad: 1",
           "pool: MAX kernel_size: 2 stride: 2 round_mode: FLOOR",
           "pool: MAX kernel_size: 1 stride: 2", "pool: MAX global_pooling: true",
           "pool: MAX kernel_h: 3 kernel_w: 1 stride_h: 2 stride_w: 1",
           "pool: AVE kernel_size: 2 stride: 2", "pool: AVE kernel_size: 3 stride: 2",
           "pool: AVE kernel_size: 3 stride: 1 pad: 1", "pool: AVE global_pooling: true",
           "pool: AVE kernel_size: 3 stride: 2 round_mode: FLOOR"}) {
    for (const vector<int>& shape :
         vector<vector<int>>{{2, 21, 10, 13}, {1, 16, 9, 6}, {2, 32, 19, 19}}) {
      BackendPair host(Pool(fields), {shape});
      host.SetUp().ExpectSame(fields);
      for (const TestLayout& layout : TestLayouts()) {
        const bool global = fields.find("global") != string::npos;
        // One pixel in nhwc is the plain layout; of a whole image some largest bf16 are equal, and
        // any of them may get the gradient.
        if (global && (layout.narrow() || layout.tag == dnnl::memory::format_tag::nhwc)) continue;
        BackendPair pair(Pool(fields), {shape});
        pair.SetUp();
        ExpectSameOnBackend(&pair, fields + " of " + pair.fast.bottom[0]->shape_string(), layout);
      }
    }
  }
}

TEST(OnednnLayersTest, PoolingThatOnednnDefinesOtherwiseIsPlain) {
  // The last windows hang over the pad: Caffe divides by what they cover of it.
  BackendPair pair(Pool("pool: AVE kernel_size: 3 stride: 2 pad: 1"), {{2, 16, 10, 10}});
  pair.SetUp();
  MoveToBackend({2, 16, 10, 10}, pair.fast.bottom[0]->data().get());
  pair.ExpectSame("an average over a part of the pad");
  EXPECT_EQ(pair.fast.top[0]->data()->head(), SyncedMemory::HEAD_AT_CPU);
}

TEST(OnednnLayersTest, PoolingWithAMask) {
  BackendPair pair(Pool("pool: MAX kernel_size: 2 stride: 2"), {{2, 16, 10, 9}}, 2);
  pair.SetUp();
  MoveToBackend({2, 16, 10, 9}, pair.fast.bottom[0]->data().get());
  pair.ExpectForward("with a mask");
}

TEST(OnednnLayersTest, PoolingGivesTheGradientToTheFirstOfEqualValues) {
  BackendPair pair(Pool("pool: MAX kernel_size: 3 stride: 2"), {{2, 16, 9, 9}});
  pair.SetUp();
  caffe_set(pair.fast.bottom[0]->count(), 1.0F, pair.fast.bottom[0]->mutable_cpu_data());
  caffe_set(pair.plain.bottom[0]->count(), 1.0, pair.plain.bottom[0]->mutable_cpu_data());
  ExpectSameOnBackend(&pair, "of equal values");
}

TEST(OnednnLayersTest, PoolingFollowsChangesOfShapeAndOfPlace) {
  BackendPair pair(Pool("pool: MAX kernel_size: 2 stride: 2"), {{2, 16, 8, 8}});
  pair.SetUp();
  unsigned seed = 1;
  for (const vector<int>& shape : vector<vector<int>>{
           {2, 16, 8, 8}, {1, 16, 8, 8}, {2, 40, 7, 11}, {2, 16, 8, 8}, {3, 16, 20, 5}}) {
    pair.FillBottoms(++seed, {shape});
    ExpectSameOnBackend(&pair, "in the backend");
    pair.FillBottoms(++seed, {shape});
    pair.ExpectSame("on the host again");
  }
}

}  // namespace caffe
