// Chains of layers with overrides, and plain ones between them, against the same nets in double.
#include "onednn_net_test_util.hpp"

namespace caffe {

namespace {

/** conv, ReLU in place, pooling, a plain layer, convs of a split blob, one of them dilated. */
string Chain() {
  const string input =
      "layer { name: 'data' type: 'Input' top: 'data' "
      "input_param { shape { dim: 2 dim: 3 dim: 40 dim: 44 } } }\n";
  return input + ConvLayer("c1", "data", "num_output: 16 kernel_size: 3 pad: 1") +
         PlainLayer("ReLU", "c1", "c1") +
         ConvLayer("c2", "c1", "num_output: 16 kernel_size: 3 pad: 1") +
         PlainLayer("ReLU", "c2", "c2") +
         PlainLayer("Pooling", "c2", "p2", "pooling_param { kernel_size: 2 stride: 2 }") +
         PlainLayer("TanH", "p2", "t2") +
         ConvLayer("c3", "t2", "num_output: 24 kernel_size: 3 pad: 1") +
         PlainLayer("ReLU", "c3", "c3", "relu_param { negative_slope: 0.1 }") +
         ConvLayer("c4", "c3", "num_output: 20 kernel_size: 3 pad: 6 dilation: 6") +
         ConvLayer("head", "c3", "num_output: 12 kernel_size: 3 pad: 1") +
         ConvLayer("head4", "c4", "num_output: 12 kernel_size: 1") +
         PlainLayer("Permute", "head", "permuted",
                    "permute_param { order: 0 order: 2 order: 3 order: 1 }") +
         PlainLayer("Permute", "head4", "permuted4",
                    "permute_param { order: 0 order: 2 order: 3 order: 1 }") +
         PlainLayer("Flatten", "permuted", "flat") + PlainLayer("Flatten", "permuted4", "flat4") +
         "layer { name: 'joined' type: 'Concat' bottom: 'flat' bottom: 'flat4' top: 'joined' }\n" +
         PlainLayer("Reduction", "joined", "loss",
                    "loss_weight: 1 reduction_param { operation: SUMSQ coeff: 0.01 }");
}

/**
 * Values up to 1e-3 of the largest: the errors of eight layers add up. Gradients up to 5e-2: where
 * a float decides a maximum or the sign of a ReLU otherwise than a double, a term of the hundred
 * or so in a gradient comes or goes. How exact each layer is, the tests of the layers tell; here a
 * layer reads what another left, and what is stale or in a wrong layout is off by all of it.
 */
constexpr double kValues = 1e-3, kGradients = 5e-2;

void ExpectSameNets(Net<double>* plain, Net<float>* fast) {
  const double loss = plain->ForwardBackward();
  EXPECT_NEAR(fast->ForwardBackward(), loss, kValues * std::abs(loss));
  for (const string& name : plain->blob_names()) {
    ExpectClose(Values(*plain->blob_by_name(name)), Values(*fast->blob_by_name(name)), name,
                kValues);
  }
  for (size_t i = 0; i < plain->params().size(); ++i) {
    ExpectClose(Gradients(*plain->params()[i]), Gradients(*fast->params()[i]),
                "the gradient of parameter " + std::to_string(i), kGradients);
  }
  ExpectClose(Gradients(*plain->blob_by_name("data")), Gradients(*fast->blob_by_name("data")),
              "the gradient of the data", kGradients);
}

}  // namespace

TEST(OnednnNetTest, AChainIsTheSameNet) {
  const auto plain = NetFrom<double>(Chain());
  const auto fast = NetFrom<float>(Chain());
  for (const unsigned seed : {1U, 200U, 400U}) {
    FillAlike(plain.get(), fast.get(), seed);
    plain->ClearParamDiffs();
    fast->ClearParamDiffs();
    ExpectSameNets(plain.get(), fast.get());
  }
}

TEST(OnednnNetTest, AChainFollowsItsInputsShape) {
  const auto plain = NetFrom<double>(Chain());
  const auto fast = NetFrom<float>(Chain());
  for (const vector<int>& shape :
       vector<vector<int>>{{1, 3, 40, 44}, {2, 3, 31, 37}, {2, 3, 40, 44}, {1, 3, 52, 20}}) {
    plain->blob_by_name("data")->Reshape(shape);
    fast->blob_by_name("data")->Reshape(shape);
    plain->Reshape();
    fast->Reshape();
    FillAlike(plain.get(), fast.get(), 7);
    plain->ClearParamDiffs();
    fast->ClearParamDiffs();
    ExpectSameNets(plain.get(), fast.get());
  }
}

TEST(OnednnNetTest, SubBatchesAdd) {
  const auto plain = NetFrom<double>(Chain());
  const auto fast = NetFrom<float>(Chain());
  FillAlike(plain.get(), fast.get(), 3);
  plain->ClearParamDiffs();
  fast->ClearParamDiffs();
  ExpectSameNets(plain.get(), fast.get());
  ExpectSameNets(plain.get(), fast.get());  // onto the gradients of the first
}

TEST(OnednnNetTest, ConvolutionsNeverLeaveTheBackendBetweenThem) {
  // On a busy machine a method of another layout may be measured to be the fastest.
  const ScopedEnvironment pinned("CAFFE_CONV_ALGORITHM", "default");
  const auto fast = NetFrom<float>(Chain());
  fast->ForwardBackward();
  const onednn::OnednnMemory* c1 =
      onednn::BackendCopy(*fast->blob_by_name("c1")->data(), {2, 16, 40, 44});
  const onednn::Layout with_avx512({2, 16, 40, 44}, dnnl::memory::data_type::f32,
                                   dnnl::memory::format_tag::nChw16c);
  if (c1 == nullptr || c1->layout() != with_avx512) {
    GTEST_SKIP() << "without AVX-512 a pass may take another layout than the last";
  }
  for (const char* name : {"c1", "c2"}) {
    EXPECT_TRUE(OnlyOnBackend(*fast->blob_by_name(name)->data())) << name;
    EXPECT_TRUE(OnlyOnBackend(*fast->blob_by_name(name)->diff())) << name;
  }
  EXPECT_TRUE(fast->blob_by_name("p2")->data()->on_host());  // TanH read it
}

TEST(OnednnNetTest, TwoRunsGiveTheSameBits) {
  vector<vector<float>> gradients(2);
  for (vector<float>& run : gradients) {
    const auto plain = NetFrom<double>(Chain());
    const auto fast = NetFrom<float>(Chain());
    FillAlike(plain.get(), fast.get(), 11);
    fast->ClearParamDiffs();
    fast->ForwardBackward();
    for (const auto& param : fast->params()) {
      const vector<float> one = Gradients(*param);
      run.insert(run.end(), one.begin(), one.end());
    }
  }
  EXPECT_EQ(gradients[0], gradients[1]);
}

TEST(OnednnNetTest, ATestNetSeesTheWeightsThatItShares) {
  const auto train = NetFrom<float>(Chain());
  const auto test = NetFrom<float>(Chain());
  const auto plain = NetFrom<double>(Chain());
  test->ShareTrainedLayersWith(train.get());
  for (const unsigned seed : {1U, 300U}) {
    FillAlike(plain.get(), train.get(), seed);
    SetValues(Values(*train->blob_by_name("data")), test->blob_by_name("data").get());
    plain->Forward();
    test->Forward();
    ExpectClose(Values(*plain->blob_by_name("joined")), Values(*test->blob_by_name("joined")),
                "joined", kValues);
  }
}

}  // namespace caffe
