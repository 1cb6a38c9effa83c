// Convolutions that do the layers after them in one, against plain nets in double.
#include <cstring>

#include "caffe/backend/onednn_conv_layer.hpp"
#include "caffe/backend/onednn_watch.hpp"
#include "onednn_net_test_util.hpp"

namespace caffe {

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

string Input(const string& shape = "dim: 2 dim: 3 dim: 24 dim: 21") {
  return "layer { name: 'data' type: 'Input' top: 'data' input_param { shape { " + shape +
         " } } }\n";
}

string ReLU(const string& blob, const string& fields = "") {
  return PlainLayer("ReLU", blob, blob, fields);
}

/** A convolution, BatchNorm, Scale with bias, ReLU: layers 1 to 4. */
string Normed(const string& conv, const string& relu = "") {
  return ConvLayer("c", "data", conv) + PlainLayer("BatchNorm", "c", "c") +
         PlainLayer("Scale", "c", "c", "scale_param { bias_term: true }") + ReLU("c", relu);
}

/** The same nets in double, which never fuse, and in float. */
class FusePair {
 public:
  explicit FusePair(const string& text, Phase phase = TRAIN)
      : plain(NetFrom<double>(text, phase)), fast(NetFrom<float>(text, phase)) {
    Fill(1);
  }
  void Fill(unsigned seed) {
    FillAlike(plain.get(), fast.get(), seed);
    for (int i = 0; i < fast->num_layers(); ++i) {
      if (string(fast->layers()[i]->type()) != "BatchNorm") continue;
      // Sums of three batches.
      const int channels = fast->layers()[i]->blobs()[1]->count();
      Set(i, 1, RandomValues<float>(channels, seed + 31, 0.3F, 6.0F));
      Set(i, 2, {3});
    }
  }
  void Set(int layer, int blob, const vector<float>& values) {
    SetValues(values, fast->layers()[layer]->blobs()[blob].get());
    SetValues(AsDoubles(values), plain->layers()[layer]->blobs()[blob].get());
  }
  /** Other random values of one parameter. */
  void Refill(int layer, int blob, unsigned seed) {
    Set(layer, blob,
        RandomValues<float>(fast->layers()[layer]->blobs()[blob]->count(), seed, 0.5F, 1.5F));
  }
  void Reshape(const vector<int>& shape) {
    for_each([&](auto* net) {
      net->blob_by_name("data")->Reshape(shape);
      net->Reshape();
    });
  }
  /** Whether layer 1 of the fast net, told to fuse, does. */
  bool Fuses(int layer = 1) {
    return fast->layers()[layer]->ForwardFused(fast->bottom_vecs()[layer], fast->top_vecs()[layer]);
  }
  void ExpectForward(const string& what) {
    for_each([](auto* net) { net->Forward(); });
    for (const string& name : plain->blob_names()) {
      ExpectClose(Values(*plain->blob_by_name(name)), Values(*fast->blob_by_name(name)),
                  what + ": " + name, tolerance);
    }
  }
  void ExpectBackward(const string& what) {
    for_each([](auto* net) {
      net->ClearParamDiffs();
      auto* top = net->top_vecs().back()[0];
      const vector<float> diff = RandomValues<float>(top->count(), 77);
      std::copy(diff.begin(), diff.end(), top->mutable_cpu_diff());
      net->Backward();
    });
    for (size_t i = 0; i < plain->params().size(); ++i) {
      ExpectClose(Gradients(*plain->params()[i]), Gradients(*fast->params()[i]),
                  what + ": the gradient of parameter " + std::to_string(i), tolerance);
    }
    ExpectClose(Gradients(*plain->blob_by_name("data")), Gradients(*fast->blob_by_name("data")),
                what + ": the gradient of the data", tolerance);
  }

  double tolerance = 1e-4;
  shared_ptr<Net<double>> plain;
  shared_ptr<Net<float>> fast;

 private:
  template <typename Function>
  void for_each(const Function& function) {
    function(plain.get());
    function(fast.get());
  }
};

const char* const kConvolutions[] = {
    "num_output: 16 kernel_size: 3 pad: 1",
    "num_output: 20 kernel_size: 3 pad: 6 dilation: 6 bias_term: false",
    "num_output: 7 kernel_size: 1", "num_output: 18 kernel_size: 5 stride: 2 pad: 2 group: 3"};

}  // namespace

