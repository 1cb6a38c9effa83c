#include <gtest/gtest.h>
#include <omp.h>

#include <limits>

#include "caffe/layers/conv_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "conv_oracle.hpp"
#include "test_util.hpp"

namespace caffe {

namespace {

string ConvText(const string& param) {
  return "name: 'conv' type: 'Convolution' convolution_param { weight_filler { type: 'gaussian' "
         "std: 0.5 } bias_filler { type: 'gaussian' std: 0.5 } " +
         param + " }";
}

/** Runs the layer forward and backward, and compares all results with the definition. */
template <typename Dtype>
void CompareWithOracle(const ConvSizes& c, bool bias, LayerCase<Dtype>* test) {
  test->bottom[0]->Reshape(c.InputShape());
  FillUniform<Dtype>(-1, 1, 3, test->bottom[0]->count(), test->bottom[0]->mutable_cpu_data());
  test->Forward();
  ASSERT_EQ(test->top[0]->shape(), c.OutputShape());
  FillUniform<Dtype>(-1, 1, 4, test->top[0]->count(), test->top[0]->mutable_cpu_diff());
  caffe_set(test->bottom[0]->count(), std::numeric_limits<Dtype>::quiet_NaN(),
            test->bottom[0]->mutable_cpu_diff());
  // Gradients of parameters are added to.
  for (const auto& blob : test->layer->blobs()) {
    caffe_set(blob->count(), Dtype(2), blob->mutable_cpu_diff());
  }
  test->Backward();

  const Blob<Dtype>& weights = *test->layer->blobs()[0];
  ASSERT_EQ(weights.shape(), c.WeightShape());
  vector<Dtype> top(test->top[0]->count()), bottom_diff(test->bottom[0]->count());
  vector<Dtype> weight_diff(weights.count(), 2), bias_diff(c.out_channels, 2);
  const Dtype *x = test->bottom[0]->cpu_data(), *dy = test->top[0]->cpu_diff();
  const int pixels = Volume(c.output);
  for (size_t i = 0; i < top.size(); ++i) {
    const int channel = static_cast<int>(i) / pixels % c.out_channels;
    if (bias) top[i] = test->layer->blobs()[1]->cpu_data()[channel];
    bias_diff[channel] += dy[i];
  }
  ForEachProduct(c, [&](int w, int in, int out) {
    top[out] += weights.cpu_data()[w] * x[in];
    bottom_diff[in] += weights.cpu_data()[w] * dy[out];
    weight_diff[w] += x[in] * dy[out];
  });
  ExpectSame(DataOf(*test->top[0]), top, "top");
  ExpectSame(DiffOf(*test->bottom[0]), bottom_diff, "gradient of the bottom");
  ExpectSame(DiffOf(weights), weight_diff, "gradient of the weights");
  if (bias) ExpectSame(DiffOf(*test->layer->blobs()[1]), bias_diff, "gradient of the bias");
}

template <typename Dtype>
void CompareRandomCases(int count, unsigned seed) {
  std::mt19937 random(seed);
  for (int i = 0; i < count; ++i) {
    ConvSizes c = RandomConv(&random);
    const bool bias = random() % 2 == 0, force_nd = random() % 4 == 0;
    const string text = "num_output: " + std::to_string(c.out_channels) + " " + WindowText(c) +
                        (bias ? "" : " bias_term: false") +
                        (force_nd ? " force_nd_im2col: true" : "");
    SCOPED_TRACE(text);
    LayerCase<Dtype> test(ConvText(text), {c.InputShape()});
    test.SetUp();
    CompareWithOracle(c, bias, &test);
    // The same layer on another batch and another image size.
    c.num = 3 - c.num;
    for (size_t axis = 0; axis < c.input.size(); ++axis) {
      const AxisWindow& w = c.windows[axis];
      c.input[axis] += Draw(&random, 0, 3);
      c.output[axis] = (c.input[axis] + 2 * w.pad - static_cast<int>(w.extent())) / w.stride + 1;
    }
    CompareWithOracle(c, bias, &test);
    if (::testing::Test::HasFailure()) return;
  }
}

void CheckGradients(const string& param, const vector<vector<int>>& bottoms) {
  SCOPED_TRACE(param);
  LayerCase<double> test(ConvText(param), bottoms, static_cast<int>(bottoms.size()));
  // The layer is linear in each input, so differences are exact but for rounding.
  GradientChecker<double> checker(1e-2, 1e-9);
  checker.CheckGradient(test.layer.get(), test.bottom, test.top);
}

}  // namespace

TEST(ConvolutionLayerTest, NumbersByHand) {
  LayerCase<double> test(ConvText("num_output: 1 kernel_h: 2 kernel_w: 1 pad_h: 1 pad_w: 0 "
                                  "stride_h: 2 stride_w: 1"),
                         {{1, 1, 3, 2}});
  test.SetUp();
  SetData<double>({1, 2, 3, 4, 5, 6}, test.bottom[0]);
  SetData<double>({10, 1}, test.layer->blobs()[0].get());
  SetData<double>({0.5}, test.layer->blobs()[1].get());
  test.Forward();
  // Rows -1 and 0, then rows 1 and 2: 10 times the upper and once the lower.
  EXPECT_EQ(test.top[0]->shape(), vector<int>({1, 1, 2, 2}));
  EXPECT_EQ(DataOf(*test.top[0]), vector<double>({1.5, 2.5, 35.5, 46.5}));
}

TEST(ConvolutionLayerTest, AgreesWithTheDefinitionOnRandomSizes) {
  CompareRandomCases<double>(60, 11);
}

TEST(ConvolutionLayerTest, AgreesWithTheDefinitionInFloat) { CompareRandomCases<float>(12, 12); }

TEST(ConvolutionLayerTest, AgreesWithTheDefinitionAboveTheThresholdsOfThreads) {
  ConvSizes c;
  c.num = 2;
  c.in_channels = c.out_channels = 12;
  c.windows = {{3, 1, 1, 1}, {3, 1, 1, 1}};
  c.input = c.output = {21, 23};
  for (const int group : {1, 3, 12}) {
    c.group = group;
    LayerCase<double> test(ConvText("num_output: 12 " + WindowText(c)), {c.InputShape()});
    test.SetUp();
    CompareWithOracle(c, true, &test);
  }
}

TEST(ConvolutionLayerTest, DepthwiseResultsDoNotDependOnTheThreads) {
  const int threads = omp_get_max_threads();
  vector<vector<float>> results[2];
  for (int round = 0; round < 2; ++round) {
    omp_set_num_threads(round == 0 ? 1 : 3);
    Caffe::set_random_seed(1);
    LayerCase<float> test(ConvText("num_output: 32 group: 16 kernel_size: 3 pad: 1 stride: 2"),
                          {{2, 16, 41, 43}});
    test.SetUp();
    test.Forward();
    FillUniform<float>(-1, 1, 4, test.top[0]->count(), test.top[0]->mutable_cpu_diff());
    test.Backward();
    results[round] = {DataOf(*test.top[0]), DiffOf(*test.bottom[0]),
                      DiffOf(*test.layer->blobs()[0])};
  }
  omp_set_num_threads(threads);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(results[0][i], results[1][i]) << i;
}

TEST(ConvolutionLayerTest, Gradients) {
  CheckGradients("num_output: 4 kernel_size: 3 stride: 2 pad: 1", {{2, 3, 6, 5}});
  CheckGradients("num_output: 2 kernel_size: 3 dilation: 2 pad: 2", {{2, 3, 5, 4}});
  CheckGradients("num_output: 3 kernel_size: 2 group: 3", {{2, 6, 4, 3}});
  CheckGradients("num_output: 6 kernel_size: 3 pad: 1 stride: 2 group: 3", {{2, 3, 5, 6}});
  CheckGradients("num_output: 3 kernel_size: 1", {{2, 4, 3, 3}});
  CheckGradients("num_output: 3 kernel_size: 2 bias_term: false", {{2, 2, 3, 4, 3}});
  CheckGradients("num_output: 2 kernel_size: 3 pad: 1", {{2, 2, 3, 3}, {2, 2, 3, 3}});
}

TEST(ConvolutionLayerTest, KeepsToPropagateDown) {
  LayerCase<double> test(ConvText("num_output: 2 kernel_size: 3"), {{1, 2, 4, 4}, {1, 2, 4, 4}}, 2);
  test.SetUp();
  test.Forward();
  for (Blob<double>* top : test.top) caffe_set(top->count(), 1., top->mutable_cpu_diff());
  test.layer->set_param_propagate_down(0, false);
  caffe_set(test.bottom[1]->count(), 7., test.bottom[1]->mutable_cpu_diff());
  test.Backward(1);
  EXPECT_NE(test.bottom[0]->asum_diff(), 0);
  EXPECT_EQ(DiffOf(*test.bottom[1]), vector<double>(32, 7));
  EXPECT_EQ(test.layer->blobs()[0]->asum_diff(), 0);
  EXPECT_EQ(DiffOf(*test.layer->blobs()[1]), vector<double>(2, 8));  // 2 bottoms of 4 pixels
}

TEST(ConvolutionLayerTest, AxesBeforeTheChannelAxisAreTheBatch) {
  const string param = "num_output: 3 kernel_size: 2 ";
  LayerCase<double> folded(ConvText(param), {{6, 2, 4, 5}});
  LayerCase<double> test(ConvText(param + "axis: -3"), {{2, 3, 2, 4, 5}});
  folded.SetUp();
  test.SetUp();
  for (int i = 0; i < 2; ++i) test.layer->blobs()[i]->CopyFrom(*folded.layer->blobs()[i]);
  SetData(DataOf(*folded.bottom[0]), test.bottom[0]);
  folded.Forward();
  test.Forward();
  EXPECT_EQ(test.top[0]->shape(), vector<int>({2, 3, 3, 3, 4}));
  EXPECT_EQ(DataOf(*test.top[0]), DataOf(*folded.top[0]));
}

TEST(ConvolutionLayerTest, WithoutSpatialAxesItIsAnInnerProduct) {
  LayerCase<double> test(ConvText("num_output: 2 kernel_size: 1"), {{1, 3}});
  test.SetUp();
  SetData<double>({1, 2, 3}, test.bottom[0]);
  SetData<double>({1, 0, -1, 2, 2, 2}, test.layer->blobs()[0].get());
  SetData<double>({10, 20}, test.layer->blobs()[1].get());
  test.Forward();
  EXPECT_EQ(DataOf(*test.top[0]), vector<double>({8, 32}));
  CheckGradients("num_output: 4 kernel_size: 1 group: 2", {{2, 2}});
}

TEST(ConvolutionLayerTest, TakesTheParametersItIsGiven) {
  LayerCase<double> donor(ConvText("num_output: 2 kernel_size: 3"), {{1, 2, 4, 4}});
  donor.SetUp();
  LayerParameter param;
  donor.layer->ToProto(&param);
  ConvolutionLayer<double> layer(param);
  layer.SetUp(donor.bottom, donor.top);
  EXPECT_EQ(DataOf(*layer.blobs()[0]), DataOf(*donor.layer->blobs()[0]));

  param.mutable_convolution_param()->set_kernel_size(0, 2);
  ConvolutionLayer<double> other(param);
  EXPECT_CAFFE_ERROR(other.SetUp(donor.bottom, donor.top),
                     "conv (Convolution): the weights given have the shape 2 2 3 3 (36), expected "
                     "2 2 2 2 (16)");
  param.mutable_convolution_param()->set_bias_term(false);
  ConvolutionLayer<double> fewer(param);
  EXPECT_CAFFE_ERROR(fewer.SetUp(donor.bottom, donor.top), "given 2 parameter(s), expected 1");
}

namespace {

void ExpectSetUpError(const string& param, const vector<int>& bottom, const string& error) {
  LayerCase<double> test(ConvText(param), {bottom});
  EXPECT_CAFFE_ERROR(test.SetUp(), error);
}

}  // namespace

TEST(ConvolutionLayerTest, ErrorsOfTheParameters) {
  const vector<int> shape = {2, 4, 5, 6};
  ExpectSetUpError("kernel_size: 3", shape, "conv (Convolution): num_output is missing");
  ExpectSetUpError("num_output: 2", shape, "kernel_size is missing");
  ExpectSetUpError("num_output: 2 kernel_size: 0", shape, "kernel_size must be at least 1, got 0");
  ExpectSetUpError("num_output: 2 kernel_h: 3", shape, "kernel_w must be at least 1, got 0");
  ExpectSetUpError("num_output: 2 kernel_size: 3 kernel_h: 3 kernel_w: 3", shape,
                   "kernel_size and kernel_h or kernel_w are both given");
  ExpectSetUpError("num_output: 2 kernel_size: 3 kernel_size: 3 kernel_size: 3", shape,
                   "kernel_size has 3 values for 2 spatial axes");
  ExpectSetUpError("num_output: 2 kernel_size: 3 stride: 0", shape,
                   "stride must be at least 1, got 0");
  ExpectSetUpError("num_output: 2 kernel_size: 3 dilation: 0", shape,
                   "dilation must be at least 1, got 0");
  ExpectSetUpError("num_output: 2 kernel_size: 3 pad: 4294967295", shape,
                   "pad 4294967295 is too large");
  ExpectSetUpError("num_output: 2 kernel_h: 3 kernel_w: 3", {2, 4, 5},
                   "for two spatial axes, the bottom has 1");
  ExpectSetUpError("num_output: 6 kernel_size: 3 group: 3", shape,
                   "the bottom's 4 channels are not divisible by group 3");
  ExpectSetUpError("num_output: 3 kernel_size: 3 group: 2", shape,
                   "num_output 3 is not divisible by group 2");
  ExpectSetUpError("num_output: 2 kernel_size: 3 group: 0", shape, "group must be at least 1");
  ExpectSetUpError("num_output: 2 kernel_size: 3 axis: 4", shape, "axis 4 out of range");
}

TEST(ConvolutionLayerTest, ErrorsOfTheKernelNameItsSizeAndTheInputs) {
  ExpectSetUpError("num_output: 2 kernel_size: 3 dilation: 4 pad: 1", {2, 4, 7, 6},
                   "the kernel is larger than the padded input on spatial axis 1: kernel 3 with "
                   "dilation 4 spans 9, input 6 with pad 1 is 8");
  // One short of the kernel, where a division that rounds towards zero would give one output.
  ExpectSetUpError("num_output: 2 kernel_size: 3 stride: 2", {2, 4, 2, 6},
                   "spatial axis 0: kernel 3 with dilation 1 spans 3, input 2 with pad 0 is 2");
}

TEST(ConvolutionLayerTest, ErrorsOfBottomsThatChange) {
  LayerCase<double> test(ConvText("num_output: 2 kernel_size: 3"), {{2, 4, 5, 6}});
  test.SetUp();
  test.bottom[0]->Reshape({2, 3, 5, 6});
  EXPECT_CAFFE_ERROR(test.Forward(),
                     "bottom[0] has the shape 2 3 5 6 (180), expected 4 channels for weights of "
                     "shape 2 4 3 3 (72)");
  test.bottom[0]->Reshape({2, 4, 5});
  EXPECT_CAFFE_ERROR(test.Forward(), "expected 4 axes");
  LayerCase<double> two(ConvText("num_output: 2 kernel_size: 3"), {{2, 4, 5, 6}, {2, 4, 6, 5}}, 2);
  EXPECT_CAFFE_ERROR(two.SetUp(), "bottom[1] has the shape 2 4 6 5 (240), expected that of bottom");
}

TEST(ConvolutionLayerTest, CannotRunInPlace) {
  LayerCase<double> test(ConvText("num_output: 4 kernel_size: 1"), {{2, 4, 5, 6}});
  test.top = test.bottom;
  EXPECT_CAFFE_ERROR(test.SetUp(), "cannot run in place");
}

namespace {

/** A layer in the manner of those written for Caffe: a convolution with doubled weights. */
template <typename Dtype>
class DoubledConvolutionLayer : public BaseConvolutionLayer<Dtype> {
 public:
  explicit DoubledConvolutionLayer(const LayerParameter& param)
      : BaseConvolutionLayer<Dtype>(param) {}
  virtual inline const char* type() const { return "DoubledConvolution"; }

