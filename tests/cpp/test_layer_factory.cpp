#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "caffe/layer_factory.hpp"
#include "test_util.hpp"

namespace caffe {

namespace {

/** The types of the sample plugin, which is loaded once. */
const vector<string>& SampleTypes() {
  static const vector<string> types = LoadPlugin(CAFFE_SAMPLE_PLUGIN);
  return types;
}

}  // namespace

TEST(LayerFactoryTest, MakesALayerOfEachRegisteredType) {
  const auto layer = LayerRegistry<float>::CreateLayer(LayerFromText("name: 'r' type: 'ReLU'"));
  EXPECT_STREQ(layer->type(), "ReLU");
  EXPECT_EQ(layer->Who(), "r (ReLU)");
  const vector<string> types = LayerRegistry<double>::LayerTypeList();
  EXPECT_TRUE(std::is_sorted(types.begin(), types.end()));
  EXPECT_TRUE(std::binary_search(types.begin(), types.end(), "Softmax"));
  EXPECT_EQ(types, LayerRegistry<float>::LayerTypeList());
}

TEST(LayerFactoryTest, AnUnknownTypeIsAnErrorWithTheNearestNames) {
  EXPECT_CAFFE_ERROR(LayerRegistry<float>::CreateLayer(LayerFromText("name: 'p' type: 'Softmx'")),
                     "p: unknown layer type \"Softmx\"; the nearest known types are Softmax");
  EXPECT_CAFFE_ERROR(LayerRegistry<double>::CreateLayer(LayerFromText("type: 'relu'")),
                     "unknown layer type \"relu\"; the nearest known types are ReLU ELU PReLU");
}

TEST(LayerFactoryTest, ATypeIsRegisteredOnce) {
  EXPECT_CAFFE_ERROR(LayerRegistry<float>::AddCreator("ReLU", nullptr),
                     "layer type \"ReLU\" is registered already");
  // The first creator stays.
  EXPECT_NE(LayerRegistry<float>::CreateLayer(LayerFromText("type: 'ReLU'")), nullptr);
}

TEST(LayerFactoryTest, ErrorsOfConstructorsNameTheLayer) {
  EXPECT_CAFFE_ERROR(LayerRegistry<float>::CreateLayer(LayerFromText(
                         "name: 'p' type: 'PReLU' blobs { shape { dim: 3 } data: 1 }")),
                     "p (PReLU): the stored blob's data has another length");
}

TEST(NearestNamesTest, RanksByEditDistanceWithoutCase) {
  const vector<string> known = {"Convolution", "Deconvolution", "Data", "DummyData", "Concat"};
  EXPECT_EQ(NearestNames("convolution", known, 2),
            vector<string>({"Convolution", "Deconvolution"}));
  EXPECT_EQ(NearestNames("Dota", known, 1), vector<string>({"Data"}));
  EXPECT_EQ(NearestNames("cat", known), vector<string>({"Data", "Concat", "DummyData"}));
  EXPECT_EQ(NearestNames("x", {"b", "a"}), vector<string>({"a", "b"}));  // equals, by name
  EXPECT_TRUE(NearestNames("x", {}).empty());
}

TEST(LoadPluginTest, AddsTheLayersOfALibrary) {
  EXPECT_EQ(SampleTypes(), vector<string>({"CosineSimilarity", "Mish"}));
  DoubleRun mish("type: 'Mish'", {{2, 3}});
  mish.CheckGradient();
  LayerRun<float> cosine("type: 'CosineSimilarity'", {{2, 3}, {2, 3}});
  SetValues<float>({1, 0, 0, 0, 3, 4}, cosine.bottom[0]);
  SetValues<float>({2, 0, 0, 0, 0, 1}, cosine.bottom[1]);
  ExpectNear(cosine.SetUp().Forward(), {1, 0.8F}, 1e-6);  // a rounding of float
}

TEST(LoadPluginTest, ItsLayersFailLikeOthers) {
  SampleTypes();
  DoubleRun run("name: 'c' type: 'CosineSimilarity'", {{2, 3}, {2, 4}});
  EXPECT_CAFFE_ERROR(run.SetUp(), "c (CosineSimilarity): vectors of two lengths");
  EXPECT_CAFFE_ERROR(LayerRegistry<float>::CreateLayer(LayerFromText("type: 'Mich'")),
                     "the nearest known types are Mish");
}

TEST(LoadPluginTest, AMissingFileAndAFileThatIsNoLibrary) {
  EXPECT_CAFFE_ERROR(LoadPlugin("no_such_plugin.so"),
                     "no_such_plugin.so: cannot load the plugin: ");
  EXPECT_CAFFE_ERROR(LoadPlugin("/no/such/plugin.so"), "No such file");
  const string path = ::testing::TempDir() + "caffe_plugin_" + std::to_string(getpid());
  std::ofstream(path) << string(1000, 'x');
  EXPECT_CAFFE_ERROR(LoadPlugin(path), path + ": cannot load the plugin: ");
  std::remove(path.c_str());
}

TEST(LoadPluginTest, ALibraryWithoutLayers) {
  Dl_info info;
  ASSERT_NE(dladdr(reinterpret_cast<void*>(&cblas_sgemm), &info), 0);
  EXPECT_CAFFE_ERROR(LoadPlugin(info.dli_fname), ": the plugin registers no layer");
}

TEST(LoadPluginTest, ALibraryWithATypeThatIsKnownAlready) {
  EXPECT_CAFFE_ERROR(
      LoadPlugin(CAFFE_CLASHING_PLUGIN),
      string(CAFFE_CLASHING_PLUGIN) + ": the layer type \"ReLU\" is registered already");
  DoubleRun run("type: 'ReLU'", {{2}});
  SetValues<double>({-1, 1}, run.bottom[0]);
  EXPECT_EQ(run.SetUp().Forward(), vector<double>({0, 1}));
}

}  // namespace caffe
