#include "test_util.hpp"

namespace caffe {

TEST(BiasLayerTest, ValuesAndGradientsByHand) {
  DoubleRun run("type: 'Bias'", {{2, 2, 2}});
  SetValues<double>({1, 2, 3, 4, 5, 6, 7, 8}, run.bottom[0]);
  run.SetUp();
  Blob<double>* bias = run.layer->blobs()[0].get();
  EXPECT_EQ(Values(*bias), vector<double>({0, 0}));
  SetValues<double>({10, -1}, bias);
  EXPECT_EQ(run.Forward(), vector<double>({11, 12, 2, 3, 15, 16, 6, 7}));
  SetGradients<double>({100, 200}, bias);
  const vector<double> dy{1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(run.Backward(dy), dy);
  EXPECT_EQ(Gradients(*bias), vector<double>({114, 222}));
}

TEST(BiasLayerTest, ParameterShapes) {
  const auto shape = [](const string& param) {
    DoubleRun run("type: 'Bias' bias_param { " + param + " }", {{2, 3, 4, 5}});
    return run.SetUp().layer->blobs()[0]->shape();
  };
  EXPECT_EQ(shape(""), vector<int>({3}));
  EXPECT_EQ(shape("axis: -2 num_axes: -1"), vector<int>({4, 5}));
  EXPECT_EQ(shape("num_axes: 0"), vector<int>());
}

TEST(BiasLayerTest, Gradients) {
  for (const char* param : {"", "axis: 0 num_axes: -1", "axis: 1 num_axes: 2", "num_axes: 0"}) {
    DoubleRun run(string("type: 'Bias' bias_param { filler { type: 'gaussian' } ") + param + " }",
                  {{2, 3, 2}});
    GradientChecker<double>(1e-5, 1e-6)
        .CheckGradientExhaustive(run.layer.get(), run.bottom, run.top);
  }
}

TEST(BiasLayerTest, GradientsWithTwoBottoms) {
  for (const vector<int>& shape : {vector<int>{}, vector<int>{3}, vector<int>{3, 2}}) {
    DoubleRun run("type: 'Bias'", {{2, 3, 2}, shape});
    GradientChecker<double>(1e-5, 1e-6)
        .CheckGradientExhaustive(run.layer.get(), run.bottom, run.top);
  }
}

TEST(BiasLayerTest, WorksInPlace) {
  ExpectSameInPlace("type: 'Bias' bias_param { filler { type: 'gaussian' } }", {{2, 3, 4}});
  ExpectSameInPlace("type: 'Bias'", {{2, 3, 4}, {3, 4}});
  DoubleRun("type: 'Bias'", {{2, 3, 4}, {3}}).InPlace().CheckGradient();
}

TEST(BiasLayerTest, HonoursWhatIsNotAsked) {
  DoubleRun run("type: 'Bias'", {{1, 2}, {2}});
  run.SetUp().Forward();
  SetGradients<double>({5, 6}, run.bottom[0]);
  SetGradients<double>({7, 8}, run.bottom[1]);
  EXPECT_EQ(run.Backward({1, 2}, {false, false}), vector<double>({5, 6}));
  EXPECT_EQ(Gradients(*run.bottom[1]), vector<double>({7, 8}));
}

TEST(BiasLayerTest, Errors) {
  DoubleRun misfit("name: 'b' type: 'Bias'", {{2, 3, 4}, {4}});
  EXPECT_CAFFE_ERROR(misfit.SetUp(),
                     "b (Bias): a blob of shape 4 (4) does not fit the axes from 1 "
                     "on of one of shape 2 3 4 (24)");
  DoubleRun second("type: 'Bias' bias_param { axis: 0 }", {{2, 3}, {2, 3}});
  second.top[0] = second.bottom[1];
  EXPECT_CAFFE_ERROR(second.SetUp(), "the top may be the first bottom, but not the second");
}

}  // namespace caffe
