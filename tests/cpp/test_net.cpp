#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <string>

#include "caffe/net.hpp"
#include "caffe/test/test_caffe_main.hpp"

namespace caffe {
namespace {

NetParameter Parse(const string& text) {
  NetParameter param;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &param)) << text;
  return param;
}

const char kInputs[] =
    "layer { name: 'data' type: 'Input' top: 'data' top: 'target'"
    "  input_param { shape { dim: 3 dim: 4 } shape { dim: 3 dim: 2 } } }";

string InnerProduct(const string& name, const string& bottom, int num_output,
                    const string& extra = "") {
  return "layer { name: '" + name + "' type: 'InnerProduct' bottom: '" + bottom + "' top: '" +
         name + "' inner_product_param { num_output: " + std::to_string(num_output) +
         " weight_filler { type: 'gaussian' } bias_filler { type: 'gaussian' } } " + extra + " }";
}

string Loss(const string& bottom, const string& extra = "") {
  return "layer { name: 'loss' type: 'EuclideanLoss' bottom: '" + bottom +
         "' bottom: 'target' top: 'loss' " + extra + " }";
}

void FillInputs(Net<double>* net) {
  Caffe::set_random_seed(5);
  for (Blob<double>* blob : net->input_blobs()) {
    caffe_rng_gaussian(blob->count(), 0., 1., blob->mutable_cpu_data());
  }
}

TEST(NetTest, FiltersLayersByPhaseLevelAndStage) {
  const string rules[] = {"include { phase: TRAIN }", "exclude { phase: TEST }",
                          "include { min_level: 2 }", "include { stage: 'a' not_stage: 'b' }",
                          "include { phase: TEST } include { stage: 'a' }"};
  const bool expected[] = {false, false, true, true, true};
  for (int i = 0; i < 5; ++i) {
    NetParameter filtered;
    Net<double>::FilterNet(
        Parse("state { phase: TEST level: 3 stage: 'a' } layer { name: 'x' " + rules[i] + " }"),
        &filtered);
    EXPECT_EQ(filtered.layer_size() == 1, expected[i]) << rules[i];
  }
  NetParameter filtered;
  EXPECT_CAFFE_ERROR(
      Net<double>::FilterNet(
          Parse("layer { name: 'x' include { phase: TEST } exclude { phase: TRAIN } }"), &filtered),
      "has include and exclude rules");
}

TEST(NetTest, SplitsBlobsWithSeveralReadersAndSumsTheirGradients) {
  const string once = InnerProduct("a", "data", 2) + Loss("a");
  const string twice = InnerProduct("a", "data", 2) + Loss("a") +
                       "layer { name: 'loss2' type: 'EuclideanLoss' bottom: 'a' bottom: 'target'"
                       "  top: 'loss2' loss_weight: 2 }";
  Caffe::set_random_seed(1);
  Net<double> one(Parse(kInputs + once));
  Net<double> two(Parse(kInputs + twice));
  two.ShareTrainedLayersWith(&one);
  EXPECT_TRUE(two.has_layer("a_a_0_split"));
  EXPECT_TRUE(two.has_blob("a_a_0_split_1"));
  EXPECT_TRUE(two.has_layer("target_data_1_split"));
  FillInputs(&one);
  FillInputs(&two);
  one.ClearParamDiffs();
  two.ClearParamDiffs();
  const double loss_one = one.ForwardBackward();
  const double loss_two = two.ForwardBackward();
  // Sums of a few products in double: rounding only.
  EXPECT_NEAR(loss_two, 3 * loss_one, 1e-12 * loss_one);
  for (size_t i = 0; i < one.learnable_params().size(); ++i) {
    const Blob<double>& a = *one.learnable_params()[i];
    const Blob<double>& b = *two.learnable_params()[i];
    for (int j = 0; j < a.count(); ++j) EXPECT_NEAR(b.cpu_diff()[j], 3 * a.cpu_diff()[j], 1e-12);
  }
}

