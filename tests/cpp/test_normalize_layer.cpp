#include "test_util.hpp"

namespace caffe {

namespace {

/** All four forms, with a scale filler that tells the channels apart. */
const vector<string> kForms = {
    "across_spatial: false channel_shared: false", "across_spatial: true channel_shared: true",
    "across_spatial: false channel_shared: true", "across_spatial: true channel_shared: false"};

string Text(const string& form) {
  return "type: 'Normalize' norm_param { scale_filler { type: 'uniform' min: 1 max: 3 } " + form +
         " }";
}

}  // namespace

TEST(NormalizeLayerTest, PositionsHaveTheNormOfTheScale) {
  DoubleRun run(
      "type: 'Normalize' norm_param { across_spatial: false channel_shared: true "
      "scale_filler { type: 'constant' value: 20 } }",
      {{2, 3, 4}});
  const vector<double> y = run.SetUp().Forward();
  for (int n = 0; n < 2; ++n) {
    for (int p = 0; p < 4; ++p) {
      double squares = 0;
      for (int c = 0; c < 3; ++c) squares += std::pow(y[(n * 3 + c) * 4 + p], 2);
      EXPECT_NEAR(std::sqrt(squares), 20, 1e-8);  // eps is 1e-10, the squares' sum is above 0.1
    }
  }
}

TEST(NormalizeLayerTest, ImagesHaveTheNormOfTheScale) {
  DoubleRun run("type: 'Normalize'", {{2, 3, 4}});
  const vector<double> y = run.SetUp().Forward();
  EXPECT_EQ(run.top[0]->shape(), vector<int>({2, 3, 4}));
  for (int n = 0; n < 2; ++n) {
    double squares = 0;
    for (int i = n * 12; i < (n + 1) * 12; ++i) squares += y[i] * y[i];
    EXPECT_NEAR(squares, 1, 1e-9);
  }
}

TEST(NormalizeLayerTest, ValuesByHand) {
  DoubleRun run(
      "type: 'Normalize' norm_param { across_spatial: false channel_shared: false "
      "eps: 0 }",
      {{1, 2, 2}});
  SetValues<double>({3, 0, 4, -2}, run.bottom[0]);
  run.SetUp();
  SetValues<double>({10, 100}, run.layer->blobs()[0].get());
  ExpectNear(run.Forward(), {6, 0, 80, -100}, 1e-13);
}

TEST(NormalizeLayerTest, TheLengthOfTheInputDoesNotMatter) {
  DoubleRun run("type: 'Normalize' norm_param { eps: 0 }", {{2, 3, 4}});
  const vector<double> before = run.SetUp().Forward();
  run.bottom[0]->scale_data(1e-3);
  ExpectNear(run.Forward(), before, 1e-14);
}

TEST(NormalizeLayerTest, ZerosStayZerosAndHaveAFiniteGradient) {
  DoubleRun run("type: 'Normalize' norm_param { across_spatial: false }", {{1, 2, 2}});
  caffe_set(4, 0.0, run.bottom[0]->mutable_cpu_data());
  run.SetUp();
  EXPECT_EQ(run.Forward(), vector<double>(4, 0));
  // dy / sqrt(eps); eps is a float in the schema.
  const double r = std::sqrt(static_cast<double>(1e-10F));
  ExpectNear(run.Backward({1, 0, 0, 2}), {1 / r, 0, 0, 2 / r}, 1e-9);
}

TEST(NormalizeLayerTest, ParameterShapes) {
  DoubleRun shared("type: 'Normalize'", {{2, 3, 4, 5}});
  EXPECT_EQ(shared.SetUp().layer->blobs()[0]->shape(), vector<int>());
  DoubleRun each("type: 'Normalize' norm_param { channel_shared: false }", {{2, 3, 4, 5}});
  EXPECT_EQ(each.SetUp().layer->blobs()[0]->shape(), vector<int>({3}));
  EXPECT_EQ(Values(*each.layer->blobs()[0]), vector<double>(3, 1));
}

TEST(NormalizeLayerTest, Gradients) {
  for (const string& form : kForms) {
    for (const vector<int>& shape : {vector<int>{2, 3, 2, 2}, vector<int>{3, 4}}) {
      DoubleRun run(Text(form), {shape});
      GradientChecker<double>(1e-5, 1e-6)
          .CheckGradientExhaustive(run.layer.get(), run.bottom, run.top);
    }
  }
}

TEST(NormalizeLayerTest, AScaleOfZeroStillHasAGradient) {
  DoubleRun run("type: 'Normalize' norm_param { scale_filler { type: 'constant' value: 0 } }",
                {{2, 3, 2}});
  run.CheckGradient();
}

TEST(NormalizeLayerTest, HonoursWhatIsNotAsked) {
  DoubleRun run("type: 'Normalize'", {{1, 2}});
  run.SetUp().Forward();
  run.layer->set_param_propagate_down(0, false);
  SetGradients<double>({3}, run.layer->blobs()[0].get());
  SetGradients<double>({5, 6}, run.bottom[0]);
  EXPECT_EQ(run.Backward({1, 1}, {false}), vector<double>({5, 6}));
  EXPECT_EQ(Gradients(*run.layer->blobs()[0]), vector<double>({3}));
}

TEST(NormalizeLayerTest, Errors) {
  DoubleRun flat("name: 'n' type: 'Normalize'", {{4}});
  EXPECT_CAFFE_ERROR(flat.SetUp(),
                     "n (Normalize): takes a bottom with channels on axis 1, got the "
                     "shape 4 (4)");
  DoubleRun in_place("type: 'Normalize'", {{2, 3}});
  EXPECT_CAFFE_ERROR(in_place.InPlace().SetUp(), "cannot work in place");
  DoubleRun run("type: 'Normalize' norm_param { channel_shared: false }", {{2, 3}});
  run.SetUp();
  run.bottom[0]->Reshape({2, 4});
  EXPECT_CAFFE_ERROR(run.Forward(), "2 4 (8), expected 3 channels");
}

}  // namespace caffe
