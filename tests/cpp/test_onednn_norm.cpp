// Overrides for channels in the layout of their input: BatchNorm, Scale, Normalize, LRN.
#include "caffe/backend/onednn_channels.hpp"
#include "onednn_test_util.hpp"

namespace caffe {

namespace {

// Odd channels, several blocks, more channels than lanes of a sum, one position, many rows.
vector<vector<int>> Shapes() {
  return {{2, 21, 5, 7}, {1, 16, 3, 3},  {3, 72, 4, 4},
          {4, 5, 2, 1},  {2, 130, 3, 5}, {2, 16, 90, 50}};
}

string Norm(bool global) {
  return string("type: 'BatchNorm' batch_norm_param { use_global_stats: ") +
         (global ? "true" : "false") + " moving_average_fraction: 0.9 }";
}

/** Stored statistics as a training leaves them, the same on both sides. */
void FillStatistics(BackendPair* pair) {
  for (int i = 0; i < 3; ++i) {
    Blob<float>* blob = pair->fast.layer->blobs()[i].get();
    vector<float> values = RandomValues<float>(blob->count(), 31U + i);
    if (i == 1) {
      for (float& value : values) value = std::abs(value) + 1.5F;
    }
    if (i == 2) values = {3};
    SetValues(values, blob);
    SetValues(AsDoubles(values), pair->plain.layer->blobs()[i].get());
  }
}

void ExpectSameStatistics(const BackendPair& pair, const string& what) {
  for (int i = 0; i < 3; ++i) {
    ExpectClose(Values(*pair.plain.layer->blobs()[i]), Values(*pair.fast.layer->blobs()[i]),
                what + ": stored statistics " + std::to_string(i), pair.tolerance);
  }
}

}  // namespace

TEST(OnednnNormTest, BlocksOfChannelsAreKnown) {
  using Tag = dnnl::memory::format_tag;
  const onednn::Dims dims = {2, 21, 5, 7};
  const std::pair<Tag, int> kinds[] = {
      {Tag::nChw16c, 16}, {Tag::nChw8c, 8}, {Tag::nhwc, 21}, {Tag::nchw, 1}, {Tag::chwn, 0}};
  for (const auto& kind : kinds) {
    for (const auto type : {onednn::ElementType::f32, onednn::ElementType::bf16}) {
      const onednn::ChannelBlocks blocks = onednn::BlocksOf(onednn::Layout(dims, type, kind.first));
      EXPECT_EQ(blocks.block, kind.second);
      if (blocks.block == 0) continue;
      EXPECT_EQ(blocks.channels, 21);
      EXPECT_EQ(blocks.positions, 35);
      EXPECT_EQ(blocks.offset(1, 0), blocks.blocks() * 35 * blocks.block);
    }
  }
}

TEST(OnednnNormTest, BatchNormOnTheHostAndInTheBackend) {
  for (const bool global : {false, true}) {
    for (const bool in_place : {false, true}) {
      for (const vector<int>& shape : Shapes()) {
        for (const TestLayout& layout : TestLayouts()) {
          BackendPair pair(Norm(global), {shape});
          if (in_place) pair.InPlace();
          pair.SetUp();
          FillStatistics(&pair);
          const string what = Norm(global) + (in_place ? " in place, of " : ", of ") +
                              pair.fast.bottom[0]->shape_string();
          ExpectSameOnBackend(&pair, what, layout);
          ExpectSameStatistics(pair, what);
        }
      }
    }
  }
}

TEST(OnednnNormTest, BatchNormOfALargeMeanKeepsItsDigits) {
  BackendPair pair(Norm(false), {{2, 16, 20, 20}});
  pair.SetUp();
  FillStatistics(&pair);
  vector<float> values = RandomValues<float>(2 * 16 * 400, 3);
  for (float& value : values) value += 1000;
  SetValues(values, pair.fast.bottom[0]);
  SetValues(AsDoubles(values), pair.plain.bottom[0]);
  ExpectSameOnBackend(&pair, "a mean of a thousand deviations");
}

TEST(OnednnNormTest, BatchNormShowsNaNs) {
  LayerRun<float> run(Norm(false), {{1, 16, 2, 2}});
  run.SetUp();
  run.bottom[0]->mutable_cpu_data()[5] = std::numeric_limits<float>::quiet_NaN();
  MoveToBackend({1, 16, 2, 2}, run.bottom[0]->data().get());
  const vector<float> top = run.Forward();
  EXPECT_TRUE(std::isnan(top[4]));  // of the same channel
  EXPECT_FALSE(std::isnan(top[3]));
}

TEST(OnednnNormTest, ScaleOnTheHostAndInTheBackend) {
  for (const string& fields : vector<string>{"", "bias_term: true"}) {
    for (const bool in_place : {false, true}) {
      for (const vector<int>& shape : Shapes()) {
        for (const TestLayout& layout : TestLayouts()) {
          const string text = "type: 'Scale' scale_param { " + fields + " }";
          BackendPair pair(text, {shape});
          if (in_place) pair.InPlace();
          pair.SetUp();
          ExpectSameOnBackend(&pair, text + (in_place ? " in place" : ""), layout);
        }
      }
    }
  }
}

TEST(OnednnNormTest, ScaleOfOtherAxesIsPlain) {
  for (const string& fields : vector<string>{"axis: 2", "num_axes: 2", "num_axes: 0", "axis: 0"}) {
    BackendPair pair("type: 'Scale' scale_param { bias_term: true " + fields + " }",
                     {{2, 16, 4, 4}});
    pair.SetUp();
    pair.MoveBottoms(TestLayout());
    pair.ExpectSame(fields);
  }
  BackendPair two("type: 'Scale'", {{2, 16, 4, 4}, {16}});
  two.SetUp();
  MoveToBackend({2, 16, 4, 4}, two.fast.bottom[0]->data().get());
  two.ExpectSame("by another bottom");
}

TEST(OnednnNormTest, ScaleLeavesAloneWhatIsNotAskedFor) {
  BackendPair pair("type: 'Scale' scale_param { bias_term: true }", {{2, 16, 4, 4}});
  pair.SetUp();
  pair.MoveBottoms(TestLayout());
  pair.ExpectForward("frozen");
  for (const auto& frozen : vector<vector<int>>{{0}, {1}, {0, 1}}) {
    for (int i = 0; i < 2; ++i) {
      const bool learns = std::find(frozen.begin(), frozen.end(), i) == frozen.end();
      pair.plain.layer->set_param_propagate_down(i, learns);
      pair.fast.layer->set_param_propagate_down(i, learns);
    }
    pair.ExpectBackward("frozen");
    pair.ExpectBackward("frozen, and so is the bottom", {false});
  }
}

TEST(OnednnNormTest, InPlaceLayersFollowEachOtherAndChangesOfShape) {
  // BatchNorm, Scale and ReLU on one blob, as in the small net: each keeps its own input.
  const string relu = "type: 'ReLU'", scale = "type: 'Scale' scale_param { bias_term: true }";
  BackendPair norm(Norm(false), {{2, 21, 6, 5}});
  norm.InPlace().SetUp();
  FillStatistics(&norm);
  BackendPair second(scale, {{2, 21, 6, 5}}), third(relu, {{2, 21, 6, 5}});
  for (BackendPair* pair : {&second, &third}) {
    pair->plain.bottom = pair->plain.top = norm.plain.bottom;
    pair->fast.bottom = pair->fast.top = norm.fast.bottom;
    pair->SetUp();
  }
  unsigned seed = 1;
  for (const vector<int>& shape :
       vector<vector<int>>{{2, 21, 6, 5}, {2, 21, 6, 5}, {1, 21, 9, 4}, {2, 21, 6, 5}}) {
    norm.FillBottoms(++seed, {shape});
    norm.MoveBottoms(TestLayout());
    for (BackendPair* pair : {&norm, &second, &third}) pair->ExpectForward("in a row");
    third.ExpectBackward("ReLU");
    for (BackendPair* pair : {&second, &norm}) {
      pair->plain.layer->Backward(pair->plain.top, {true}, pair->plain.bottom);
      pair->fast.layer->Backward(pair->fast.top, {true}, pair->fast.bottom);
      ExpectClose(Gradients(*pair->plain.bottom[0]), Gradients(*pair->fast.bottom[0]), "in a row");
    }
    EXPECT_TRUE(OnlyOnBackend(*norm.fast.bottom[0]->data()) ||
                norm.fast.bottom[0]->data()->head() == SyncedMemory::SYNCED);
  }
}

TEST(OnednnNormTest, NormalizeOnTheHostAndInTheBackend) {
  for (const char* across : {"true", "false"}) {
    for (const char* shared : {"true", "false"}) {
      const string text = string("type: 'Normalize' norm_param { across_spatial: ") + across +
                          " channel_shared: " + shared + " }";
      for (const vector<int>& shape : Shapes()) {
        BackendPair host(text, {shape});
        host.SetUp().ExpectSame(text);
        host.ExpectBackward(text, {false});
        for (const TestLayout& layout : TestLayouts()) {
          BackendPair pair(text, {shape});
          pair.SetUp();
          ExpectSameOnBackend(&pair, text + pair.fast.bottom[0]->shape_string(), layout);
        }
      }
    }
  }
}

TEST(OnednnNormTest, NormalizeOfAnyNumberOfAxes) {
  for (const vector<int>& shape : vector<vector<int>>{{3, 5}, {2, 5, 4}, {2, 3, 4, 2, 3}}) {
    BackendPair pair("type: 'Normalize' norm_param { across_spatial: false channel_shared: false }",
                     {shape});
    pair.SetUp();
    pair.ExpectSame(pair.fast.bottom[0]->shape_string());
    pair.FillBottoms(4, {{0, shape[1], 3}});
    pair.ExpectForward("an empty batch");
  }
}

TEST(OnednnNormTest, NormalizeShowsNaNsAndZeros) {
  for (const bool on_backend : {false, true}) {
    LayerRun<float> run("type: 'Normalize' norm_param { across_spatial: false }", {{1, 16, 2, 2}});
    run.SetUp();
    float* x = run.bottom[0]->mutable_cpu_data();
    x[5] = std::numeric_limits<float>::quiet_NaN();
    for (int c = 0; c < 16; ++c) x[c * 4 + 2] = 0;
    if (on_backend) MoveToBackend({1, 16, 2, 2}, run.bottom[0]->data().get());
    const vector<float> top = run.Forward();
    EXPECT_TRUE(std::isnan(top[1]));  // of the same position
    EXPECT_FALSE(std::isnan(top[0]));
    EXPECT_EQ(top[2], 0);
  }
}

TEST(OnednnNormTest, LrnOnTheHostAndInTheBackend) {
  for (const string& fields :
       vector<string>{"", "local_size: 3 alpha: 0.5 beta: 0.6 k: 2", "local_size: 7 alpha: 0.1",
                      "norm_region: WITHIN_CHANNEL local_size: 3 alpha: 0.5"}) {
    const string text = "type: 'LRN' lrn_param { " + fields + " }";
    for (const vector<int>& shape : Shapes()) {
      BackendPair host(text, {shape});
      host.SetUp().ExpectSame(text);
      for (const TestLayout& layout : TestLayouts()) {
        BackendPair pair(text, {shape});
        pair.SetUp();
        pair.MoveBottoms(layout);
        const string what = text + " of " + pair.fast.bottom[0]->shape_string();
        pair.ExpectForward(what);
        pair.ExpectBackward(what);
        pair.ExpectBackward(what, {}, true);
        pair.ExpectBackward(what, {false});
      }
    }
  }
}

TEST(OnednnNormTest, LrnInPlaceHasNoGradient) {
  LayerRun<float> run("type: 'LRN'", {{1, 16, 4, 4}}), apart("type: 'LRN'", {{1, 16, 4, 4}});
  run.InPlace().SetUp();
  apart.SetUp();
  for (LayerRun<float>* one : {&run, &apart}) {
    MoveToBackend({1, 16, 4, 4}, one->bottom[0]->data().get());
  }
  const vector<float> expected = apart.Forward();
  ExpectClose(AsDoubles(expected), run.Forward(), "in place");
  EXPECT_CAFFE_ERROR(run.layer->Backward(run.top, {true}, run.bottom), "overwritten");
}

}  // namespace caffe
