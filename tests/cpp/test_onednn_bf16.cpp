// Training with bf16 between the layers, beside the same in floats.
#include "caffe/net.hpp"
#include "onednn_test_util.hpp"

namespace caffe {

namespace {

shared_ptr<Net<float>> SmallNet(const string& precision) {
  const string text = "precision: " + precision +
                      R"( layer { name: 'data' type: 'Input' top: 'data' top: 'label'
                  input_param { shape { dim: 8 dim: 3 dim: 20 dim: 20 } shape { dim: 8 } } }
          layer { name: 'c1' type: 'Convolution' bottom: 'data' top: 'c1'
                  convolution_param { num_output: 16 kernel_size: 3 pad: 1 } }
          layer { name: 'r1' type: 'ReLU' bottom: 'c1' top: 'c1' }
          layer { name: 'c2' type: 'Convolution' bottom: 'c1' top: 'c2'
                  convolution_param { num_output: 32 kernel_size: 3 pad: 1 } }
          layer { name: 'r2' type: 'ReLU' bottom: 'c2' top: 'c2' }
          layer { name: 'p2' type: 'Pooling' bottom: 'c2' top: 'p2'
                  pooling_param { kernel_size: 2 stride: 2 } }
          layer { name: 'c3' type: 'Convolution' bottom: 'p2' top: 'c3'
                  convolution_param { num_output: 4 kernel_size: 10 } }
          layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'c3' bottom: 'label' top: 'loss' } )";
  NetParameter param;
  CHECK(google::protobuf::TextFormat::ParseFromString(text, &param)) << "not a net: " << text;
  param.mutable_state()->set_phase(TRAIN);
  auto net = std::make_shared<Net<float>>(param);
  for (size_t i = 0; i < net->params().size(); ++i) {
    Blob<float>* blob = net->params()[i].get();
    const float bound =
        blob->num_axes() == 1 ? 0.1F : std::sqrt(3.0F / (blob->count() / blob->shape(0)));
    SetValues(RandomValues<float>(blob->count(), 10 + static_cast<unsigned>(i), -bound, bound),
              blob);
  }
  Blob<float>* data = net->blob_by_name("data").get();
  SetValues(RandomValues<float>(data->count(), 1), data);
  SetValues(vector<float>{0, 1, 2, 3, 0, 1, 2, 3}, net->blob_by_name("label").get());
  return net;
}

/** The losses of some steps of gradient descent on one batch. */
vector<float> Train(Net<float>* net, int steps) {
  vector<float> losses;
  for (int step = 0; step < steps; ++step) {
    net->ClearParamDiffs();
    losses.push_back(net->ForwardBackward());
    for (const auto& blob : net->params()) {
      caffe_axpy(blob->count(), -0.003F, blob->cpu_diff(), blob->mutable_cpu_data());
    }
  }
  return losses;
}

}  // namespace

TEST(OnednnBFloat16Test, ASmallNetLearnsAsInFloats) {
  for (const char* algorithm : {"default", "winograd"}) {  // the second: floats inside bf16
    const ScopedEnvironment chosen("CAFFE_CONV_ALGORITHM", algorithm);
    const auto floats = Train(SmallNet("FP32").get(), 40);
    const auto narrow = Train(SmallNet("BF16").get(), 40);
    EXPECT_LT(floats.back(), 0.2F * floats.front());
    // A value is rounded to 8 bits, and a loss is a mean of many: 1 % of the first loss is ten
    // times what was seen, and a wrong gradient learns another way within a few steps.
    for (size_t i = 0; i < floats.size(); ++i) {
      EXPECT_NEAR(narrow[i], floats[i], 0.01F * floats[0]) << algorithm << ", step " << i;
    }
  }
}

TEST(OnednnBFloat16Test, ActivationsAndTheirGradientsAreNarrow) {
  if (!onednn::HasBf16()) GTEST_SKIP() << "this processor has no bf16";
  const auto net = SmallNet("BF16");
  net->ForwardBackward();
  const auto type = [&](const SyncedMemory& values, const Blob<float>& blob) {
    const onednn::OnednnMemory* copy = onednn::BackendCopy(values, onednn::DimsOf(blob.shape()));
    return copy == nullptr ? onednn::ElementType::undef : onednn::TypeOf(copy->layout());
  };
  for (const char* name : {"c1", "c2", "p2"}) {
    const Blob<float>& blob = *net->blob_by_name(name);
    EXPECT_EQ(type(*blob.data(), blob), onednn::ElementType::bf16) << name;
    EXPECT_TRUE(OnlyOnBackend(*blob.data())) << name;
    EXPECT_EQ(type(*blob.diff(), blob), onednn::ElementType::bf16) << name;
    EXPECT_TRUE(OnlyOnBackend(*blob.diff())) << name;
  }
  EXPECT_TRUE(net->params()[0]->diff()->on_host());
}

}  // namespace caffe