TEST(NetTest, SharedParametersAreOneAndTheirGradientsAdd) {
  const string spec = "param { name: 'w' } param { name: 'b' }";
  Net<double> net(Parse(
      string(kInputs) + InnerProduct("a", "data", 2, spec) + InnerProduct("b", "data", 2, spec) +
      "layer { name: 'sum' type: 'Eltwise' bottom: 'a' bottom: 'b' top: 's' }" + Loss("s")));
  EXPECT_EQ(net.params().size(), 4u);
  EXPECT_EQ(net.learnable_params().size(), 2u);
  EXPECT_EQ(net.layers()[net.layer_names().size() - 3]->blobs()[0]->cpu_data(),
            net.learnable_params()[0]->cpu_data());
  FillInputs(&net);
  net.ClearParamDiffs();
  net.ForwardBackward();
  const Blob<double>& weights = *net.learnable_params()[0];
  const vector<double> gradient(weights.cpu_diff(), weights.cpu_diff() + weights.count());
  // Central differences of the shared weight: h² · third derivative is 0 for a quadratic loss.
  for (int i = 0; i < weights.count(); ++i) {
    double* value = net.learnable_params()[0]->mutable_cpu_data() + i;
    *value += 1e-3;
    const double above = net.ForwardFromTo(0, net.num_layers() - 1);
    *value -= 2e-3;
    const double below = net.ForwardFromTo(0, net.num_layers() - 1);
    *value += 1e-3;
    EXPECT_NEAR(gradient[i], (above - below) / 2e-3, 1e-9);
  }
}

TEST(NetTest, SharingErrorsNameBothLayers) {
  const string spec = "param { name: 'w' lr_mult: 1 }";
  EXPECT_CAFFE_ERROR(Net<double>(Parse(string(kInputs) + InnerProduct("a", "data", 2, spec) +
                                       InnerProduct("b", "data", 3, spec))),
                     "b (InnerProduct): shares the parameter \"w\" with layer \"a\", whose shape "
                     "is 2 4 (8), not 3 4 (12)");
  EXPECT_CAFFE_ERROR(
      Net<double>(Parse(string(kInputs) + InnerProduct("a", "data", 2, spec) +
                        InnerProduct("b", "data", 2, "param { name: 'w' lr_mult: 2 }"))),
      "lr_mult 2 differs from the 1");
}

TEST(NetTest, GradientsStopWhereNobodyLearns) {
  const string frozen = "param { lr_mult: 0 } param { lr_mult: 0 }";
  const string body = InnerProduct("a", "data", 3, frozen) + InnerProduct("b", "a", 2) + Loss("b");
  Net<double> net(Parse(kInputs + body));
  EXPECT_FALSE(net.layer_need_backward()[1]);
  EXPECT_TRUE(net.layer_need_backward()[2]);
  EXPECT_FALSE(net.bottom_need_backward()[2][0]);
  Net<double> forced(Parse("force_backward: true " + (kInputs + body)));
  EXPECT_TRUE(forced.layer_need_backward()[1]);
  EXPECT_TRUE(forced.bottom_need_backward()[1][0]);
}

TEST(NetTest, PropagateDownAndLossWeightAreHonoured) {
  const string body = InnerProduct("a", "data", 3) +
                      InnerProduct("b", "a", 2, "propagate_down: false") +
                      Loss("b", "loss_weight: 0.5");
  Net<double> net(Parse(kInputs + body));
  EXPECT_FALSE(net.layer_need_backward()[1]);
  FillInputs(&net);
  double loss = 0;
  net.Forward(&loss);
  EXPECT_DOUBLE_EQ(loss, 0.5 * net.blob_by_name("loss")->cpu_data()[0]);
}

TEST(NetTest, LearnableParametersLieTogetherInOneBuffer) {
  const string body = InnerProduct("a", "data", 3) + InnerProduct("b", "a", 2) + Loss("b");
  Net<double> net(Parse("state { phase: TRAIN } " + (kInputs + body)));
  const auto* data = static_cast<const char*>(net.param_data()->cpu_data());
  const auto* diff = static_cast<const char*>(net.param_diff()->cpu_data());
  size_t offset = 0;
  for (const Blob<double>* param : net.learnable_params()) {
    EXPECT_EQ(reinterpret_cast<const char*>(param->cpu_data()), data + offset);
    EXPECT_EQ(reinterpret_cast<const char*>(param->cpu_diff()), diff + offset);
    offset += (param->count() * sizeof(double) + 63) / 64 * 64;
  }
  EXPECT_EQ(net.param_data()->size(), offset);
}

