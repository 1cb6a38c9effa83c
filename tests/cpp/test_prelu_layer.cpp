#include "test_util.hpp"

namespace caffe {

namespace {

const char kGaussian[] = "type: 'PReLU' prelu_param { filler { type: 'gaussian' std: 0.5 } }";
const char kShared[] =
    "type: 'PReLU' prelu_param { channel_shared: true filler { type: 'gaussian' std: 0.5 } }";

}  // namespace

TEST(PReLULayerTest, ValuesAndGradientsByHand) {
  DoubleRun run("type: 'PReLU'", {{1, 2, 2}});
  SetValues<double>({-2, 3, -4, -1}, run.bottom[0]);
  run.SetUp();
  Blob<double>* slope = run.layer->blobs()[0].get();
  EXPECT_EQ(Values(*slope), vector<double>({0.25, 0.25}));
  SetValues<double>({0.5, -1}, slope);
  EXPECT_EQ(run.Forward(), vector<double>({-1, 3, 4, 1}));
  SetGradients<double>({10, 20}, slope);
  EXPECT_EQ(run.Backward({1, 2, 3, 4}), vector<double>({0.5, 2, -3, -4}));
  // 10 + 1·(−2), 20 + 3·(−4) + 4·(−1)
  EXPECT_EQ(Gradients(*slope), vector<double>({8, 4}));
}

TEST(PReLULayerTest, SlopeZeroIsReLUAndSlopeOneTheIdentity) {
  DoubleRun run("type: 'PReLU' prelu_param { channel_shared: true }", {{2, 3, 4}});
  DoubleRun relu("type: 'ReLU'", {{2, 3, 4}});
  run.SetUp();
  relu.SetUp();
  run.layer->blobs()[0]->mutable_cpu_data()[0] = 0;
  EXPECT_EQ(run.Forward(), relu.Forward());
  run.layer->blobs()[0]->mutable_cpu_data()[0] = 1;
  EXPECT_EQ(run.Forward(), Values(*run.bottom[0]));
}

TEST(PReLULayerTest, ParameterShapes) {
  DoubleRun each("type: 'PReLU'", {{2, 3, 4, 5}});
  each.SetUp();
  EXPECT_EQ(each.layer->blobs()[0]->shape(), vector<int>({3}));
  EXPECT_EQ(each.top[0]->shape(), vector<int>({2, 3, 4, 5}));
  DoubleRun shared("type: 'PReLU' prelu_param { channel_shared: true }", {{2, 3}});
  shared.SetUp();
  EXPECT_EQ(shared.layer->blobs()[0]->shape(), vector<int>());
}

TEST(PReLULayerTest, Gradients) {
  for (const char* text : {kGaussian, kShared}) {
    for (const vector<int>& shape : {vector<int>{3, 4}, vector<int>{2, 3, 2, 4}}) {
      DoubleRun run(text, {shape});
      GradientChecker<double>(1e-5, 1e-6, 1701, 0, 1e-3)
          .CheckGradientExhaustive(run.layer.get(), run.bottom, run.top);
    }
  }
}

TEST(PReLULayerTest, GradientsInPlace) {
  DoubleRun run(kGaussian, {{2, 3, 4}});
  run.InPlace();
  GradientChecker<double>(1e-5, 1e-6, 1701, 0, 1e-3)
      .CheckGradient(run.layer.get(), run.bottom, run.top);
}

TEST(PReLULayerTest, WorksInPlace) {
  ExpectSameInPlace(kGaussian, {{2, 3, 4}});
  ExpectSameInPlace(kShared, {{2, 3, 4}});
}

TEST(PReLULayerTest, HonoursWhatIsNotAsked) {
  DoubleRun run("type: 'PReLU'", {{1, 2}});
  SetValues<double>({-1, -2}, run.bottom[0]);
  run.SetUp().Forward();
  run.layer->set_param_propagate_down(0, false);
  SetGradients<double>({3, 3}, run.layer->blobs()[0].get());
  SetGradients<double>({5, 6}, run.bottom[0]);
  EXPECT_EQ(run.Backward({1, 1}, {false}), vector<double>({5, 6}));
  EXPECT_EQ(Gradients(*run.layer->blobs()[0]), vector<double>({3, 3}));
}

TEST(PReLULayerTest, TakesStoredSlopesAndRefusesAnotherNumber) {
  // Four axes, as files of old have them.
  DoubleRun stored("type: 'PReLU' blobs { num: 1 channels: 1 height: 1 width: 2 data: 3 data: 4 }",
                   {{1, 2}});
  stored.SetUp();
  EXPECT_EQ(Values(*stored.layer->blobs()[0]), vector<double>({3, 4}));
  EXPECT_EQ(stored.layer->blobs()[0]->shape(), vector<int>({2}));
  DoubleRun wrong("type: 'PReLU' blobs { shape { dim: 2 } data: 3 data: 4 }", {{1, 3}});
  EXPECT_CAFFE_ERROR(wrong.SetUp(),
                     "the slope that came with the layer has the shape 2 (2), "
                     "expected 3 (3)");
}

TEST(PReLULayerTest, Errors) {
  DoubleRun flat("name: 'p' type: 'PReLU'", {{4}});
  EXPECT_CAFFE_ERROR(flat.SetUp(),
                     "p (PReLU): takes a bottom with channels on axis 1, got the "
                     "shape 4 (4)");
  DoubleRun run("type: 'PReLU'", {{2, 3}});
  run.SetUp();
  run.bottom[0]->Reshape({2, 4});
  EXPECT_CAFFE_ERROR(run.Forward(), "2 4 (8), expected 3 channels");
}

}  // namespace caffe
