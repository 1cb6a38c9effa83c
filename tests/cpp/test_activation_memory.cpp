#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "caffe/core/activation_memory.hpp"
#include "caffe/test/test_caffe_main.hpp"

namespace caffe {
namespace {

string Layer(const string& name, const string& type, const string& blobs, const string& rest = "") {
  return "layer { name: '" + name + "' type: '" + type + "' " + blobs + " " + rest + " }";
}

string Conv(const string& name, const string& bottom) {
  return Layer(name, "Convolution", "bottom: '" + bottom + "' top: '" + name + "'",
               "param { name: 'w_" + name.substr(0, 1) +
                   "' } convolution_param { num_output: 4 kernel_size: 3 pad: 1 "
                   "bias_term: false weight_filler { type: 'xavier' } }");
}

/**
 * In place, split, flattened, added, with parameters shared (b1, b2), a blob whose gradient nobody
 * asks for and one of priors, made once: all that may share memory or outlive a pass.
 */
string Body() {
  return Conv("a1", "data") + Layer("r1", "ReLU", "bottom: 'a1' top: 'a1'") + Conv("b1", "a1") +
         Conv("b2", "b1") + Layer("r2", "ReLU", "bottom: 'b2' top: 'b2'") +
         Layer("sum", "Eltwise", "bottom: 'b1' bottom: 'b2' top: 'sum'") +
         Layer("pool", "Pooling", "bottom: 'sum' top: 'pool'",
               "pooling_param { pool: MAX kernel_size: 2 stride: 2 }") +
         Layer("priors", "PriorBox", "bottom: 'pool' bottom: 'data' top: 'priors'",
               "prior_box_param { min_size: 4 }") +
         Layer("flat", "Flatten", "bottom: 'pool' top: 'flat'") +
         Layer("out", "InnerProduct", "bottom: 'flat' top: 'out'",
               "inner_product_param { num_output: 3 weight_filler { type: 'xavier' } }");
}

NetParameter Parse(const string& text) {
  NetParameter param;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &param)) << text;
  return param;
}

string Input(const string& name, const string& dims) {
  return Layer(name, "Input", "top: '" + name + "'", "input_param { shape { " + dims + " } }");
}

template <typename Dtype>
std::unique_ptr<Net<Dtype>> MakeNet(Phase phase) {
  Caffe::set_random_seed(4);
  string text = Input("data", "dim: 2 dim: 4 dim: 64 dim: 48") + Body();
  if (phase == TRAIN) {
    text += Input("target", "dim: 2 dim: 3") +
            Layer("loss", "EuclideanLoss", "bottom: 'out' bottom: 'target' top: 'loss'");
  }
  NetParameter param = Parse(text);
  param.mutable_state()->set_phase(phase);
  return std::make_unique<Net<Dtype>>(param);
}

template <typename Dtype>
void Fill(int seed, Net<Dtype>* net) {
  Caffe::set_random_seed(seed);
  for (Blob<Dtype>* blob : net->input_blobs()) {
    caffe_rng_gaussian(blob->count(), Dtype(0), Dtype(1), blob->mutable_cpu_data());
  }
}

template <typename Dtype>
vector<Dtype> Values(const Blob<Dtype>& blob, bool diff = false) {
  const Dtype* values = diff ? blob.cpu_diff() : blob.cpu_data();
  return vector<Dtype>(values, values + blob.count());
}

/** The loss and the gradients of all parameters of some iterations, of two passes each. */
template <typename Dtype>
vector<vector<Dtype>> Train(Net<Dtype>* net) {
  vector<vector<Dtype>> results;
  for (int iteration = 0; iteration < 3; ++iteration) {
    net->ClearParamDiffs();
    for (int pass = 0; pass < 2; ++pass) {
      Fill(10 * iteration + pass, net);
      results.push_back({net->ForwardBackward()});
    }
    for (const Blob<Dtype>* param : net->learnable_params()) {
      results.push_back(Values(*param, true));
    }
    for (Blob<Dtype>* param : net->learnable_params()) param->scale_diff(Dtype(0.01));
    net->Update();
  }
  return results;
}

const char kGone[] = "given back";