TEST(NetTest, ClearedGradientsAreZeroHoweverTheyAreRead) {
  const string body = InnerProduct("a", "data", 2) + Loss("a");
  Net<double> net(Parse("state { phase: TRAIN } " + (kInputs + body)));
  FillInputs(&net);
  const auto sum = [&net] {
    const auto* diff = static_cast<const double*>(net.param_diff()->cpu_data());
    return std::accumulate(diff, diff + net.param_diff()->size() / sizeof(double), 0.0,
                           [](double total, double value) { return total + std::fabs(value); });
  };
  net.ForwardBackward();
  const double once = sum();
  EXPECT_GT(once, 0);
  net.ClearParamDiffs();
  EXPECT_EQ(net.params()[0]->asum_diff(), 0);
  EXPECT_EQ(sum(), 0) << "in the buffer of all";
  net.ForwardBackward();
  net.ClearParamDiffs();
  net.ForwardBackward();
  EXPECT_EQ(sum(), once) << "nothing of the pass before is left";
}

TEST(NetTest, RunsAgainAfterItsInputsChangeShape) {
  Net<double> net(Parse(string(kInputs) + InnerProduct("a", "data", 2) + Loss("a")));
  net.input_blobs()[0]->Reshape({7, 4});
  net.input_blobs()[1]->Reshape({7, 2});
  net.Reshape();
  EXPECT_EQ(net.blob_by_name("a")->shape(), (vector<int>{7, 2}));
  net.input_blobs()[0]->Reshape({7, 5});
  EXPECT_CAFFE_ERROR(net.Reshape(), "a (InnerProduct): ");
}

TEST(NetTest, ErrorsOfConstructionNameTheLayerAndTheNearestNames) {
  EXPECT_CAFFE_ERROR(
      Net<double>(Parse("layer { name: 'x' type: 'InerProduct' }")),
      "x: unknown layer type \"InerProduct\"; the nearest known types are InnerProduct");
  EXPECT_CAFFE_ERROR(Net<double>(Parse(string(kInputs) + InnerProduct("a", "dota", 2))),
                     "a (InnerProduct): bottom blob \"dota\" is not the top of an earlier layer; "
                     "the nearest are data");
  EXPECT_CAFFE_ERROR(
      Net<double>(
          Parse(string(kInputs) + InnerProduct("a", "data", 2) +
                "layer { name: 'b' type: 'Input' top: 'a' input_param { shape { dim: 1 } } }")),
      "b (Input): top blob \"a\" is already made by layer \"a\"");
  EXPECT_CAFFE_ERROR(Net<double>(Parse(string(kInputs) + InnerProduct("a", "data", 2) +
                                       InnerProduct("a", "a", 2))),
                     "two layers are called \"a\"");
  EXPECT_CAFFE_ERROR(Net<double>(Parse(string(kInputs) +
                                       InnerProduct("a", "data", 2, "param {} param {} param {}"))),
                     "a (InnerProduct): has 2 parameter blob(s), but 3 param entries");
  EXPECT_CAFFE_ERROR(Net<double>(Parse(string(kInputs) + Loss("data", "propagate_down: true"))),
                     "propagate_down must be given for every bottom or for none: 1 for 2");
}

TEST(NetTest, CopiesWeightsByNameAndReports) {
  Net<double> source(Parse(string(kInputs) + InnerProduct("a", "data", 3) +
                           InnerProduct("head", "a", 5) + InnerProduct("old", "a", 2)));
  NetParameter weights;
  source.ToProto(&weights);
  Net<double> target(Parse(string(kInputs) + InnerProduct("a", "data", 3) +
                           InnerProduct("head", "a", 2) + InnerProduct("new", "a", 2)));
  const double before = target.layer_by_name("a")->blobs()[0]->cpu_data()[0];
  EXPECT_CAFFE_ERROR(target.CopyTrainedLayersFrom(weights), "head[0]: net 2 3 (6), file 5 3 (15)");
  EXPECT_EQ(target.layer_by_name("a")->blobs()[0]->cpu_data()[0], before) << "nothing was copied";
  const WeightsReport report = target.CopyTrainedLayersFrom(weights, true);
  EXPECT_EQ(report.loaded, vector<string>{"a"});
  EXPECT_EQ(report.skipped, vector<string>{"old"});
  EXPECT_EQ(report.missing, vector<string>{"new"});
  EXPECT_EQ(report.mismatched.size(), 1u);
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(target.layer_by_name("a")->blobs()[0]->cpu_data()[i],
              source.layer_by_name("a")->blobs()[0]->cpu_data()[i]);
  }
}