 protected:
  virtual inline bool reverse_dimensions() { return false; }
  virtual void compute_output_shape() {
    const int* kernel_shape_data = this->kernel_shape_.cpu_data();
    const int* stride_data = this->stride_.cpu_data();
    const int* pad_data = this->pad_.cpu_data();
    const int* dilation_data = this->dilation_.cpu_data();
    this->output_shape_.clear();
    for (int i = 0; i < this->num_spatial_axes_; ++i) {
      const int input_dim = this->input_shape(i + 1);
      const int kernel_extent = dilation_data[i] * (kernel_shape_data[i] - 1) + 1;
      this->output_shape_.push_back((input_dim + 2 * pad_data[i] - kernel_extent) / stride_data[i] +
                                    1);
    }
  }
  virtual void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
    Blob<Dtype> weight(this->blobs_[0]->shape());
    caffe_cpu_scale(weight.count(), Dtype(2), this->blobs_[0]->cpu_data(),
                    weight.mutable_cpu_data());
    for (int n = 0; n < this->num_; ++n) {
      this->forward_cpu_gemm(bottom[0]->cpu_data() + n * this->bottom_dim_, weight.cpu_data(),
                             top[0]->mutable_cpu_data() + n * this->top_dim_);
      if (this->bias_term_) {
        this->forward_cpu_bias(top[0]->mutable_cpu_data() + n * this->top_dim_,
                               this->blobs_[1]->cpu_data());
      }
    }
  }
  virtual void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                            const vector<Blob<Dtype>*>& bottom) {
    CHECK_EQ(this->weight_offset_ * this->group_, this->blobs_[0]->count());
    Blob<Dtype> weight(this->blobs_[0]->shape());
    caffe_cpu_scale(weight.count(), Dtype(2), this->blobs_[0]->cpu_data(),
                    weight.mutable_cpu_data());
    caffe_set(weight.count(), Dtype(0), weight.mutable_cpu_diff());
    for (int n = 0; n < this->num_; ++n) {
      const Dtype* top_diff = top[0]->cpu_diff() + n * this->top_dim_;
      this->backward_cpu_bias(this->blobs_[1]->mutable_cpu_diff(), top_diff);
      this->weight_cpu_gemm(bottom[0]->cpu_data() + n * this->bottom_dim_, top_diff,
                            weight.mutable_cpu_diff());
      if (propagate_down[0]) {
        this->backward_cpu_gemm(top_diff, weight.cpu_data(),
                                bottom[0]->mutable_cpu_diff() + n * this->bottom_dim_);
      }
    }
    caffe_axpy(weight.count(), Dtype(2), weight.cpu_diff(), this->blobs_[0]->mutable_cpu_diff());
  }
};

}  // namespace

TEST(ConvolutionLayerTest, ALayerDerivedInCaffesMannerWorks) {
  for (const char* group : {"", "group: 2"}) {
    LayerCase<double> test(ConvText("num_output: 2 kernel_size: 3 pad: 1 " + string(group)),
                           {{2, 2, 4, 3}});
    DoubledConvolutionLayer<double> layer(test.layer->layer_param());
    // Linear in each input, as the convolution itself.
    GradientChecker<double> checker(1e-2, 1e-9);
    checker.CheckGradient(&layer, test.bottom, test.top);
  }
}

}  // namespace caffe