TEST(OnednnFuseTest, WithReLUItIsTheSameTrainingNet) {
  for (const string conv : kConvolutions) {
    for (const string& relu : vector<string>{"", "relu_param { negative_slope: 0.1 }"}) {
      const string what = conv + " " + relu;
      FusePair pair(Input() + ConvLayer("c", "data", conv) + ReLU("c", relu));
      EXPECT_EQ(pair.fast->absorbed(1), vector<int>{2}) << what;
      EXPECT_EQ(pair.plain->absorbed(1), vector<int>()) << what;
      pair.ExpectForward(what);
      pair.ExpectBackward(what);
      pair.Reshape({1, 3, 19, 30});
      pair.Fill(5);
      pair.ExpectForward(what + ", another shape");
      pair.ExpectBackward(what + ", another shape");
    }
  }
}

TEST(OnednnFuseTest, ReLUIsFusedWhereWinogradAndDirectWork) {
  for (const char* algorithm : {"winograd", "direct"}) {
    const ScopedEnvironment forced("CAFFE_CONV_ALGORITHM", algorithm);
    FusePair pair(Input() + ConvLayer("b", "data", "num_output: 16 kernel_size: 1") +
                  ConvLayer("c", "b", "num_output: 16 kernel_size: 3 pad: 1") + ReLU("c"));
    EXPECT_TRUE(pair.Fuses(2)) << algorithm;
    pair.ExpectForward(algorithm);
  }
}

TEST(OnednnFuseTest, AReLUOfWhatEngineOrSlopeForbidsIsNotAbsorbed) {
  for (const char* fields : {"relu_param { engine: CAFFE }", "relu_param { negative_slope: -1 }"}) {
    FusePair pair(Input() + ConvLayer("c", "data", kConvolutions[0]) + ReLU("c", fields));
    EXPECT_EQ(pair.fast->absorbed(1), vector<int>()) << fields;
    pair.ExpectForward(fields);
  }
  const string plain_conv = string(kConvolutions[0]) + " engine: CAFFE";
  EXPECT_EQ(FusePair(Input() + Normed(plain_conv), TEST).fast->absorbed(1), vector<int>());
  const ScopedEnvironment reference("CAFFE_BACKEND", "reference");
  EXPECT_EQ(FusePair(Input() + Normed(kConvolutions[0]), TEST).fast->absorbed(1), vector<int>());
}

TEST(OnednnFuseTest, APartialRunSeesTheValueBeforeTheReLU) {
  FusePair pair(Input() + Normed(kConvolutions[0]), TEST);
  for (int end = 4; end >= 1; --end) {
    pair.fast->Forward();
    pair.fast->ForwardTo(end);
    pair.plain->ForwardTo(end);
    ExpectClose(Values(*pair.plain->blob_by_name("c")), Values(*pair.fast->blob_by_name("c")),
                "up to layer " + std::to_string(end));
    pair.fast->ForwardFrom(end + 1);
    pair.plain->ForwardFrom(end + 1);
    ExpectClose(Values(*pair.plain->blob_by_name("c")), Values(*pair.fast->blob_by_name("c")),
                "and from there on");
  }
}

TEST(OnednnFuseTest, NaNsStayVisible) {
  // So many channels that the backend keeps a copy of the data.
  FusePair pair(Input("dim: 2 dim: 32 dim: 24 dim: 21") + ConvLayer("c", "data", kConvolutions[0]) +
                ReLU("c"));
  Blob<float>* data = pair.fast->blob_by_name("data").get();
  const auto sees_nan = [&] {
    pair.fast->Forward();
    const vector<float> top = Values(*pair.fast->blob_by_name("c"));
    return std::any_of(top.begin(), top.end(), [](float value) { return std::isnan(value); });
  };
  auto* conv = dynamic_cast<onednn::OnednnConvolutionLayer*>(pair.fast->layers()[1].get());
  const bool tiles = conv->plan()->forward().keeps_nan;
  vector<Blob<float>*> places = {data};
  for (const auto& param : pair.fast->params()) places.push_back(param.get());
  for (Blob<float>* place : places) {
    EXPECT_TRUE(pair.Fuses());
    EXPECT_FALSE(sees_nan());
    const float before = place->cpu_data()[7];
    place->mutable_cpu_data()[7] = kNaN;
    EXPECT_EQ(pair.Fuses(), tiles) << "oneDNN's ReLU makes zeros of them";
    EXPECT_TRUE(sees_nan());
    EXPECT_TRUE(sees_nan()) << "the second time";
    place->mutable_cpu_data()[7] = before;
  }
  EXPECT_TRUE(pair.Fuses());
  pair.ExpectForward("mended");
}

