#include "onednn_net_test_util.hpp"

namespace caffe {

using onednn::ElementType;
using onednn::Layout;
using onednn::OnednnMemory;

namespace {

Layout Nhwc(const onednn::Dims& dims, ElementType type) {
  return Layout(dims, type, dnnl::memory::format_tag::nhwc);
}

}  // namespace

TEST(OnednnMemoryTest, BFloat16KeepsEightBits) {
  if (!onednn::HasBf16()) GTEST_SKIP() << "this processor has no bf16";
  const vector<float> values = {1,         -2.5F,          1.00390625F, 1.01171875F,
                                3.140625F, 1 + 1.0F / 512, 1e30F,       0};
  // Halfway cases go to the even neighbour: 1 + 2^-8 to 1, 1 + 3 2^-8 to 1 + 4 2^-8.
  const vector<float> rounded = {1, -2.5F, 1, 1.015625F, 3.140625F, 1, 0, 0};
  SyncedMemory memory(values.size() * sizeof(float));
  const auto copy = std::make_shared<OnednnMemory>(Nhwc({1, 2, 2, 2}, ElementType::bf16));
  EXPECT_EQ(copy->layout().get_size(), values.size() * 2);
  copy->FromHost(values.data());
  memory.set_backend_data(copy);
  const auto* host = static_cast<const float*>(memory.cpu_data());
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] == 1e30F) {
      EXPECT_NEAR(host[i], values[i], values[i] / 256);  // the exponent is a float's
    } else {
      EXPECT_EQ(host[i], rounded[i]) << i;
    }
  }
}

TEST(OnednnMemoryTest, InputsAreConvertedToTheTypeWanted) {
  if (!onednn::HasBf16()) GTEST_SKIP() << "this processor has no bf16";
  const onednn::Dims dims = {2, 3, 2, 2};
  vector<float> values(24);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);  // exact in bf16
  SyncedMemory memory(values.size() * sizeof(float));
  const auto narrow = std::make_shared<OnednnMemory>(Nhwc(dims, ElementType::bf16));
  narrow->FromHost(values.data());
  memory.set_backend_data(narrow);
  onednn::Input input;
  const dnnl::memory wide = input.Read(&memory, Nhwc(dims, ElementType::f32));
  const auto* stored = static_cast<const float*>(wide.get_data_handle());
  EXPECT_EQ(stored[0], 0);
  EXPECT_EQ(stored[1], 4);  // the next channel
  EXPECT_EQ(stored[3], 1);  // the next pixel
  EXPECT_EQ(memory.backend_data(), narrow.get());
}

TEST(OnednnMemoryTest, TypesOfActivations) {
  EXPECT_EQ(onednn::ActivationType(FP32), ElementType::f32);
  EXPECT_EQ(onednn::ActivationType(BF16), onednn::HasBf16() ? ElementType::bf16 : ElementType::f32);
  EXPECT_EQ(onednn::TypeOf(onednn::PlainLayout({2, 3})), ElementType::f32);
  EXPECT_EQ(onednn::TypeOf(onednn::AnyLayout({2, 3}, ElementType::bf16)), ElementType::bf16);
}

TEST(OnednnMemoryTest, LargeConversionsAreMadeInMemoryThatIsLent) {
  const onednn::Dims dims = {1, 16, 160, 160};
  const auto pool = MemoryPool::Make();
  const vector<float> values = RandomValues<float>(16 * 160 * 160, 3);
  SyncedMemory memory(values.size() * sizeof(float));
  const auto copy = std::make_shared<OnednnMemory>(
      Layout(dims, ElementType::f32, dnnl::memory::format_tag::nChw16c));
  copy->FromHost(values.data());
  memory.set_backend_data(copy);
  onednn::Input own, scratch(onednn::kBottom);
  for (onednn::Input* input : {&own, &scratch}) {
    const size_t size = values.size() * sizeof(float);
    {
      const ScratchLoan loan(pool);
      const dnnl::memory lent = input->Read(&memory, Nhwc(dims, ElementType::f32));
      EXPECT_EQ(pool->used(), size);
      const auto* stored = static_cast<const float*>(lent.get_data_handle());
      EXPECT_EQ(stored[16 * 7 + 5], values[5 * 160 * 160 + 7]);
      input->Read(&memory, Nhwc({1, 16, 160, 160}, ElementType::f32));
      EXPECT_EQ(pool->used(), input == &own ? 2 * size : size);
    }
    EXPECT_EQ(pool->used(), 0U);
    input->Read(&memory, Nhwc(dims, ElementType::f32));  // without a loan: not the pool's
    EXPECT_EQ(pool->used(), 0U);
  }
}

TEST(OnednnMemoryTest, ANetThatSavesMemoryLendsScratchAndGivesTheSameBits) {
  const string text =
      "layer { name: 'data' type: 'Input' top: 'data' input_param { shape { "
      "dim: 2 dim: 16 dim: 150 dim: 150 } } }\n" +
      ConvLayer("a", "data", "num_output: 16 kernel_size: 3 pad: 1") +
      ConvLayer("b", "a", "num_output: 16 kernel_size: 3 pad: 1") +
      ConvLayer("c", "a", "num_output: 16 kernel_size: 1") +
      "layer { name: 's' type: 'Eltwise' bottom: 'b' bottom: 'c' top: 's' }\n";
  for (const char* algorithm : {"winograd", "direct", "nhwc"}) {
    const ScopedEnvironment forced("CAFFE_CONV_ALGORITHM", algorithm);
    vector<vector<float>> found[2];
    for (const bool saves : {false, true}) {
      const auto net = NetFrom<float>(text);
      FillAlike(NetFrom<double>(text).get(), net.get(), 1);
      const auto pool = MemoryPool::Make();
      net->set_release_memory(saves, {}, pool);
      size_t extent = 0;
      for (int pass = 0; pass < 4; ++pass) {
        net->ClearParamDiffs();
        net->Forward();
        SetGradients(RandomValues<float>(net->blob_by_name("s")->count(), 7),
                     net->blob_by_name("s").get());
        net->Backward();
        for (const auto& param : net->params()) found[saves].push_back(Gradients(*param));
        EXPECT_EQ(pool->used(), 0U) << algorithm;
        if (pass == 2) extent = pool->extent();
      }
      EXPECT_EQ(pool->extent(), extent) << algorithm << ": a steady step takes more memory";
    }
    EXPECT_EQ(found[0], found[1]) << algorithm;
  }
}

}  // namespace caffe