template <typename Dtype>
class ActivationMemoryTest : public ::testing::Test {};
TYPED_TEST_SUITE(ActivationMemoryTest, TestDtypes);

TYPED_TEST(ActivationMemoryTest, TrainingGivesTheSameBits) {
  const auto plain = MakeNet<TypeParam>(TRAIN), saving = MakeNet<TypeParam>(TRAIN);
  saving->set_release_memory(true);
  EXPECT_EQ(Train(plain.get()), Train(saving.get()));
}

TYPED_TEST(ActivationMemoryTest, TestingGivesTheSameBits) {
  const auto plain = MakeNet<TypeParam>(TEST), saving = MakeNet<TypeParam>(TEST);
  saving->set_release_memory(true);
  for (int batch = 0; batch < 3; ++batch) {
    Fill(batch, plain.get());
    Fill(batch, saving.get());
    plain->Forward();
    saving->Forward();
    EXPECT_EQ(Values(*plain->blob_by_name("out")), Values(*saving->blob_by_name("out")));
    EXPECT_EQ(Values(*plain->blob_by_name("priors")), Values(*saving->blob_by_name("priors")));
  }
}

TEST(ActivationMemory, ReadingWhatWasGivenBackIsAnError) {
  const auto net = MakeNet<double>(TRAIN);
  net->set_release_memory(true);
  EXPECT_TRUE(net->release_memory());
  Fill(1, net.get());
  net->Forward();
  for (const char* name : {"a1", "sum", "flat", "out"}) net->blob_by_name(name)->cpu_data();
  net->Backward();
  for (const char* name : {"a1", "b1", "b2", "sum", "pool", "flat", "out"}) {
    const Blob<double>& blob = *net->blob_by_name(name);
    EXPECT_CAFFE_ERROR(blob.cpu_data(), kGone);
    EXPECT_CAFFE_ERROR(blob.asum_data(), kGone);
    EXPECT_CAFFE_ERROR(blob.cpu_diff(), kGone);
    EXPECT_CAFFE_ERROR(blob.asum_diff(), kGone);
  }
  for (const char* name : {"data", "target", "loss", "priors"}) {
    net->blob_by_name(name)->cpu_data();
    net->blob_by_name(name)->cpu_diff();
  }
  EXPECT_CAFFE_ERROR(net->Backward(), kGone);
  EXPECT_EQ(net->FirstNonFinite(), "");
}

TEST(ActivationMemory, ATestNetGivesBackWhatNoLaterLayerReads) {
  const auto net = MakeNet<double>(TEST);
  net->set_release_memory(true, {"sum"});
  Fill(1, net.get());
  net->Forward();
  for (const char* name : {"a1", "b1", "b2", "pool", "flat"}) {
    EXPECT_CAFFE_ERROR(net->blob_by_name(name)->cpu_data(), kGone);
  }
  for (const char* name : {"data", "sum", "priors", "out"}) net->blob_by_name(name)->cpu_data();
}

TEST(ActivationMemory, BlobsToBeKeptAreAndMustExist) {
  const auto plain = MakeNet<double>(TRAIN), saving = MakeNet<double>(TRAIN);
  saving->set_release_memory(true, {"b1", "flat"});
  for (Net<double>* net : {plain.get(), saving.get()}) {
    Fill(1, net);
    net->ForwardBackward();
  }
  for (const char* name : {"b1", "flat"}) {
    for (const bool diff : {false, true}) {
      EXPECT_EQ(Values(*plain->blob_by_name(name), diff),
                Values(*saving->blob_by_name(name), diff));
    }
  }
  EXPECT_EQ(Values(*plain->blob_by_name("pool")), Values(*saving->blob_by_name("pool")))
      << "flat shows these values";
  EXPECT_CAFFE_ERROR(saving->blob_by_name("sum")->cpu_data(), kGone);
  EXPECT_CAFFE_ERROR(saving->set_release_memory(true, {"b3"}), "no blob \"b3\"");
}

TEST(ActivationMemory, WhatAnArrayShowsIsKept) {
  const auto net = MakeNet<double>(TRAIN);
  net->set_release_memory(true);
  Fill(1, net.get());
  net->Forward();
  const auto memory = net->blob_by_name("sum")->data();
  memory->PinHost();
  const vector<double> before = Values(*net->blob_by_name("sum"));
  net->Backward();
  EXPECT_EQ(Values(*net->blob_by_name("sum")), before);
  memory->UnpinHost();
  net->ForwardBackward();
  EXPECT_CAFFE_ERROR(net->blob_by_name("sum")->cpu_data(), kGone);
}