TEST(NetTest, MadeWithWeightsFillsOnlyWhatTheyLack) {
  const string layers = string(kInputs) + InnerProduct("a", "data", 3);
  Net<double> source(Parse(layers));
  NetParameter weights;
  source.ToProto(&weights);
  double after_seed[2], after_net[2];
  Caffe::set_random_seed(7);
  caffe_rng_gaussian(2, 0., 1., after_seed);
  Caffe::set_random_seed(7);
  WeightsReport report;
  Net<double> net(Parse(layers), weights, &report);
  caffe_rng_gaussian(2, 0., 1., after_net);
  EXPECT_EQ(after_net[0], after_seed[0]) << "a filler ran";
  EXPECT_EQ(report.loaded, vector<string>{"a"});
  for (int i = 0; i < 2; ++i) {
    const Blob<double>&expected = *source.params()[i], &copied = *net.params()[i];
    for (int j = 0; j < expected.count(); ++j) {
      EXPECT_EQ(copied.cpu_data()[j], expected.cpu_data()[j]);
    }
  }
  Net<double> larger(Parse(layers + InnerProduct("new", "a", 2)), weights, &report);
  EXPECT_EQ(report.missing, vector<string>{"new"});
  EXPECT_NE(larger.layer_by_name("new")->blobs()[0]->asum_data(), 0);
  EXPECT_CAFFE_ERROR(Net<double>(Parse(string(kInputs) + InnerProduct("a", "data", 4)), weights),
                     "a[0]: net 4 4 (16), file 3 4 (12)");
}

TEST(NetTest, NamesTheFirstBlobThatIsNotFinite) {
  Net<double> net(Parse(string(kInputs) + InnerProduct("a", "data", 3) + InnerProduct("b", "a", 2) +
                        Loss("b")));
  FillInputs(&net);
  net.Forward();
  EXPECT_EQ(net.FirstNonFinite(), "");
  net.layer_by_name("b")->blobs()[0]->mutable_cpu_data()[1] =
      std::numeric_limits<double>::infinity();
  EXPECT_EQ(net.FirstNonFinite(), "parameter 0 of layer b (InnerProduct)");
  net.input_blobs()[0]->mutable_cpu_data()[2] = std::nan("");
  net.Forward();
  EXPECT_EQ(net.FirstNonFinite(), "top blob \"data\" of layer data (Input)");
}

TEST(NetTest, LayersTakeThePrecisionOfTheNetUnlessTheySayTheirs) {
  Net<double> net(Parse("precision: BF16 " + string(kInputs) + InnerProduct("a", "data", 2) +
                        InnerProduct("b", "data", 2, "precision: FP32")));
  EXPECT_EQ(net.layer_by_name("a")->layer_param().precision(), BF16);
  EXPECT_EQ(net.layer_by_name("data_data_0_split")->layer_param().precision(), BF16);
  EXPECT_EQ(net.layer_by_name("b")->layer_param().precision(), FP32);
  NetParameter written;
  net.ToProto(&written);
  for (const LayerParameter& layer : written.layer()) EXPECT_FALSE(layer.has_precision());
}

TEST(NetTest, LayerRangesAreChecked) {
  Net<double> net(Parse(string(kInputs) + InnerProduct("a", "data", 3)));
  EXPECT_CAFFE_ERROR(net.ForwardFromTo(0, 2), "layers 0 to 2 of a net with 2");
  EXPECT_CAFFE_ERROR(net.BackwardFromTo(1, -1), "layers -1 to 1");
}

}  // namespace
}  // namespace caffe