TEST(OnednnFuseTest, FoldedNaNsStayVisible) {
  FusePair pair(Input() + Normed(kConvolutions[0]), TEST);
  for (int layer = 1; layer <= 3; ++layer) {
    for (const auto& blob : pair.fast->layers()[layer]->blobs()) {
      EXPECT_TRUE(pair.Fuses());
      const float before = blob->cpu_data()[0];
      blob->mutable_cpu_data()[0] = kNaN;
      EXPECT_FALSE(pair.Fuses());
      if (layer == 2 && blob != pair.fast->layers()[2]->blobs()[0]) {
        EXPECT_CAFFE_ERROR(pair.fast->Forward(), "the stored variance of channel 0 is");
      } else {
        pair.fast->Forward();
        EXPECT_TRUE(std::isnan(pair.fast->blob_by_name("c")->cpu_data()[30])) << "layer " << layer;
      }
      blob->mutable_cpu_data()[0] = before;
    }
  }
  pair.fast->blob_by_name("data")->mutable_cpu_data()[30] = kNaN;
  EXPECT_TRUE(pair.Fuses());  // but for the ReLU
  EXPECT_TRUE(std::isnan(pair.fast->blob_by_name("c")->cpu_data()[30]));
}

TEST(OnednnFuseTest, AFoldedNetIsTheSame) {
  const string scale = PlainLayer("Scale", "c", "c"), bias = PlainLayer("Bias", "c", "c");
  const string norm = PlainLayer("BatchNorm", "c", "c");
  for (const string conv : kConvolutions) {
    const string first = Input() + ConvLayer("c", "data", conv);
    for (const string& after : vector<string>{norm, scale, bias, scale + norm + bias + ReLU("c"),
                                              norm + scale, bias + ReLU("c")}) {
      FusePair pair(first + after, TEST);
      EXPECT_EQ(pair.fast->absorbed(1).size() + 2, pair.fast->num_layers()) << conv << after;
      EXPECT_TRUE(pair.Fuses());
      pair.ExpectForward(conv + after);
    }
    for (const string& relu : vector<string>{"", "relu_param { negative_slope: 0.1 }"}) {
      FusePair pair(Input() + Normed(conv, relu), TEST);
      EXPECT_EQ(pair.fast->absorbed(1), (vector<int>{2, 3, 4}));
      pair.ExpectForward(conv + relu);
      pair.Reshape({1, 3, 19, 30});
      pair.Fill(7);
      pair.ExpectForward(conv + relu + ", another shape");
    }
  }
}

TEST(OnednnFuseTest, FoldedParametersFollowEveryChange) {
  FusePair pair(Input() + Normed(kConvolutions[0]), TEST);
  pair.ExpectForward("at first");
  unsigned seed = 100;
  for (int layer = 1; layer <= 3; ++layer) {
    for (int blob = 0; blob < static_cast<int>(pair.fast->layers()[layer]->blobs().size());
         ++blob) {
      pair.Refill(layer, blob, ++seed);
      EXPECT_TRUE(pair.Fuses());
      pair.ExpectForward("layer " + std::to_string(layer) + ", blob " + std::to_string(blob));
    }
  }
  // Somebody keeps a pointer to the weights: no version tells of a change.
  SyncedMemory* weights = pair.fast->layers()[1]->blobs()[0]->data().get();
  auto* values = static_cast<float*>(weights->mutable_cpu_data());
  weights->PinHost();
  pair.fast->Forward();
  values[4] = 2.5F;
  pair.plain->layers()[1]->blobs()[0]->mutable_cpu_data()[4] = 2.5;
  pair.ExpectForward("pinned");
  weights->UnpinHost();
  pair.ExpectForward("no longer pinned");
}

