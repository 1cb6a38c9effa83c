#include <gtest/gtest.h>

#include <limits>

#include "caffe/layers/embed_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

namespace {

string EmbedText(const string& param) {
  return "name: 'embed' type: 'Embed' embed_param { weight_filler { type: 'gaussian' } bias_filler "
         "{ type: 'gaussian' } " +
         param + " }";
}

}  // namespace

TEST(EmbedLayerTest, NumbersByHand) {
  LayerCase<double> test(EmbedText("num_output: 2 input_dim: 3"), {{2, 2}});
  SetData<double>({2, 0, 1, 2}, test.bottom[0]);
  test.SetUp();
  SetData<double>({1, 2, 3, 4, 5, 6}, test.layer->blobs()[0].get());
  SetData<double>({10, 20}, test.layer->blobs()[1].get());
  test.Forward();
  EXPECT_EQ(test.top[0]->shape(), vector<int>({2, 2, 2}));
  EXPECT_EQ(DataOf(*test.top[0]), vector<double>({15, 26, 11, 22, 13, 24, 15, 26}));
}

TEST(EmbedLayerTest, IsAnInnerProductOfOneHotVectors) {
  LayerCase<double> embed(EmbedText("num_output: 5 input_dim: 4"), {{6}});
  const vector<double> indices = {3, 0, 2, 3, 1, 3};
  SetData(indices, embed.bottom[0]);
  embed.SetUp();
  LayerCase<double> product(
      "type: 'InnerProduct' inner_product_param { num_output: 5 transpose: true }", {{6, 4}});
  product.SetUp();
  for (int i = 0; i < 2; ++i) product.layer->blobs()[i]->CopyFrom(*embed.layer->blobs()[i]);
  for (int i = 0; i < 24; ++i) {
    product.bottom[0]->mutable_cpu_data()[i] = i % 4 == indices[i / 4] ? 1 : 0;
  }
  for (LayerCase<double>* test : {&embed, &product}) {
    test->Forward();
    FillUniform<double>(-1, 1, 3, 30, test->top[0]->mutable_cpu_diff());
    test->Backward(0);
  }
  EXPECT_EQ(DataOf(*embed.top[0]), DataOf(*product.top[0]));
  // Sums of at most six terms in another order.
  for (int i = 0; i < 20; ++i) {
    EXPECT_NEAR(embed.layer->blobs()[0]->cpu_diff()[i], product.layer->blobs()[0]->cpu_diff()[i],
                1e-14);
  }
}

TEST(EmbedLayerTest, Gradients) {
  for (const char* bias : {"", "bias_term: false"}) {
    LayerCase<double> test(EmbedText("num_output: 3 input_dim: 4 " + string(bias)), {{2, 3}});
    SetData<double>({3, 0, 3, 1, 3, 0}, test.bottom[0]);
    // Linear in its parameters; −2 leaves the indices alone.
    GradientChecker<double> checker(1e-2, 1e-9);
    checker.CheckGradient(test.layer.get(), test.bottom, test.top, -2);
  }
}

TEST(EmbedLayerTest, Errors) {
  LayerCase<double> no_output(EmbedText("input_dim: 3"), {{2}});
  EXPECT_CAFFE_ERROR(no_output.SetUp(), "embed (Embed): num_output is missing");
  LayerCase<double> no_input(EmbedText("num_output: 3"), {{2}});
  EXPECT_CAFFE_ERROR(no_input.SetUp(), "input_dim is missing");
  LayerCase<double> test(EmbedText("num_output: 2 input_dim: 3"), {{2, 2}});
  test.SetUp();
  for (const double bad : {3., -1., 1.5, std::numeric_limits<double>::quiet_NaN(), 1e300}) {
    SetData<double>({0, 1, bad, 2}, test.bottom[0]);
    std::ostringstream text;
    text << "has the index " << bad << " at 2, expected an integer from 0 to 2";
    EXPECT_CAFFE_ERROR(test.Forward(), text.str());
  }
  SetData<double>({0, 1, 2, 2}, test.bottom[0]);
  test.Forward();
  EXPECT_FALSE(test.layer->AllowForceBackward(0));
  EXPECT_CAFFE_ERROR(test.Backward(), "holds indices, which have no gradient");
}

}  // namespace caffe
