// Convolutions whose gradient of the bottom takes that of the ReLU before them along.
#include "caffe/backend/onednn_conv_layer.hpp"
#include "onednn_net_test_util.hpp"

namespace caffe {

namespace {

constexpr int kRelu = 2, kLast = 3;

/** Layers: data, 1 convolution c, 2 ReLU, 3 convolution d. */
string Chain(const string& relu = "", const string& header = "") {
  return header +
         "layer { name: 'data' type: 'Input' top: 'data' input_param { shape { dim: 2 dim: 3 "
         "dim: 14 dim: 11 } } }\n" +
         ConvLayer("c", "data", "num_output: 20 kernel_size: 3 pad: 1") +
         PlainLayer("ReLU", "c", "c", "relu_param { " + relu + " }") +
         ConvLayer("d", "c", "num_output: 18 kernel_size: 3 pad: 1");
}

/** Keeps a net from doing layers in one. */
class Watcher : public Net<float>::Callback {
 protected:
  void run(int /*layer*/) override {}
};

shared_ptr<Net<float>> MakeNet(const string& text) {
  auto net = NetFrom<float>(text);
  FillAlike(NetFrom<double>(text).get(), net.get(), 1);
  return net;
}

/** Gradients of all parameters, and of c, after a step. */
vector<vector<float>> Step(Net<float>* net) {
  net->ClearParamDiffs();
  net->Forward();
  Blob<float>* top = net->top_vecs().back()[0];
  SetGradients(RandomValues<float>(top->count(), 77), top);
  net->Backward();
  vector<vector<float>> found;
  for (const auto& param : net->params()) found.push_back(Gradients(*param));
  return found;
}

bool Masks(const Net<float>& net) {
  auto* layer = dynamic_cast<onednn::OnednnConvolutionLayer*>(net.layers()[kLast].get());
  return layer->plan()->backward_data().masks;
}

}  // namespace

TEST(OnednnConvBackwardTest, TheFusedBackwardGivesTheSameBits) {
  for (const string& precision : vector<string>{"", "precision: BF16 "}) {
    const auto fused = MakeNet(Chain("", precision)), apart = MakeNet(Chain("", precision));
    Watcher watcher;
    apart->add_after_backward(&watcher);
    EXPECT_EQ(fused->absorbed_backward(kLast), kRelu);
    for (const vector<int>& shape : vector<vector<int>>{{2, 3, 14, 11}, {1, 3, 19, 16}}) {
      for (Net<float>* net : {fused.get(), apart.get()}) {
        net->blob_by_name("data")->Reshape(shape);
        const int count = net->blob_by_name("data")->count();
        SetValues(RandomValues<float>(count, 5), net->blob_by_name("data").get());
      }
      const auto expected = Step(apart.get());
      EXPECT_EQ(Step(fused.get()), expected) << precision;
      EXPECT_EQ(fused->FusesBackward(kLast), Masks(*fused)) << precision;
      EXPECT_FALSE(apart->FusesBackward(kLast));
      EXPECT_EQ(Gradients(*fused->blob_by_name("c")), Gradients(*apart->blob_by_name("c")));
    }
  }
}

TEST(OnednnConvBackwardTest, ItIsTheGradientOfThePlainNet) {
  const auto plain = NetFrom<double>(Chain());
  const auto fast = MakeNet(Chain());
  FillAlike(plain.get(), fast.get(), 1);
  const auto gradients = Step(fast.get());
  plain->Forward();
  Blob<double>* top = plain->top_vecs().back()[0];
  SetGradients(AsDoubles(RandomValues<float>(top->count(), 77)), top);
  plain->Backward();
  for (size_t i = 0; i < gradients.size(); ++i) {
    ExpectClose(Gradients(*plain->params()[i]), gradients[i], "parameter " + std::to_string(i));
  }
}

TEST(OnednnConvBackwardTest, ASlopeIsLeftToTheReLU) {
  EXPECT_EQ(MakeNet(Chain("negative_slope: 0.25"))->absorbed_backward(kLast), -1);
  EXPECT_EQ(MakeNet(Chain("engine: CAFFE"))->absorbed_backward(kLast), -1);
}

TEST(OnednnConvBackwardTest, WhatSomebodyWritesToOrHoldsIsLookedAtAgain) {
  const auto net = MakeNet(Chain());
  Step(net.get());
  EXPECT_EQ(net->FusesBackward(kLast), Masks(*net));
  net->blob_by_name("c")->mutable_cpu_data()[3] = 7;
  EXPECT_FALSE(net->FusesBackward(kLast));
  Step(net.get());
  EXPECT_EQ(net->FusesBackward(kLast), Masks(*net));
  net->blob_by_name("c")->data()->PinHost();
  EXPECT_FALSE(net->FusesBackward(kLast));
}

TEST(OnednnConvBackwardTest, NetsThatSaveMemoryKeepWhatItReads) {
  const auto saving = MakeNet(Chain()), keeping = MakeNet(Chain());
  saving->set_release_memory(true);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Step(saving.get()), Step(keeping.get())) << "step " << i;
}

}  // namespace caffe
