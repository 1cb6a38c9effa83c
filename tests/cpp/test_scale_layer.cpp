#include "test_util.hpp"

namespace caffe {

namespace {

const char kRandom[] =
    "type: 'Scale' scale_param { axis: 1 num_axes: 2 bias_term: true filler { type: 'gaussian' } "
    "bias_filler { type: 'gaussian' } }";

}  // namespace

TEST(ScaleLayerTest, IsTheIdentityAtFirst) {
  DoubleRun run("type: 'Scale' scale_param { bias_term: true }", {{2, 3, 4}});
  run.SetUp();
  EXPECT_EQ(run.Forward(), Values(*run.bottom[0]));
}

TEST(ScaleLayerTest, ValuesAndGradientsByHand) {
  DoubleRun run("type: 'Scale' scale_param { bias_term: true }", {{2, 2, 2}});
  SetValues<double>({1, 2, 3, 4, 5, 6, 7, 8}, run.bottom[0]);
  run.SetUp();
  Blob<double>*scale = run.layer->blobs()[0].get(), *bias = run.layer->blobs()[1].get();
  SetValues<double>({2, -1}, scale);
  SetValues<double>({0.5, 10}, bias);
  EXPECT_EQ(run.Forward(), vector<double>({2.5, 4.5, 7, 6, 10.5, 12.5, 3, 2}));
  SetGradients<double>({100, 200}, scale);
  SetGradients<double>({300, 400}, bias);
  EXPECT_EQ(run.Backward({1, 0, 1, 0, 0, 1, 0, 2}), vector<double>({2, 0, -1, 0, 0, 2, 0, -2}));
  EXPECT_EQ(Gradients(*scale), vector<double>({107, 219}));
  EXPECT_EQ(Gradients(*bias), vector<double>({302, 403}));
}

TEST(ScaleLayerTest, ParameterShapes) {
  const auto shape = [](const string& param) {
    DoubleRun run("type: 'Scale' scale_param { bias_term: true " + param + " }", {{2, 3, 4, 5}});
    run.SetUp();
    EXPECT_EQ(run.top[0]->shape(), vector<int>({2, 3, 4, 5}));
    EXPECT_EQ(run.layer->blobs()[1]->shape(), run.layer->blobs()[0]->shape());
    return run.layer->blobs()[0]->shape();
  };
  EXPECT_EQ(shape(""), vector<int>({3}));
  EXPECT_EQ(shape("axis: 0"), vector<int>({2}));
  EXPECT_EQ(shape("axis: 1 num_axes: 2"), vector<int>({3, 4}));
  EXPECT_EQ(shape("axis: -2 num_axes: -1"), vector<int>({4, 5}));
  EXPECT_EQ(shape("axis: 0 num_axes: -1"), vector<int>({2, 3, 4, 5}));
  EXPECT_EQ(shape("num_axes: 0"), vector<int>());
}

TEST(ScaleLayerTest, ALearnedScaleAndABottomGiveTheSame) {
  Caffe::set_random_seed(3);
  DoubleRun learned("type: 'Scale' scale_param { axis: 1 num_axes: 2 filler { type: 'gaussian' } }",
                    {{2, 3, 4, 5}});
  learned.SetUp();
  DoubleRun given("type: 'Scale' scale_param { axis: -3 }", {{2, 3, 4, 5}, {3, 4}});
  given.bottom[1]->CopyFrom(*learned.layer->blobs()[0]);
  given.SetUp();
  EXPECT_TRUE(given.layer->blobs().empty());
  EXPECT_EQ(given.Forward(), learned.Forward());
  const vector<double> dy = RandomValues(120, 7);
  learned.layer->blobs()[0]->scale_diff(0);
  SetGradients(vector<double>(12, std::nan("")), given.bottom[1]);  // is overwritten, not added to
  EXPECT_EQ(given.Backward(dy), learned.Backward(dy));
  EXPECT_EQ(Gradients(*given.bottom[1]), Gradients(*learned.layer->blobs()[0]));
}

TEST(ScaleLayerTest, Gradients) {
  for (const char* param : {"", "axis: 0 num_axes: -1", "axis: 1 num_axes: 2 bias_term: true",
                            "num_axes: 0 bias_term: true", "axis: 2 bias_term: true"}) {
    DoubleRun run(string("type: 'Scale' scale_param { filler { type: 'gaussian' } ") + param + " }",
                  {{2, 3, 2}});
    GradientChecker<double>(1e-5, 1e-6)
        .CheckGradientExhaustive(run.layer.get(), run.bottom, run.top);
  }
}

TEST(ScaleLayerTest, GradientsWithTwoBottoms) {
  for (const char* param : {"axis: 0", "axis: 0 bias_term: true"}) {
    for (const vector<int>& shape : {vector<int>{}, vector<int>{2, 3}, vector<int>{2, 3, 2}}) {
      DoubleRun run(string("type: 'Scale' scale_param { ") + param + " }", {{2, 3, 2}, shape});
      GradientChecker<double>(1e-5, 1e-6)
          .CheckGradientExhaustive(run.layer.get(), run.bottom, run.top);
    }
  }
}

TEST(ScaleLayerTest, GradientsInPlace) {
  DoubleRun(kRandom, {{2, 3, 4}}).InPlace().CheckGradient();
  DoubleRun run("type: 'Scale'", {{2, 3, 4}, {3}});
  run.InPlace().CheckGradient();
}

TEST(ScaleLayerTest, WorksInPlace) {
  ExpectSameInPlace(kRandom, {{2, 3, 4}});
  ExpectSameInPlace("type: 'Scale' scale_param { bias_term: true }", {{2, 3, 4}, {3, 4}});
}

TEST(ScaleLayerTest, HonoursWhatIsNotAsked) {
  DoubleRun run("type: 'Scale' scale_param { bias_term: true }", {{1, 2}});
  run.SetUp().Forward();
  run.layer->set_param_propagate_down(0, false);
  for (const auto& blob : run.layer->blobs()) SetGradients<double>({3, 3}, blob.get());
  SetGradients<double>({5, 6}, run.bottom[0]);
  EXPECT_EQ(run.Backward({1, 2}, {false}), vector<double>({5, 6}));
  EXPECT_EQ(Gradients(*run.layer->blobs()[0]), vector<double>({3, 3}));
  EXPECT_EQ(Gradients(*run.layer->blobs()[1]), vector<double>({4, 5}));
}

TEST(ScaleLayerTest, ThreadsShareLargeBlobs) {
  DoubleRun run("type: 'Scale' scale_param { filler { type: 'gaussian' } }", {{3, 20, 1000}});
  const vector<double> x = Values(*run.bottom[0]), y = run.SetUp().Forward();
  for (int i = 0; i < 60000; ++i) {
    ASSERT_EQ(y[i], x[i] * run.layer->blobs()[0]->cpu_data()[i / 1000 % 20]);
  }
}

TEST(ScaleLayerTest, Errors) {
  DoubleRun far("name: 's' type: 'Scale' scale_param { axis: 1 num_axes: 3 }", {{2, 3, 4}});
  EXPECT_CAFFE_ERROR(far.SetUp(),
                     "s (Scale): num_axes 3 from axis 1 on, for a blob of shape 2 3 4 (24)");
  DoubleRun negative("type: 'Scale' scale_param { num_axes: -2 }", {{2, 3, 4}});
  EXPECT_CAFFE_ERROR(negative.SetUp(), "num_axes -2");
  DoubleRun misfit("type: 'Scale'", {{2, 3, 4}, {4}});
  EXPECT_CAFFE_ERROR(misfit.SetUp(),
                     "a blob of shape 4 (4) does not fit the axes from 1 on of one "
                     "of shape 2 3 4 (24)");
  DoubleRun many("type: 'Scale' scale_param { axis: 2 }", {{2, 3, 4}, {4, 1}});
  EXPECT_CAFFE_ERROR(many.SetUp(), "does not fit");
  DoubleRun second("type: 'Scale' scale_param { axis: 0 }", {{2, 3}, {2, 3}});
  second.top[0] = second.bottom[1];
  EXPECT_CAFFE_ERROR(second.SetUp(), "the top may be the first bottom, but not the second");
}

}  // namespace caffe