TEST(OnednnFuseTest, ATestNetFoldsTheParametersThatItShares) {
  const string text = Input() + Normed(kConvolutions[1]);
  FusePair train(text), test(text, TEST);
  test.ExpectForward("its own");
  test.plain->ShareTrainedLayersWith(train.plain.get());
  test.fast->ShareTrainedLayersWith(train.fast.get());
  test.ExpectForward("shared");
  for (int step = 0; step < 3; ++step) {
    train.ExpectForward("training");  // BatchNorm's statistics move
    train.plain->ClearParamDiffs();
    train.fast->ClearParamDiffs();
    for (size_t i = 0; i < train.fast->params().size(); ++i) {
      const vector<float> diff =
          RandomValues<float>(train.fast->params()[i]->count(), 20 + i, -0.05F, 0.05F);
      if (string(train.fast->layers()[train.fast->param_layer_indices()[i].first]->type()) ==
          "BatchNorm") {
        continue;
      }
      SetGradients(diff, train.fast->params()[i].get());
      SetGradients(AsDoubles(diff), train.plain->params()[i].get());
    }
    train.plain->Update();
    train.fast->Update();
    EXPECT_TRUE(test.Fuses());
    test.ExpectForward("after step " + std::to_string(step));
  }
  NetParameter weights;
  FusePair other(text);
  other.Fill(900);
  other.fast->ToProto(&weights);
  test.fast->CopyTrainedLayersFrom(weights);
  test.plain->CopyTrainedLayersFrom(weights);
  test.ExpectForward("after CopyTrainedLayersFrom");
}

TEST(OnednnFuseTest, WhatIsNoAffineMapOfEachChannelIsNotFolded) {
  const string first = Input() + ConvLayer("c", "data", kConvolutions[0]);
  for (const string& next :
       {PlainLayer("BatchNorm", "c", "c", "batch_norm_param { use_global_stats: false }"),
        PlainLayer("Scale", "c", "c", "scale_param { axis: 1 num_axes: 2 }"),
        PlainLayer("Scale", "c", "c", "scale_param { axis: 2 num_axes: 1 }"),
        PlainLayer("BatchNorm", "c", "d"), PlainLayer("TanH", "c", "c")}) {
    FusePair pair(first + next, TEST);
    EXPECT_EQ(pair.fast->absorbed(1), vector<int>()) << next;
    pair.ExpectForward(next);
  }
  FusePair train(Input() + Normed(kConvolutions[0]));
  EXPECT_EQ(train.fast->absorbed(1), vector<int>());
  EXPECT_EQ(train.fast->absorbed(2), (vector<int>{3, 4}));
  FusePair stored(first +
                  PlainLayer("BatchNorm", "c", "c", "batch_norm_param { use_global_stats: true }"));
  EXPECT_EQ(stored.fast->absorbed(1), vector<int>()) << "in a TRAIN net";
}

// A bias before BatchNorm has the gradient 0, which floats miss by their rounding: none here.
TEST(OnednnFuseTest, BatchNormWithScaleAndReLUIsTheSameTrainingNet) {
  const string norm = PlainLayer("BatchNorm", "c", "c");
  const string scale = PlainLayer("Scale", "c", "c"),
               first = Input() + ConvLayer("c", "data",
                                           "num_output: 20 kernel_size: 3 pad: 1 bias_term: false");
  const string stored =
      PlainLayer("BatchNorm", "c", "c", "batch_norm_param { use_global_stats: true }");
  const string apart =
      PlainLayer("BatchNorm", "c", "d") + PlainLayer("Scale", "d", "d") + ReLU("d");
  for (const string& layers :
       {norm + scale + ReLU("c"), norm + scale, norm + ReLU("c"), apart, stored + scale + ReLU("c"),
        Normed(kConvolutions[1], "relu_param { negative_slope: 0.2 }")}) {
    FusePair pair(layers.find("Convolution") == string::npos ? first + layers : Input() + layers);
    EXPECT_EQ(static_cast<int>(pair.fast->absorbed(2).size()), pair.fast->num_layers() - 3);
    for (const vector<int>& shape : vector<vector<int>>{{2, 3, 24, 21}, {1, 3, 30, 19}}) {
      pair.Reshape(shape);
      pair.Fill(3);
      pair.ExpectForward(layers);
      pair.ExpectBackward(layers);
      pair.ExpectForward(layers + ", once more");  // with the statistics of two batches
      pair.ExpectBackward(layers + ", once more");
      for (int blob = 0; blob < 3; ++blob) {
        ExpectClose(Values(*pair.plain->layers()[2]->blobs()[blob]),
                    Values(*pair.fast->layers()[2]->blobs()[blob]), layers + ": statistics");
      }
    }
  }
}

