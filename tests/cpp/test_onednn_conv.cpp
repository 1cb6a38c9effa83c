#include "caffe/backend/onednn_conv_layer.hpp"
#include "caffe/backend/onednn_tile_conv.hpp"
#include "onednn_test_util.hpp"

namespace caffe {

namespace {

using onednn::OnednnConvolutionLayer;

string Conv(const string& fields) {
  return "type: 'Convolution' convolution_param { " + fields + " }";
}

struct Case {
  const char* name;
  const char* fields;
  vector<int> bottom;
};

const vector<Case> kCases = {
    {"3x3", "num_output: 32 kernel_size: 3 pad: 1", {2, 16, 20, 20}},
    {"3x3 of odd sizes", "num_output: 48 kernel_size: 3 pad: 1", {2, 32, 19, 23}},
    {"3x3 without pad", "num_output: 16 kernel_size: 3", {2, 16, 21, 27}},
    {"small image", "num_output: 32 kernel_size: 3 pad: 1", {2, 32, 5, 3}},
    {"first layer", "num_output: 16 kernel_size: 3 pad: 1", {2, 3, 24, 21}},
    {"odd channels", "num_output: 7 kernel_size: 3 pad: 1", {3, 5, 9, 11}},
    {"odd channels, Winograd's size", "num_output: 21 kernel_size: 3 pad: 1", {1, 37, 23, 19}},
    {"one channel", "num_output: 1 kernel_size: 3 pad: 1", {2, 1, 7, 6}},
    {"dilation 6", "num_output: 32 kernel_size: 3 pad: 6 dilation: 6", {2, 16, 19, 19}},
    {"dilation 6, odd", "num_output: 20 kernel_size: 3 pad: 6 dilation: 6", {1, 12, 10, 13}},
    {"1x1", "num_output: 24 kernel_size: 1", {2, 32, 10, 10}},
    {"1x1 on one pixel", "num_output: 84 kernel_size: 1", {2, 40, 1, 1}},
    {"stride 2", "num_output: 32 kernel_size: 3 pad: 1 stride: 2", {2, 16, 20, 17}},
    {"rows left over", "num_output: 16 kernel_size: 2 stride: 3", {2, 16, 10, 9}},
    {"rectangular",
     "num_output: 16 kernel_h: 1 kernel_w: 5 pad_w: 2 stride_h: 2 stride_w: 1",
     {2, 6, 9, 8}},
    {"groups", "num_output: 32 kernel_size: 3 pad: 1 group: 2", {2, 32, 20, 20}},
    {"odd groups", "num_output: 9 kernel_size: 3 pad: 1 group: 3", {2, 6, 8, 7}},
    {"depthwise", "num_output: 24 kernel_size: 3 pad: 1 group: 24", {2, 24, 20, 20}},
    {"depthwise, odd", "num_output: 5 kernel_size: 3 stride: 2 group: 5", {1, 5, 9, 9}},
    {"depthwise, two of each", "num_output: 16 kernel_size: 3 pad: 1 group: 8", {2, 8, 10, 9}},
    {"without bias", "num_output: 16 kernel_size: 3 pad: 1 bias_term: false", {2, 16, 20, 20}},
    {"pad beyond the kernel", "num_output: 16 kernel_size: 1 pad: 2", {1, 16, 4, 5}},
};

OnednnConvolutionLayer* Fast(const BackendPair& pair) {
  return dynamic_cast<OnednnConvolutionLayer*>(pair.fast.layer.get());
}

}  // namespace

TEST(OnednnConvTest, AgreesWithThePlainImplementation) {
  for (const char* phase : {"TRAIN", "TEST"}) {
    for (const Case& c : kCases) {
      BackendPair pair(Conv(c.fields) + " phase: " + phase, {c.bottom});
      pair.SetUp();
      ASSERT_NE(Fast(pair), nullptr);
      ASSERT_NE(Fast(pair)->plan(), nullptr) << c.name;
      pair.ExpectSame(string(c.name) + " in " + phase);
    }
  }
}

TEST(OnednnConvTest, AgreesInBFloat16) {
  if (!onednn::HasBf16()) GTEST_SKIP() << "this processor has no bf16";
  for (const char* phase : {"TRAIN", "TEST"}) {
    for (const Case& c : kCases) {
      BackendPair pair(Conv(c.fields) + " precision: BF16 phase: " + phase, {c.bottom});
      pair.tolerance = kBFloats;
      pair.SetUp();
      ASSERT_EQ(Fast(pair)->plan()->key().type, onednn::ElementType::bf16);
      pair.ExpectSame(string(c.name) + " of bf16 in " + phase);
    }
  }
}

TEST(OnednnConvTest, AgreesByEveryMethod) {
  for (const onednn::ConvMethod& method : onednn::ConvMethods()) {
    const ScopedEnvironment forced("CAFFE_CONV_ALGORITHM", method.name.c_str());
    for (const char* precision : {"FP32", "BF16"}) {
      for (const Case& c : kCases) {
        BackendPair pair(Conv(c.fields) + " precision: " + precision, {c.bottom});
        if (precision == string("BF16")) pair.tolerance = kBFloats;
        pair.SetUp().ExpectSame(method.name + ", " + precision + ", " + c.name);
      }
    }
  }
}

namespace {

/** Of a plain window, such that every method fits. */
onednn::ConvShape TileShape() {
  onednn::ConvShape shape = {};
  shape.num = 6;
  shape.channels = shape.num_output = 32;
  shape.height = shape.out_height = 20;
  shape.width = shape.out_width = 22;
  shape.group = 1;
  shape.rows.kernel = shape.columns.kernel = 3;
  shape.rows.stride = shape.columns.stride = 1;
  shape.rows.pad = shape.columns.pad = 1;
  shape.rows.dilation = shape.columns.dilation = 1;
  shape.bias = shape.training = true;
  shape.threads = 2;
  shape.type = onednn::ElementType::f32;
  return shape;
}

/** What a primitive computes from random numbers: its output, and the bias' gradient if it has one.
 */
vector<vector<float>> Compute(const onednn::ConvPrimitive& pass, onednn::ConvPass kind) {
  using onednn::OnednnMemory;
  const bool forward = kind == onednn::kConvForward, data = kind == onednn::kConvBackwardData;
  const std::pair<int, onednn::Layout> inputs[] = {
      {data ? DNNL_ARG_WEIGHTS : DNNL_ARG_SRC, data ? pass.weights : pass.bottom},
      {forward ? DNNL_ARG_WEIGHTS : DNNL_ARG_DIFF_DST, forward ? pass.weights : pass.top}};
  const onednn::Layout out = forward ? pass.top : (data ? pass.bottom : pass.weights);
  const int out_name = forward ? DNNL_ARG_DST : (data ? DNNL_ARG_DIFF_SRC : DNNL_ARG_DIFF_WEIGHTS);
  vector<std::unique_ptr<OnednnMemory>> memories;
  onednn::Arguments arguments;
  Caffe::set_random_seed(3);
  for (const auto& [name, layout] : inputs) {
    Blob<float> values(vector<int>(1, static_cast<int>(layout.get_size() / sizeof(float))));
    caffe_rng_gaussian(values.count(), 0.F, 1.F, values.mutable_cpu_data());
    memories.push_back(std::make_unique<OnednnMemory>(layout));
    memories.back()->FromHost(values.cpu_data());
    arguments[name] = memories.back()->memory();
  }
  OnednnMemory result(out);
  arguments[out_name] = result.memory();
  vector<float> bias(out_name == DNNL_ARG_DIFF_WEIGHTS ? 32 : 0, NAN);
  if (!bias.empty()) arguments[DNNL_ARG_DIFF_BIAS] = onednn::PlainMemory({32}, bias.data());
  const vector<float> bias_values(32, 0.5F);
  if (forward) arguments[DNNL_ARG_BIAS] = onednn::PlainMemory({32}, bias_values.data());
  pass.run(arguments);
  vector<float> values(out.get_size() / sizeof(float));
  result.ToHost(values.data(), out.get_size());
  return {values, bias};
}

}  // namespace

TEST(OnednnConvTest, PartsOfTheBatchGiveWhatAllOfItGives) {
  const onednn::ConvShape shape = TileShape();
  const onednn::ConvMethod& winograd = onednn::ConvMethodByName("winograd");
  for (const auto pass :
       {onednn::kConvForward, onednn::kConvBackwardData, onednn::kConvBackwardWeights}) {
    const auto make = [&](size_t most) {
      return MakeConvPrimitive(shape, pass, winograd, {}, most);
    };
    const auto whole = make(SIZE_MAX);
    if (whole == nullptr) GTEST_SKIP() << "without AVX-512, or by release 3, no Winograd";
    const size_t needed = whole->run.step.scratch.get_size();
    const auto parted = make(needed / 2);
    EXPECT_EQ(whole->run.parts, 1);
    EXPECT_GT(parted->run.parts, 1) << "pass " << pass;
    EXPECT_LT(parted->run.step.scratch.get_size(), needed);
    const auto expected = Compute(*whole, pass), got = Compute(*parted, pass);
    for (size_t i = 0; i < expected.size(); ++i) {
      // Other sums of floats: 1e-5 is ten times what a thousand of them lose.
      ExpectClose(AsDoubles(expected[i]), got[i], "pass " + std::to_string(pass), 1e-5);
    }
  }
}

TEST(OnednnConvTest, AlgorithmsAreForced) {
  const auto method = [](const char* word, const string& fields) {
    const ScopedEnvironment forced("CAFFE_CONV_ALGORITHM", word);
    BackendPair pair(Conv("num_output: 32 kernel_size: 3 pad: 1" + fields), {{2, 16, 13, 22}});
    pair.SetUp();
    return Fast(pair)->plan()->forward().method;
  };
  const bool has_winograd = method("winograd", "") == "winograd";  // with AVX-512, release 2
  EXPECT_EQ(method("winograd", " dilation: 2"), "direct");
  EXPECT_EQ(method("direct", ""), "direct");
  const bool tiles = onednn::FitsTiles(TileShape());
  // 13 pixels are too few for Winograd.
  EXPECT_EQ(method("default", ""), tiles ? "amx_split" : "direct");
  EXPECT_EQ(method("amx_split", ""), tiles ? "amx_split" : "direct");
  EXPECT_EQ(method("amx_split", " stride: 2"), "direct");
  EXPECT_EQ(method("amx_bf16", ""), "direct");
  EXPECT_EQ(method("nhwc", ""), "nhwc");
  EXPECT_EQ(method("bf16", ""), "direct");  // not a net of bf16
  EXPECT_EQ(has_winograd, method("winograd", "") == "winograd");
  const ScopedEnvironment forced("CAFFE_CONV_ALGORITHM", "fast");
  BackendPair pair(Conv("num_output: 32 kernel_size: 3 pad: 1"), {{2, 16, 13, 22}});
  pair.SetUp();
  EXPECT_CAFFE_ERROR(
      pair.ExpectSame("by no method"),
      "CAFFE_CONV_ALGORITHM is \"fast\", expected measure, default, winograd, direct, ");
}

TEST(OnednnConvTest, TilesAreForStrideOneAndOneGroup) {
  onednn::ConvShape shape = TileShape();
  if (!onednn::FitsTiles(shape)) GTEST_SKIP() << "this processor has no AMX";
  for (const auto type : {onednn::ElementType::f32, onednn::ElementType::bf16}) {
    shape.type = type;
    const string name = DefaultConvMethod(shape, onednn::kConvForward).name;
    EXPECT_EQ(name, type == onednn::ElementType::f32 ? "amx_split" : "amx_bf16");
    EXPECT_EQ(ConvMethodsFor(shape, onednn::kConvBackwardData)[0].name, name);
  }
  shape.channels = 3;
  EXPECT_EQ(DefaultConvMethod(shape, onednn::kConvForward).name, "bf16");
  EXPECT_TRUE(onednn::FitsTiles(shape));
  shape.group = 2;
  EXPECT_FALSE(onednn::FitsTiles(shape));
  shape.group = 1;
  shape.columns.stride = 2;
  EXPECT_FALSE(onednn::FitsTiles(shape));
}

TEST(OnednnConvTest, WinogradIsForLargeImagesAndPlainWindows) {
  if (onednn::FitsTiles(TileShape())) GTEST_SKIP() << "tiles of AMX are preferred";
  onednn::ConvShape shape = {
      2, 16,           19,           30,   16,   19, 30,
      1, {3, 1, 1, 1}, {3, 1, 1, 1}, true, true, 1,  onednn::ElementType::f32};
  const auto chosen = [&shape](onednn::ConvPass pass = onednn::kConvForward) {
    return DefaultConvMethod(shape, pass).name == "winograd";
  };
  EXPECT_TRUE(chosen());
  shape.height = 18;
  EXPECT_FALSE(chosen());
  shape.height = 19;
  shape.group = 2;
  EXPECT_FALSE(chosen());
  shape.group = 1;
  for (const AxisWindow& window : {AxisWindow{5, 1, 1, 1}, {3, 2, 1, 1}, {3, 1, 1, 2}}) {
    shape.columns = window;
    EXPECT_FALSE(chosen());
  }
  shape.columns = shape.rows;
  EXPECT_TRUE(chosen());
  shape.channels = 3;
  EXPECT_FALSE(chosen());
  shape.channels = 64;
  shape.num_output = 256;
  shape.type = onednn::ElementType::bf16;
  EXPECT_FALSE(chosen());
  EXPECT_TRUE(chosen(onednn::kConvBackwardWeights));
}

TEST(OnednnConvTest, ChangesOfShapeAreFollowed) {
  BackendPair pair(Conv("num_output: 16 kernel_size: 3 pad: 1"), {{2, 16, 20, 20}});
  pair.SetUp();
  unsigned seed = 1;
  // More shapes than are remembered, and some of them again.
  for (const vector<int>& shape : vector<vector<int>>{{2, 16, 20, 20},
                                                      {1, 16, 20, 20},
                                                      {2, 16, 7, 31},
                                                      {3, 16, 24, 24},
                                                      {2, 16, 20, 20},
                                                      {5, 16, 3, 3},
                                                      {1, 16, 40, 25},
                                                      {2, 16, 7, 31}}) {
    pair.FillBottoms(++seed, {shape});
    pair.ExpectSame("of shape " + pair.plain.bottom[0]->shape_string());
  }
}

TEST(OnednnConvTest, AnEmptyBatchIsNoError) {
  BackendPair pair(Conv("num_output: 16 kernel_size: 3 pad: 1"), {{2, 16, 20, 20}});
  pair.SetUp();
  pair.FillBottoms(1, {{0, 16, 20, 20}});
  pair.ExpectForward("of an empty batch");
  EXPECT_EQ(Fast(pair)->plan(), nullptr);
}

TEST(OnednnConvTest, OtherAxesAreLeftToThePlainImplementation) {
  for (const Case& c : vector<Case>{
           {"one axis", "num_output: 4 kernel_size: 3 pad: 1", {2, 3, 9}},
           {"three axes", "num_output: 4 kernel_size: 3 pad: 1", {2, 3, 5, 4, 3}},
           {"two axes of batches", "num_output: 4 kernel_size: 3 axis: 2", {2, 2, 3, 5, 4}}}) {
    BackendPair pair(Conv(c.fields), {c.bottom});
    pair.SetUp();
    ASSERT_NE(Fast(pair), nullptr);
    EXPECT_EQ(Fast(pair)->plan(), nullptr) << c.name;
    pair.ExpectSame(c.name);
  }
}

TEST(OnednnConvTest, ManyBottomsShareTheWeights) {
  BackendPair pair(Conv("num_output: 16 kernel_size: 3 pad: 1"),
                   {{2, 16, 20, 20}, {2, 16, 20, 20}, {2, 16, 20, 20}}, 3);
  pair.SetUp().ExpectForward("three bottoms");
  pair.ExpectBackward("three bottoms", {true, false, true});
}

TEST(OnednnConvTest, WhatIsNotAskedForIsLeftAlone) {
  BackendPair pair(Conv("num_output: 16 kernel_size: 3 pad: 1"), {{2, 16, 20, 20}});
  pair.SetUp().ExpectForward("all");
  pair.ExpectBackward("parameters alone", {false});
  for (const bool weights : {true, false}) {
    pair.plain.layer->set_param_propagate_down(0, weights);
    pair.plain.layer->set_param_propagate_down(1, !weights);
    pair.fast.layer->set_param_propagate_down(0, weights);
    pair.fast.layer->set_param_propagate_down(1, !weights);
    pair.FillParameters();
    pair.ExpectForward("all");
    pair.ExpectBackward(weights ? "weights alone" : "biases alone");
  }
}

TEST(OnednnConvTest, GradientsOfParametersAdd) {
  BackendPair pair(Conv("num_output: 16 kernel_size: 3 pad: 1"), {{2, 16, 20, 20}});
  pair.SetUp();
  for (const unsigned seed : {1U, 2U, 3U}) {
    pair.FillBottoms(seed);
    pair.ExpectSame("step " + std::to_string(seed));  // onto what the step before left
  }
}

TEST(OnednnConvTest, ClearedGradientsAreOverwritten) {
  BackendPair pair(Conv("num_output: 16 kernel_size: 3 pad: 1"), {{2, 16, 20, 20}});
  pair.SetUp();
  Blob<float>& weights = *pair.fast.layer->blobs()[0];
  const auto gradient_after = [&](float before) {
    std::fill_n(weights.mutable_cpu_diff(), weights.count(), before);
    weights.diff()->SetZero();
    pair.fast.layer->Forward(pair.fast.bottom, pair.fast.top);
    pair.fast.layer->Backward(pair.fast.top, {true}, pair.fast.bottom);
    return vector<float>(weights.cpu_diff(), weights.cpu_diff() + weights.count());
  };
  std::fill_n(pair.fast.top[0]->mutable_cpu_diff(), pair.fast.top[0]->count(), 0.5F);
  const vector<float> gradient = gradient_after(0);
  EXPECT_NE(gradient, vector<float>(weights.count(), 0));
  EXPECT_EQ(gradient_after(7), gradient);
}

TEST(OnednnConvTest, TopsAndGradientsStayInTheBackend) {
  BackendPair pair(Conv("num_output: 32 kernel_size: 3 pad: 1"), {{2, 16, 20, 20}});
  pair.SetUp();
  Blob<float>* bottom = pair.fast.bottom[0];
  Blob<float>* top = pair.fast.top[0];
  MoveToBackend(bottom->shape(), bottom->data().get());
  pair.fast.layer->Forward(pair.fast.bottom, pair.fast.top);
  const onednn::OnednnMemory* output = onednn::BackendCopy(*top->data(), {2, 32, 20, 20});
  MoveToBackend(top->shape(), top->diff().get());
  const onednn::OnednnMemory* gradient = onednn::BackendCopy(*top->diff(), {2, 32, 20, 20});
  if (output == nullptr || output->layout() != gradient->layout()) {
    GTEST_SKIP() << "without AVX-512 the layouts are others";
  }
  EXPECT_TRUE(OnlyOnBackend(*top->data()));
  EXPECT_TRUE(OnlyOnBackend(*bottom->data()));
  pair.fast.layer->Backward(pair.fast.top, {true}, pair.fast.bottom);
  EXPECT_TRUE(OnlyOnBackend(*top->diff()));
  EXPECT_TRUE(OnlyOnBackend(*bottom->diff()));
  // Buffers are made once.
  const BackendMemory* data = top->data()->backend_buffer().get();
  const BackendMemory* diff = bottom->diff()->backend_buffer().get();
  pair.fast.layer->Forward(pair.fast.bottom, pair.fast.top);
  pair.fast.layer->Backward(pair.fast.top, {true}, pair.fast.bottom);
  EXPECT_EQ(top->data()->backend_buffer().get(), data);
  EXPECT_EQ(bottom->diff()->backend_buffer().get(), diff);
}

TEST(OnednnConvTest, ReadsOtherLayoutsThanItsOwn) {
  for (const int block : {8, 16}) {
    BackendPair pair(Conv("num_output: 32 kernel_size: 3 pad: 1"), {{2, 24, 20, 20}});
    pair.SetUp();
    Blob<float>* bottom = pair.fast.bottom[0];
    MoveToBackend(bottom->shape(), bottom->data().get(), block);
    pair.ExpectForward("blocks of " + std::to_string(block));
    pair.ExpectBackward("blocks of 16", {}, true);
  }
}

TEST(OnednnConvTest, NewWeightsAreSeenHoweverTheyAreWritten) {
  BackendPair pair(Conv("num_output: 16 kernel_size: 3 pad: 1"), {{2, 16, 20, 20}});
  pair.SetUp().ExpectSame("first weights");
  Blob<double>* plain = pair.plain.layer->blobs()[0].get();
  Blob<float>* fast = pair.fast.layer->blobs()[0].get();
  plain->scale_data(2);
  fast->scale_data(2);
  pair.ExpectSame("scaled");
  // As in a net: the parameters are views of one buffer, which somebody may write to as a whole.
  const size_t size = fast->count() * sizeof(float);
  const auto data = std::make_shared<SyncedMemory>(size + 64);
  const auto diff = std::make_shared<SyncedMemory>(size + 64);
  fast->MoveTo(std::make_shared<SyncedMemory>(data, 64, size),
               std::make_shared<SyncedMemory>(diff, 64, size));
  pair.ExpectSame("moved");
  static_cast<float*>(data->mutable_cpu_data())[16 + 5] += 100;
  plain->mutable_cpu_data()[5] += 100;
  pair.ExpectSame("written as a whole");
  // As an array in Python: a pointer that is kept.
  fast->data()->PinHost();
  float* kept = fast->mutable_cpu_data();
  for (int i = 0; i < 2; ++i) {
    kept[7] += 100;
    plain->mutable_cpu_data()[7] += 100;
    pair.ExpectSame("through a kept pointer");
  }
  kept[9] += 100;
  plain->mutable_cpu_data()[9] += 100;
  fast->data()->UnpinHost();
  pair.ExpectSame("just before the pointer was given up");
}

TEST(OnednnConvTest, PinnedBottomsAndTopsLiveOnTheHost) {
  BackendPair pair(Conv("num_output: 16 kernel_size: 3 pad: 1"), {{2, 16, 20, 20}});
  pair.SetUp();
  for (Blob<float>* blob : {pair.fast.bottom[0], pair.fast.top[0]}) blob->data()->PinHost();
  float* bottom = pair.fast.bottom[0]->mutable_cpu_data();
  const float* top = pair.fast.top[0]->cpu_data();
  for (int i = 0; i < 2; ++i) {
    bottom[3] += 100;
    pair.plain.bottom[0]->mutable_cpu_data()[3] += 100;
    pair.plain.layer->Forward(pair.plain.bottom, pair.plain.top);
    pair.fast.layer->Forward(pair.fast.bottom, pair.fast.top);
    ExpectClose(Values(*pair.plain.top[0]), vector<float>(top, top + pair.fast.top[0]->count()),
                "through kept pointers");
  }
}

TEST(OnednnConvTest, TheSameBitsEveryTime) {
  vector<vector<float>> runs;
  for (int run = 0; run < 2; ++run) {
    BackendPair pair(Conv("num_output: 32 kernel_size: 3 pad: 1"), {{3, 16, 23, 20}});
    pair.SetUp().ExpectSame("a run");
    vector<float> all = Values(*pair.fast.top[0]);
    for (const Blob<float>* blob : {pair.fast.bottom[0], pair.fast.layer->blobs()[0].get(),
                                    pair.fast.layer->blobs()[1].get()}) {
      const vector<float> gradients = Gradients(*blob);
      all.insert(all.end(), gradients.begin(), gradients.end());
    }
    runs.push_back(all);
  }
  EXPECT_EQ(runs[0], runs[1]);
}

TEST(OnednnConvTest, ThePlainImplementationCanBeAskedFor) {
  const string fields = "num_output: 16 kernel_size: 3 pad: 1 ";
  const auto is_fast = [](const string& text) {
    const auto layer = LayerRegistry<float>::CreateLayer(LayerFromText(text));
    return dynamic_cast<OnednnConvolutionLayer*>(layer.get()) != nullptr;
  };
  EXPECT_TRUE(is_fast(Conv(fields)));
  EXPECT_TRUE(is_fast(Conv(fields + "engine: CUDNN")));
  EXPECT_FALSE(is_fast(Conv(fields + "engine: CAFFE")));
  const ScopedEnvironment reference("CAFFE_BACKEND", "reference");
  EXPECT_FALSE(is_fast(Conv(fields)));
}

}  // namespace caffe
