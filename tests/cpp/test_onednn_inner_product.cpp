// InnerProduct by oneDNN against the plain layer.
#include <omp.h>

#include "onednn_test_util.hpp"

namespace caffe {

namespace {

string Product(const string& fields, const string& rest = "") {
  return "type: 'InnerProduct' inner_product_param { " + fields +
         " weight_filler { type: 'gaussian' } } " + rest;
}

/** A layer of a TEST net. */
string Deployed(const string& fields, const string& rest = "") {
  return Product(fields, "phase: TEST " + rest);
}

}  // namespace

TEST(OnednnInnerProductTest, AgreesWithThePlainLayer) {
  const vector<string> all = {"num_output: 7",
                              "num_output: 16 bias_term: false",
                              "num_output: 7 transpose: true",
                              "num_output: 1 transpose: true bias_term: false",
                              "num_output: 5 axis: 2",
                              "num_output: 9 axis: -1 transpose: true",
                              "num_output: 3 axis: 0"};
  for (const string& fields : all) {
    for (const vector<int>& shape :
         vector<vector<int>>{{2, 3, 5, 7}, {1, 16, 2, 2}, {33, 1, 1, 1}, {4, 40, 1, 1}}) {
      for (const string& text : {Product(fields), Deployed(fields)}) {
        BackendPair pair(text, {shape});
        pair.SetUp();
        pair.ExpectSame(text + " of " + pair.fast.bottom[0]->shape_string());
        pair.ExpectBackward("the gradient of weights alone", {false});
      }
    }
  }
}

// More weights than are worth a copy: other primitives, and another library function.
TEST(OnednnInnerProductTest, AgreesForManyWeights) {
  for (const char* fields : {"num_output: 1100", "num_output: 1100 transpose: true"}) {
    for (const string& text : {Product(fields), Deployed(fields)}) {
      BackendPair pair(text, {{3, 1000}});
      pair.SetUp();
      pair.ExpectSame(text);
    }
  }
}

TEST(OnednnInnerProductTest, ClearedGradientsAreOverwritten) {
  for (const int outputs : {10, 1100}) {
    LayerRun<float> run(Product("num_output: " + std::to_string(outputs)), {{3, 1000}});
    run.SetUp();
    Blob<float>& weights = *run.layer->blobs()[0];
    const vector<float> top_diff = RandomValues<float>(3 * outputs, 5);
    const auto gradient_after = [&](float before) {
      std::fill_n(weights.mutable_cpu_diff(), weights.count(), before);
      weights.diff()->SetZero();
      run.Forward();
      run.Backward(top_diff);
      return Gradients(weights);
    };
    const vector<float> gradient = gradient_after(0);
    EXPECT_EQ(gradient_after(std::numeric_limits<float>::quiet_NaN()), gradient);
    run.Backward(top_diff);  // not cleared: added to
    const vector<float> twice = Gradients(weights);
    for (int i = 0; i < weights.count(); i += 97) {
      EXPECT_NEAR(twice[i], 2 * gradient[i], 1e-5) << i;  // of values around 1
    }
  }
}

TEST(OnednnInnerProductTest, ReadsWhatLiesInTheBackend) {
  for (const TestLayout& layout : TestLayouts()) {
    BackendPair pair(Product("num_output: 10"), {{2, 24, 5, 3}});
    pair.SetUp();
    pair.MoveBottoms(layout);
    pair.ExpectSame("in the backend");
  }
}

TEST(OnednnInnerProductTest, FollowsChangesOfShapeOfThreadsAndOfWeights) {
  const int threads = omp_get_max_threads();
  for (const string& text : {Product("num_output: 10"), Deployed("num_output: 10")}) {
    BackendPair pair(text, {{4, 12, 2, 3}});
    pair.SetUp();
    unsigned seed = 3;
    for (const int rows : {4, 1, 0, 7, 4}) {
      omp_set_num_threads(rows == 7 ? 1 : threads);
      pair.FillBottoms(++seed, {{rows, 12, 2, 3}});
      pair.ExpectForward(std::to_string(rows) + " rows");
      if (rows > 0) pair.ExpectBackward(std::to_string(rows) + " rows");
    }
    pair.plain.layer->blobs()[0]->scale_data(2);
    pair.fast.layer->blobs()[0]->scale_data(2);
    pair.ExpectForward("other weights");
    pair.fast.layer->blobs()[0]->data()->PinHost();
    for (int i = 0; i < 2; ++i) {
      pair.plain.layer->blobs()[0]->mutable_cpu_data()[5] += 1;
      const_cast<float*>(pair.fast.layer->blobs()[0]->cpu_data())[5] += 1;
      pair.ExpectForward("weights that somebody changes without a word");
    }
    pair.fast.layer->blobs()[0]->data()->UnpinHost();
  }
  omp_set_num_threads(threads);
}

TEST(OnednnInnerProductTest, FrozenWeightsGetNoGradient) {
  BackendPair pair(Product("num_output: 4"), {{2, 6}});
  pair.SetUp();
  for (const int frozen : {0, 1}) {
    pair.plain.layer->set_param_propagate_down(frozen, false);
    pair.fast.layer->set_param_propagate_down(frozen, false);
    pair.ExpectSame("parameter " + std::to_string(frozen) + " frozen");
  }
}

TEST(OnednnInnerProductTest, NotANumberStays) {
  LayerRun<float> run(Deployed("num_output: 20"), {{2, 30}});
  run.SetUp();
  run.bottom[0]->mutable_cpu_data()[3] = std::numeric_limits<float>::quiet_NaN();
  const vector<float> top = run.Forward();
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(std::isnan(top[i])) << i;
    EXPECT_TRUE(std::isfinite(top[20 + i])) << i;
  }
}

TEST(OnednnInnerProductTest, DeployedInBf16) {
  if (!onednn::HasBf16()) GTEST_SKIP() << "the processor has no bf16";
  for (const char* fields : {"num_output: 40", "num_output: 1100 transpose: true"}) {
    BackendPair pair(Deployed(fields, "precision: BF16"), {{3, 1000}});
    pair.SetUp();
    pair.tolerance = kBFloats;
    pair.ExpectForward(fields);
    const vector<float> narrow = Values(*pair.fast.top[0]);
    pair.plain.layer->Forward(pair.plain.bottom, pair.plain.top);
    double difference = 0;
    for (size_t i = 0; i < narrow.size(); ++i) {
      difference = std::max(difference, std::abs(narrow[i] - pair.plain.top[0]->cpu_data()[i]));
    }
    EXPECT_GT(difference, 1e-4) << "of sums around 100: it was not bf16 that was multiplied";
  }
}

}  // namespace caffe