TEST(ActivationMemory, SwitchedOffAllValuesAreThereAgain) {
  const auto plain = MakeNet<double>(TRAIN), saving = MakeNet<double>(TRAIN);
  saving->set_release_memory(true);
  Fill(1, saving.get());
  saving->ForwardBackward();
  saving->set_release_memory(false);
  EXPECT_FALSE(saving->release_memory());
  EXPECT_CAFFE_ERROR(saving->blob_by_name("sum")->cpu_data(), kGone);
  for (Net<double>* net : {plain.get(), saving.get()}) {
    Fill(2, net);
    net->ForwardBackward();
  }
  for (size_t i = 0; i < plain->blobs().size(); ++i) {
    EXPECT_EQ(Values(*plain->blobs()[i]), Values(*saving->blobs()[i])) << plain->blob_names()[i];
    EXPECT_EQ(Values(*plain->blobs()[i], true), Values(*saving->blobs()[i], true));
  }
}

/** Reads, after each layer, all that it may have read or written. */
class Reader : public Net<double>::Callback {
 public:
  Reader(Net<double>* net, bool backward) : net_(net), backward_(backward) {}
  vector<double> sums;

 protected:
  void run(int layer) override {
    for (const Blob<double>* top : net_->top_vecs()[layer]) {
      sums.push_back(backward_ ? top->asum_diff() : top->asum_data());
    }
    for (size_t i = 0; backward_ && i < net_->bottom_vecs()[layer].size(); ++i) {
      if (net_->bottom_need_backward()[layer][i]) {
        sums.push_back(net_->bottom_vecs()[layer][i]->asum_diff());
      }
    }
  }

 private:
  Net<double>* net_;
  bool backward_;
};

TEST(ActivationMemory, CallbacksAndDebugInfoSeeTheLayersValues) {
  vector<vector<double>> sums;
  for (const bool release : {false, true}) {
    const auto net = MakeNet<double>(TRAIN);
    net->set_release_memory(release);
    net->set_debug_info(true);
    Reader forward(net.get(), false), backward(net.get(), true);
    net->add_after_forward(&forward);
    net->add_after_backward(&backward);
    for (int pass = 0; pass < 2; ++pass) {
      Fill(pass, net.get());
      net->ForwardBackward();
    }
    sums.push_back(forward.sums);
    sums.push_back(backward.sums);
  }
  EXPECT_EQ(sums[0], sums[2]);
  EXPECT_EQ(sums[1], sums[3]);
}

TEST(ActivationMemory, ASteadyStepTakesNoMoreMemoryAndLessThanAllBlobs) {
  const auto net = MakeNet<double>(TRAIN);
  const auto pool = MemoryPool::Make();
  net->set_release_memory(true, {}, pool);
  Fill(1, net.get());
  net->ForwardBackward();
  const size_t extent = pool->extent();
  EXPECT_GT(extent, 0U);
  EXPECT_EQ(pool->used(), 0U);
  for (int pass = 0; pass < 3; ++pass) net->ForwardBackward();
  EXPECT_EQ(pool->extent(), extent);
  size_t all = 0;
  for (const auto& blob : net->blobs()) all += 2 * blob->count() * sizeof(double);
  EXPECT_LT(extent, all / 2);
}

TEST(ActivationMemory, BlobsMayGrowAndShrink) {
  const auto plain = MakeNet<double>(TEST), saving = MakeNet<double>(TEST);
  saving->set_release_memory(true);
  for (const int batch : {2, 5, 1, 5}) {
    for (Net<double>* net : {plain.get(), saving.get()}) {
      net->input_blobs()[0]->Reshape({batch, 4, 64, 48});
      net->Reshape();
      Fill(batch, net);
      net->Forward();
    }
    EXPECT_EQ(Values(*plain->blob_by_name("out")), Values(*saving->blob_by_name("out")));
  }
}

}  // namespace
}  // namespace caffe