TEST(OnednnFuseTest, BackwardOfAFusedBatchNormMayRunLayerByLayer) {
  FusePair pair(Input() + Normed(kConvolutions[1]));
  pair.ExpectForward("fused");
  EXPECT_EQ(pair.fast->absorbed(2), (vector<int>{3, 4}));
  const vector<float> diff = RandomValues<float>(pair.fast->blob_by_name("c")->count(), 5);
  SetGradients(diff, pair.fast->blob_by_name("c").get());
  SetGradients(AsDoubles(diff), pair.plain->blob_by_name("c").get());
  for (int layer = 4; layer >= 1; --layer) {
    pair.fast->BackwardFromTo(layer, layer);
    pair.plain->BackwardFromTo(layer, layer);
    ExpectClose(Gradients(*pair.plain->blob_by_name("c")), Gradients(*pair.fast->blob_by_name("c")),
                "after layer " + std::to_string(layer));
  }
  // What Scale left may be changed before BatchNorm reads it.
  pair.ExpectForward("fused");
  SetGradients(diff, pair.fast->blob_by_name("c").get());
  SetGradients(AsDoubles(diff), pair.plain->blob_by_name("c").get());
  pair.fast->BackwardFromTo(4, 3);
  pair.plain->BackwardFromTo(4, 3);
  pair.fast->blob_by_name("c")->scale_diff(-2);
  pair.fast->blob_by_name("c")->mutable_cpu_diff()[5] = 40;
  pair.plain->blob_by_name("c")->scale_diff(-2);
  pair.plain->blob_by_name("c")->mutable_cpu_diff()[5] = 40;
  pair.fast->BackwardFromTo(2, 1);
  pair.plain->BackwardFromTo(2, 1);
  ExpectClose(Gradients(*pair.plain->blob_by_name("c")), Gradients(*pair.fast->blob_by_name("c")),
              "of a changed gradient");
  // Unfused after fused, and the other way round: nothing of the other run is left.
  for (int run = 0; run < 2; ++run) {
    for (int i = 0; i < pair.fast->num_layers(); ++i) pair.fast->ForwardFromTo(i, i);
    pair.plain->Forward();
    pair.ExpectBackward("unfused");
    pair.Fill(11);
    pair.ExpectForward("fused again");
    pair.ExpectBackward("fused again");
  }
}

TEST(OnednnFuseTest, AVarianceBelowZeroIsStillBatchNormsError) {
  FusePair pair(Input() + Normed(kConvolutions[0]), TEST);
  pair.fast->Forward();
  pair.fast->layers()[2]->blobs()[1]->mutable_cpu_data()[0] = -1;
  EXPECT_CAFFE_ERROR(pair.fast->Forward(), "c_BatchNorm (BatchNorm)");
}

TEST(OnednnFuseTest, ATestNetComputesGradientsAllTheSame) {
  for (const string conv : kConvolutions) {
    FusePair pair(Input() + Normed(conv), TEST);
    pair.ExpectForward(conv);
    pair.ExpectBackward(conv);
    pair.Fill(9);
    pair.ExpectForward(conv + " again");
    pair.ExpectBackward(conv + " again");
  }
}

TEST(OnednnFuseTest, WithoutAPlanNothingIsFused) {
  FusePair pair(Input("dim: 0 dim: 3 dim: 24 dim: 21") + Normed(kConvolutions[0]), TEST);
  EXPECT_FALSE(pair.Fuses());
  pair.fast->Forward();
  FusePair volume(Input("dim: 2 dim: 3 dim: 5 dim: 6 dim: 7") +
                  ConvLayer("c", "data", "num_output: 4 kernel_size: 3") + ReLU("c"));
  volume.ExpectForward("three spatial axes");
  volume.ExpectBackward("three spatial axes");
}

namespace {

float FromBf16(uint16_t bits) {
  const uint32_t wide = uint32_t{bits} << 16;
  float value;
  std::memcpy(&value, &wide, sizeof(value));
  return value;
}

/** Makes the backend the only holder of these 65536 numbers of 16 bits. */
void SetBf16(const vector<uint16_t>& bits, SyncedMemory* values) {
  const auto memory = std::make_shared<onednn::OnednnMemory>(onednn::Layout(
      {1, 16, 64, 64}, onednn::ElementType::bf16, dnnl::memory::format_tag::nChw16c));
  std::copy(bits.begin(), bits.end(), static_cast<uint16_t*>(memory->memory().get_data_handle()));
  values->set_backend_data(memory);
}

const uint16_t* Bf16Of(const SyncedMemory& values) {
  const onednn::OnednnMemory* copy = onednn::BackendCopy(values, {1, 16, 64, 64});
  CHECK(copy != nullptr && onednn::TypeOf(copy->layout()) == onednn::ElementType::bf16)
      << "expected values of bf16 in the backend";
  return static_cast<const uint16_t*>(copy->memory().get_data_handle());
}

}  // namespace

