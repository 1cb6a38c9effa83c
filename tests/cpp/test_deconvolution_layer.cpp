#include <gtest/gtest.h>

#include <limits>

#include "caffe/layers/deconv_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "conv_oracle.hpp"
#include "test_util.hpp"

namespace caffe {

namespace {

string DeconvText(const string& param) {
  return "name: 'up' type: 'Deconvolution' convolution_param { weight_filler { type: 'gaussian' "
         "std: 0.5 } bias_filler { type: 'gaussian' std: 0.5 } " +
         param + " }";
}

/** The layer's bottom is the output of the convolution that `c` describes, its top the input. */
template <typename Dtype>
void CompareWithOracle(const ConvSizes& c, bool bias, LayerCase<Dtype>* test) {
  test->bottom[0]->Reshape(c.OutputShape());
  FillUniform<Dtype>(-1, 1, 3, test->bottom[0]->count(), test->bottom[0]->mutable_cpu_data());
  test->Forward();
  ASSERT_EQ(test->top[0]->shape(), c.InputShape());
  FillUniform<Dtype>(-1, 1, 4, test->top[0]->count(), test->top[0]->mutable_cpu_diff());
  caffe_set(test->bottom[0]->count(), std::numeric_limits<Dtype>::quiet_NaN(),
            test->bottom[0]->mutable_cpu_diff());
  for (const auto& blob : test->layer->blobs()) {
    caffe_set(blob->count(), Dtype(2), blob->mutable_cpu_diff());
  }
  test->Backward();

  const Blob<Dtype>& weights = *test->layer->blobs()[0];
  ASSERT_EQ(weights.shape(), c.WeightShape());
  vector<Dtype> top(test->top[0]->count()), bottom_diff(test->bottom[0]->count());
  vector<Dtype> weight_diff(weights.count(), 2), bias_diff(c.in_channels, 2);
  const Dtype *x = test->bottom[0]->cpu_data(), *dy = test->top[0]->cpu_diff();
  for (size_t i = 0; i < top.size(); ++i) {
    const int channel = static_cast<int>(i) / Volume(c.input) % c.in_channels;
    if (bias) top[i] = test->layer->blobs()[1]->cpu_data()[channel];
    bias_diff[channel] += dy[i];
  }
  ForEachProduct(c, [&](int w, int in, int out) {
    top[in] += weights.cpu_data()[w] * x[out];
    bottom_diff[out] += weights.cpu_data()[w] * dy[in];
    weight_diff[w] += x[out] * dy[in];
  });
  ExpectSame(DataOf(*test->top[0]), top, "top");
  ExpectSame(DiffOf(*test->bottom[0]), bottom_diff, "gradient of the bottom");
  ExpectSame(DiffOf(weights), weight_diff, "gradient of the weights");
  if (bias) ExpectSame(DiffOf(*test->layer->blobs()[1]), bias_diff, "gradient of the bias");
}

/** Lets the convolution's input be what its output unfolds to. Whether something remains. */
bool FitInput(ConvSizes* c) {
  for (size_t i = 0; i < c->input.size(); ++i) {
    const AxisWindow& w = c->windows[i];
    c->input[i] = w.stride * (c->output[i] - 1) + static_cast<int>(w.extent()) - 2 * w.pad;
    if (c->input[i] < 1) return false;
  }
  return true;
}

void CheckGradients(const string& param, const vector<vector<int>>& bottoms) {
  SCOPED_TRACE(param);
  LayerCase<double> test(DeconvText(param), bottoms, static_cast<int>(bottoms.size()));
  // The layer is linear in each input, so differences are exact but for rounding.
  GradientChecker<double> checker(1e-2, 1e-9);
  checker.CheckGradient(test.layer.get(), test.bottom, test.top);
}

}  // namespace

TEST(DeconvolutionLayerTest, NumbersByHand) {
  LayerCase<double> test(DeconvText("num_output: 1 kernel_h: 1 kernel_w: 3 pad_h: 0 pad_w: 1 "
                                    "stride_h: 1 stride_w: 2"),
                         {{1, 1, 1, 2}});
  test.SetUp();
  SetData<double>({1, 10}, test.bottom[0]);
  SetData<double>({2, 3, 4}, test.layer->blobs()[0].get());
  SetData<double>({0.5}, test.layer->blobs()[1].get());
  test.Forward();
  // 2 3 4 0 0 and 0 0 20 30 40 add up to 2 3 24 30 40; the pad cuts one off either end.
  EXPECT_EQ(test.top[0]->shape(), vector<int>({1, 1, 1, 3}));
  EXPECT_EQ(DataOf(*test.top[0]), vector<double>({3.5, 24.5, 30.5}));
}

TEST(DeconvolutionLayerTest, AgreesWithTheDefinitionOnRandomSizes) {
  std::mt19937 random(21);
  int compared = 0;
  while (compared < 50) {
    ConvSizes c = RandomConv(&random);
    if (!FitInput(&c)) continue;
    ++compared;
    const bool bias = random() % 2 == 0, force_nd = random() % 4 == 0;
    const string text = "num_output: " + std::to_string(c.in_channels) + " " + WindowText(c) +
                        (bias ? "" : " bias_term: false") +
                        (force_nd ? " force_nd_im2col: true" : "");
    SCOPED_TRACE(text);
    LayerCase<double> test(DeconvText(text), {c.OutputShape()});
    test.SetUp();
    CompareWithOracle(c, bias, &test);
    c.num = 3 - c.num;
    for (int& size : c.output) size += Draw(&random, 0, 3);
    FitInput(&c);
    CompareWithOracle(c, bias, &test);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(DeconvolutionLayerTest, IsTheTransposeOfTheConvolution) {
  // <y, conv(x)> = <deconv(y), x> with the same weights, here with groups and dilation.
  const string param =
      "group: 2 kernel_size: 3 stride: 2 pad: 1 dilation: 2 bias_term: false num_output: ";
  LayerCase<double> up(DeconvText(param + "4"), {{2, 6, 4, 5}});
  up.SetUp();
  const string text = "type: 'Convolution' convolution_param { " + param + "6 }";
  LayerCase<double> down(text, {up.top[0]->shape()});
  down.SetUp();
  down.layer->blobs()[0]->CopyFrom(*up.layer->blobs()[0]);
  down.Forward();
  up.Forward();
  ASSERT_EQ(down.top[0]->shape(), up.bottom[0]->shape());
  const double right =
      caffe_cpu_dot(up.top[0]->count(), up.top[0]->cpu_data(), down.bottom[0]->cpu_data());
  const double left =
      caffe_cpu_dot(down.top[0]->count(), down.top[0]->cpu_data(), up.bottom[0]->cpu_data());
  // Two orders of the same some thousand products of size 1.
  EXPECT_NEAR(left, right, 1e-11);
}

TEST(DeconvolutionLayerTest, BilinearKernelsUpsampleAConstantToItself) {
  const string text =
      "type: 'Deconvolution' convolution_param { kernel_size: 4 stride: 2 pad: 1 num_output: 3 "
      "group: 3 bias_term: false weight_filler { type: 'bilinear' } }";
  LayerCase<double> test(text, {{2, 3, 4, 5}});
  test.SetUp();
  caffe_set(test.bottom[0]->count(), 1., test.bottom[0]->mutable_cpu_data());
  test.Forward();
  ASSERT_EQ(test.top[0]->shape(), vector<int>({2, 3, 8, 10}));
  for (int y = 1; y < 7; ++y) {
    for (int x = 1; x < 9; ++x) EXPECT_DOUBLE_EQ(test.top[0]->data_at(1, 2, y, x), 1);
  }
}

TEST(DeconvolutionLayerTest, Gradients) {
  CheckGradients("num_output: 3 kernel_size: 3 stride: 2 pad: 1", {{2, 2, 3, 4}});
  CheckGradients("num_output: 2 kernel_size: 2 dilation: 2", {{2, 3, 3, 2}});
  CheckGradients("num_output: 4 kernel_size: 4 stride: 2 pad: 1 group: 4", {{2, 4, 3, 2}});
  CheckGradients("num_output: 4 kernel_size: 2 group: 2", {{2, 2, 3, 2}});
  CheckGradients("num_output: 2 kernel_size: 1", {{2, 3, 2, 2}});
  CheckGradients("num_output: 2 kernel_size: 2 stride: 2", {{2, 2, 2, 2, 3}});
  CheckGradients("num_output: 2 kernel_size: 3 pad: 1", {{2, 2, 3, 3}, {2, 2, 3, 3}});
}

TEST(DeconvolutionLayerTest, GradientOfTheBottomWithFixedWeights) {
  // The columns that the weights' gradient leaves behind are not there to be reused.
  LayerCase<double> test(DeconvText("num_output: 2 kernel_size: 3 stride: 2"), {{2, 2, 3, 3}});
  test.SetUp();
  test.Forward();
  FillUniform(-1., 1., 4, test.top[0]->count(), test.top[0]->mutable_cpu_diff());
  test.Backward();
  const vector<double> expected = DiffOf(*test.bottom[0]);
  test.layer->set_param_propagate_down(0, false);
  test.Forward();
  test.Backward();
  EXPECT_EQ(DiffOf(*test.bottom[0]), expected);
}

TEST(DeconvolutionLayerTest, Errors) {
  LayerCase<double> nothing(DeconvText("num_output: 2 kernel_size: 2 pad: 3"), {{1, 2, 9, 3}});
  EXPECT_CAFFE_ERROR(nothing.SetUp(),
                     "up (Deconvolution): the output on spatial axis 1 would be -2: input 3, "
                     "stride 1, kernel 2 with dilation 1 spans 2, pad 3");
  LayerCase<double> group(DeconvText("num_output: 4 kernel_size: 2 group: 4"), {{1, 6, 3, 3}});
  EXPECT_CAFFE_ERROR(group.SetUp(), "6 channels are not divisible by group 4");
  LayerCase<double> channels(DeconvText("num_output: 4 kernel_size: 2"), {{1, 6, 3, 3}});
  channels.SetUp();
  channels.bottom[0]->Reshape({1, 4, 3, 3});
  EXPECT_CAFFE_ERROR(channels.Forward(), "expected 6 channels for weights of shape 6 4 2 2 (96)");
}

}  // namespace caffe
