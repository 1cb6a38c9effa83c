// Max pooling that does the gradient of the ReLU before it in its own: the same numbers, less
// memory, and each by itself where somebody could see a difference.
#include <cmath>
#include <limits>

#include "onednn_net_test_util.hpp"

namespace caffe {

namespace {

const char kGone[] = "given back";
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

string Input(const string& shape) {
  return "layer { name: 'data' type: 'Input' top: 'data' input_param { shape { " + shape +
         " } } }\n";
}

string Pool(const string& fields, const string& bottom = "c", const string& top = "p") {
  return PlainLayer("Pooling", bottom, top, "pooling_param { " + fields + " }");
}

string ReLU(const string& fields = "") {
  return PlainLayer("ReLU", "c", "c", "relu_param { " + fields + " }");
}

const char kConv[] = "num_output: 20 kernel_size: 3 pad: 1";
const char kHalves[] = "kernel_size: 2 stride: 2";

/** Layers: data, 1 convolution c, 2 ReLU, 3 pooling p, 4 convolution d. */
string Chain(const string& pool = kHalves, const string& relu = "", const string& header = "") {
  return header + Input("dim: 2 dim: 3 dim: 14 dim: 11") + ConvLayer("c", "data", kConv) +
         ReLU(relu) + Pool(pool) + ConvLayer("d", "p", "num_output: 6 kernel_size: 3 pad: 1");
}

/** A net that fuses, or does not, since it is watched; filled alike. */
class Watcher : public Net<float>::Callback {
 protected:
  void run(int /*layer*/) override {}
};

shared_ptr<Net<float>> MakeNet(const string& text, Phase phase = TRAIN, unsigned seed = 1) {
  auto net = NetFrom<float>(text, phase);
  FillAlike(NetFrom<double>(text, phase).get(), net.get(), seed);
  return net;
}

void Backward(Net<float>* net, const vector<float>& diff = {}) {
  Blob<float>* top = net->top_vecs().back()[0];
  SetGradients(diff.empty() ? RandomValues<float>(top->count(), 77) : diff, top);
  net->Backward();
}

/** The gradients of all parameters and blobs but those of split ones. */
vector<vector<float>> AllGradients(const Net<float>& net, bool of_blobs = true) {
  vector<vector<float>> found;
  for (const auto& param : net.params()) found.push_back(Gradients(*param));
  for (size_t i = 0; of_blobs && i < net.blobs().size(); ++i) {
    found.push_back(Gradients(*net.blobs()[i]));
  }
  return found;
}

vector<vector<float>> Step(Net<float>* net, bool of_blobs = true) {
  net->ClearParamDiffs();
  net->Forward();
  Backward(net);
  return AllGradients(*net, of_blobs);
}

/** Convolutions in a layout of the backend on every processor. */
class OnednnMaxPoolTest : public ::testing::Test {
 private:
  ScopedEnvironment forced_{"CAFFE_CONV_ALGORITHM", "nhwc"};
};

}  // namespace

TEST_F(OnednnMaxPoolTest, TheFusedBackwardGivesTheSameBits) {
  for (const char* algorithm : {"default", "direct", "nhwc"}) {
    const ScopedEnvironment forced("CAFFE_CONV_ALGORITHM", algorithm);
    for (const string& precision : vector<string>{"", "precision: BF16 "}) {
      for (const char* pool :
           {kHalves, "kernel_size: 3 stride: 1 pad: 1", "kernel_size: 3 stride: 2",
            "kernel_size: 1 stride: 2", "kernel_size: 11 stride: 3 pad: 1",
            "kernel_size: 3 stride: 2 round_mode: FLOOR"}) {
        const string what = precision + algorithm + " " + pool;
        const auto fused = MakeNet(Chain(pool, "", precision));
        const auto apart = MakeNet(Chain(pool, "", precision));
        Watcher watcher;
        apart->add_after_backward(&watcher);
        EXPECT_EQ(fused->absorbed_backward(3), 2) << what;
        for (const vector<int>& shape : vector<vector<int>>{{2, 3, 14, 11}, {1, 3, 19, 16}}) {
          for (Net<float>* net : {fused.get(), apart.get()}) {
            net->blob_by_name("data")->Reshape(shape);
            const Blob<float>& data = *net->blob_by_name("data");
            SetValues(RandomValues<float>(data.count(), 5), net->blob_by_name("data").get());
            net->Forward();
          }
          // Some processors' default is the plain layout.
          const bool on_backend = OnlyOnBackend(*fused->blob_by_name("c")->data());
          EXPECT_EQ(fused->FusesBackward(3), on_backend) << what;
          EXPECT_TRUE(on_backend || string(algorithm) != "nhwc") << what;
          EXPECT_FALSE(apart->FusesBackward(3)) << what;
          EXPECT_EQ(Step(fused.get()), Step(apart.get())) << what;
        }
      }
    }
  }
}

TEST_F(OnednnMaxPoolTest, ItIsTheGradientOfThePlainNet) {
  for (const string& relu : vector<string>{"", "negative_slope: 0.25"}) {
    const string text = Chain("kernel_size: 3 stride: 2", relu);
    const auto plain = NetFrom<double>(text);
    const auto fast = NetFrom<float>(text);
    FillAlike(plain.get(), fast.get(), 3);
    plain->Forward();
    fast->Forward();
    EXPECT_TRUE(fast->FusesBackward(3));
    EXPECT_EQ(plain->absorbed_backward(3), -1);
    Backward(fast.get());
    Blob<double>* top = plain->top_vecs().back()[0];
    SetGradients(AsDoubles(RandomValues<float>(top->count(), 77)), top);
    plain->Backward();
    for (const char* name : {"data", "c", "p"}) {
      ExpectClose(Gradients(*plain->blob_by_name(name)), Gradients(*fast->blob_by_name(name)),
                  relu + " " + name);
    }
  }
}

TEST_F(OnednnMaxPoolTest, OnlyAReLURightBeforeItIsAbsorbed) {
  const auto absorbed = [](const string& text, int pool) {
    return MakeNet(text)->absorbed_backward(pool);
  };
  EXPECT_EQ(absorbed(Chain(), 3), 2);
  EXPECT_EQ(absorbed(Chain("pool: AVE kernel_size: 2"), 3), -1);
  EXPECT_EQ(absorbed(Chain(kHalves, "engine: CAFFE"), 3), -1);
  EXPECT_EQ(absorbed(Chain(kHalves, "negative_slope: -0.5"), 3), -1);
  const string start = Input("dim: 2 dim: 3 dim: 14 dim: 11") + ConvLayer("c", "data", kConv);
  EXPECT_EQ(absorbed(start + Pool(kHalves), 2), -1) << "no ReLU";
  EXPECT_EQ(absorbed(start + ReLU() + Pool(kHalves) + ConvLayer("d", "c", kConv), 4), -1)
      << "another layer reads c";
  EXPECT_EQ(absorbed(start + ReLU() + PlainLayer("TanH", "c", "c") + Pool(kHalves), 4), -1);
  EXPECT_EQ(absorbed(start + PlainLayer("TanH", "c", "c") + ReLU() + Pool(kHalves), 4), 3);
  EXPECT_EQ(absorbed(start + PlainLayer("ReLU", "c", "r") + Pool(kHalves, "r"), 3), -1)
      << "not in place";
}

TEST_F(OnednnMaxPoolTest, WithAMaskOrOfTheHostTheLayersRunByThemselves) {
  const string mask =
      "layer { name: 'p' type: 'Pooling' bottom: 'c' top: 'p' top: 'm' "
      "pooling_param { kernel_size: 2 stride: 2 } }\n";
  const auto masked = MakeNet(Input("dim: 2 dim: 3 dim: 14 dim: 11") +
                              ConvLayer("c", "data", kConv) + ReLU() + mask);
  masked->Forward();
  EXPECT_FALSE(masked->FusesBackward(3));
  const auto host = MakeNet(Chain());
  host->Forward();
  host->blob_by_name("c")->mutable_cpu_data();
  host->ForwardFrom(3);
  EXPECT_FALSE(host->FusesBackward(3));
}

TEST_F(OnednnMaxPoolTest, WhoeverCouldSeeADifferenceSeesNone) {
  const auto net = MakeNet(Chain());
  const auto fuses = [&net] { return net->FusesBackward(3); };
  net->Forward();
  EXPECT_TRUE(fuses());
  net->blob_by_name("c")->cpu_data();
  EXPECT_TRUE(fuses()) << "reading changes nothing";
  net->set_debug_info(true);
  EXPECT_FALSE(fuses());
  net->set_debug_info(false);
  SyncedMemory* memory = net->blob_by_name("c")->data().get();
  memory->PinHost();
  EXPECT_FALSE(fuses()) << "an array's holder may write at any time";
  memory->UnpinHost();
  net->Forward();
  EXPECT_TRUE(fuses());
  // What is written between the passes decides, as in Caffe: nothing is above 0 now.
  SetValues(vector<float>(net->blob_by_name("c")->count(), 0), net->blob_by_name("c").get());
  EXPECT_FALSE(fuses());
  Backward(net.get());
  for (const float gradient : Gradients(*net->blob_by_name("c"))) ASSERT_EQ(gradient, 0);
}

TEST_F(OnednnMaxPoolTest, ARunThatEndsInBetweenLeavesTheGradientBeforeTheReLU) {
  const auto whole = MakeNet(Chain()), parts = MakeNet(Chain());
  const auto expected = Step(whole.get());
  parts->ClearParamDiffs();
  parts->Forward();
  Blob<float>* top = parts->top_vecs().back()[0];
  SetGradients(RandomValues<float>(top->count(), 77), top);
  parts->BackwardFromTo(4, 3);
  EXPECT_NE(Gradients(*parts->blob_by_name("c")), Gradients(*whole->blob_by_name("c")));
  parts->BackwardFromTo(2, 0);
  EXPECT_EQ(AllGradients(*parts), expected);
}

TEST_F(OnednnMaxPoolTest, TheBottomIsGivenBackAtOnce) {
  for (const string& precision : vector<string>{"", "precision: BF16 "}) {
    const auto keeping = MakeNet(Chain(kHalves, "", precision));
    const auto saving = MakeNet(Chain(kHalves, "", precision));
    saving->set_release_memory(true, {"p"});
    for (int pass = 0; pass < 3; ++pass) {
      EXPECT_EQ(Step(keeping.get(), false), Step(saving.get(), false));
      EXPECT_EQ(Gradients(*keeping->blob_by_name("p")), Gradients(*saving->blob_by_name("p")));
    }
    saving->Forward();
    EXPECT_TRUE(saving->FusesBackward(3));
    EXPECT_CAFFE_ERROR(saving->blob_by_name("c")->cpu_data(), kGone);
    EXPECT_EQ(Values(*keeping->blob_by_name("p")), Values(*saving->blob_by_name("p")));
  }
}

TEST_F(OnednnMaxPoolTest, WhatIsWatchedKeptOrHeldIsNotGivenBack) {
  const auto net = MakeNet(Chain());
  const auto expected = Step(net.get(), false);
  const auto check = [&](const string& what) {
    net->ClearParamDiffs();
    net->Forward();
    net->blob_by_name("c")->cpu_data();
    Backward(net.get());
    EXPECT_EQ(AllGradients(*net, false), expected) << what;
  };
  net->set_release_memory(true, {"c"});
  check("kept");
  net->set_release_memory(true);
  net->set_debug_info(true);
  check("debug_info");
  net->set_debug_info(false);
  net->Forward();
  EXPECT_CAFFE_ERROR(net->blob_by_name("c")->cpu_data(), kGone);
  Backward(net.get());
  net->set_release_memory(false);
  net->Forward();
  net->blob_by_name("c")->data()->PinHost();
  net->set_release_memory(true);
  check("an array is held");
  net->blob_by_name("c")->data()->UnpinHost();
}

TEST_F(OnednnMaxPoolTest, ALayerInPlaceOnTheTopChangesNothing) {
  // Not even through another blob that shows the same memory.
  const string text = Chain() + PlainLayer("Flatten", "p", "f");
  const string start = text.substr(0, text.find("layer { name: 'd'"));
  const string end = PlainLayer("Flatten", "p", "f") +
                     PlainLayer("Power", "f", "f", "power_param { scale: -1 shift: -1 }") +
                     "layer { name: 'out' type: 'InnerProduct' bottom: 'f' top: 'out' "
                     "inner_product_param { num_output: 3 } }\n";
  const auto fused = MakeNet(start + end), apart = MakeNet(start + end);
  Watcher watcher;
  apart->add_before_backward(&watcher);
  const auto expected = Step(apart.get(), false);
  EXPECT_EQ(Step(fused.get(), false), expected);
  fused->set_release_memory(true);
  EXPECT_EQ(Step(fused.get(), false), expected);
}

TEST_F(OnednnMaxPoolTest, ATestNetHasABackwardToo) {
  const auto train = MakeNet(Chain()), test = MakeNet(Chain(), TEST);
  EXPECT_EQ(Step(train.get()), Step(test.get()));
}

TEST_F(OnednnMaxPoolTest, NaNsAreTheLargestAndKeepTheirGradients) {
  const string text = Input("dim: 1 dim: 16 dim: 4 dim: 4") + ConvLayer("c", "data", kConv) +
                      ReLU() + Pool(kHalves);
  const auto net = MakeNet(text);
  net->Forward();
  // All that the pooling sees of c, in the backend: a NaN in one window, negatives in another.
  Blob<float>* c = net->blob_by_name("c").get();
  vector<float> values(c->count(), 1);
  values[1] = kNaN;
  values[4] = 5;
  for (const int i : {2, 3, 6, 7}) values[i] = -1;
  SetValues(values, c);
  MoveToBackend(c->shape(), c->data().get());
  net->ForwardFrom(3);
  const vector<float> top = Values(*net->blob_by_name("p"));
  EXPECT_TRUE(std::isnan(top[0]));
  EXPECT_EQ(top[1], -1);
  ASSERT_TRUE(net->FusesBackward(3));
  // A gradient that is not finite is not hidden by a ReLU that passes nothing on.
  vector<float> diff(net->blob_by_name("p")->count(), 2);
  diff[1] = kNaN;
  Backward(net.get(), diff);
  const vector<float> gradient = Gradients(*c);
  EXPECT_EQ(gradient[1], 0) << "as ReLU's plain gradient of a NaN";
  EXPECT_EQ(gradient[4], 0);
  EXPECT_TRUE(std::isnan(gradient[2]));
  EXPECT_EQ(gradient[3], 0);
  EXPECT_EQ(gradient[8], 2) << "the first of equal values";
  EXPECT_EQ(gradient[9], 0);
}

}  // namespace caffe