TEST(OnednnFuseTest, ReLUOfEveryBf16) {
  vector<uint16_t> all(65536), diffs(65536);
  for (int i = 0; i < 65536; ++i) {
    all[i] = static_cast<uint16_t>(i);
    diffs[i] = static_cast<uint16_t>(i * 40503);  // odd: each of them once
  }
  for (const bool in_place : {false, true}) {
    LayerRun<float> run("type: 'ReLU'", {{1, 16, 64, 64}});
    if (in_place) run.InPlace();
    run.SetUp();
    SetBf16(all, run.bottom[0]->data().get());
    run.layer->Forward(run.bottom, run.top);
    const uint16_t* y = Bf16Of(*run.top[0]->data());
    for (int i = 0; i < 65536; ++i) {
      ASSERT_EQ(y[i], FromBf16(all[i]) < 0 ? 0 : all[i]) << "of the bits " << i;
    }
    SetBf16(diffs, run.top[0]->diff().get());
    run.layer->Backward(run.top, {true}, run.bottom);
    const uint16_t* dx = Bf16Of(*run.bottom[0]->diff());
    for (int i = 0; i < 65536; ++i) {
      const float x = FromBf16(all[i]), dy = FromBf16(diffs[i]);
      ASSERT_EQ(dx[i], x > 0 || !std::isfinite(dy) ? diffs[i] : 0) << "of the bits " << i;
    }
  }
}

TEST(OnednnFuseTest, InBf16ItIsTheSameNet) {
  for (const string conv : kConvolutions) {
    for (const string& relu : vector<string>{"", "relu_param { negative_slope: 0.1 }"}) {
      FusePair folded("precision: BF16 " + Input() + Normed(conv, relu), TEST);
      // Inputs, weights and results are rounded to 8 bits (4e-3) each.
      folded.tolerance = 2e-2;
      folded.ExpectForward(conv + relu);
      FusePair pair("precision: BF16 " + Input() + ConvLayer("c", "data", conv) + ReLU("c", relu));
      pair.tolerance = 2e-2;
      pair.ExpectForward(conv + relu);
      // Against itself: a double has another sign than a bf16 where a sum is nearly 0.
      vector<vector<float>> gradients;
      for (const bool fused : {true, false}) {
        if (fused) {
          pair.fast->Forward();
        } else {
          for (int i = 0; i < pair.fast->num_layers(); ++i) pair.fast->ForwardFromTo(i, i);
        }
        Blob<float>* top = pair.fast->blob_by_name("c").get();
        SetGradients(RandomValues<float>(top->count(), 77), top);
        pair.fast->ClearParamDiffs();
        pair.fast->Backward();
        gradients.push_back(Gradients(*pair.fast->blob_by_name("data")));
        gradients.push_back(Gradients(*pair.fast->params()[0]));
      }
      ExpectClose(AsDoubles(gradients[2]), gradients[0], conv + relu + ": data", 1e-2);
      ExpectClose(AsDoubles(gradients[3]), gradients[1], conv + relu + ": weights", 1e-2);
    }
  }
}

TEST(OnednnFuseTest, AllFiniteLooksAtEveryElement) {
  for (const int n : {0, 1, 7, 33, 40000}) {
    vector<float> values = RandomValues<float>(n, 3, -1e38F, 1e38F);
    EXPECT_TRUE(onednn::AllFinite(n, values.data()));
    for (int i = 0; i < n; i += 1 + n / 50) {
      for (const float bad : {kNaN, -kNaN, std::numeric_limits<float>::infinity(),
                              -std::numeric_limits<float>::infinity()}) {
        const float before = values[i];
        values[i] = bad;
        EXPECT_FALSE(onednn::AllFinite(n, values.data())) << i << " of " << n;
        values[i] = before;
      }
    }
  }
}

}  // namespace caffe
