#include <gtest/gtest.h>

#include "caffe/layers/im2col_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "conv_oracle.hpp"
#include "test_util.hpp"

namespace caffe {

namespace {

string Im2colText(const string& param) {
  return "name: 'columns' type: 'Im2col' convolution_param { " + param + " }";
}

/** The sizes for which each product of ForEachProduct is one column element. */
ConvSizes RandomColumns(std::mt19937* random) {
  ConvSizes c = RandomConv(random);
  c.group = 1;
  c.out_channels = 1;
  return c;
}

/** The arrays that the routines for N axes take. */
struct NdArrays {
  explicit NdArrays(const ConvSizes& c) {
    image = {c.in_channels};
    columns = {c.in_channels * Volume(c.Kernel())};
    for (size_t i = 0; i < c.windows.size(); ++i) {
      image.push_back(c.input[i]);
      columns.push_back(c.output[i]);
      kernel.push_back(c.windows[i].kernel);
      pad.push_back(c.windows[i].pad);
      stride.push_back(c.windows[i].stride);
      dilation.push_back(c.windows[i].dilation);
    }
  }
  int axes() const { return static_cast<int>(kernel.size()); }
  vector<int> image, columns, kernel, pad, stride, dilation;
};

void Unfold2D(const ConvSizes& c, const double* image, double* columns) {
  const AxisWindow &h = c.windows[0], &w = c.windows[1];
  im2col_cpu(image, c.in_channels, c.input[0], c.input[1], h.kernel, w.kernel, h.pad, w.pad,
             h.stride, w.stride, h.dilation, w.dilation, columns);
}

void Fold2D(const ConvSizes& c, const double* columns, double* image) {
  const AxisWindow &h = c.windows[0], &w = c.windows[1];
  col2im_cpu(columns, c.in_channels, c.input[0], c.input[1], h.kernel, w.kernel, h.pad, w.pad,
             h.stride, w.stride, h.dilation, w.dilation, image);
}

}  // namespace

TEST(Im2colTest, AgreesWithTheDefinitionOnRandomSizes) {
  std::mt19937 random(41);
  for (int i = 0; i < 100; ++i) {
    ConvSizes c = RandomColumns(&random);
    c.num = 1;
    SCOPED_TRACE(WindowText(c));
    const int pixels = Volume(c.output);
    vector<double> image(c.in_channels * Volume(c.input));
    vector<double> columns(c.in_channels * Volume(c.Kernel()) * pixels, 7);
    vector<double> expected(columns.size(), 0), folded(image.size(), 7), sums(image.size(), 0);
    FillUniform<double>(-1, 1, 2, static_cast<int>(image.size()), image.data());
    ForEachProduct(c, [&](int w, int in, int out) { expected[w * pixels + out] = image[in]; });

    const NdArrays a(c);
    im2col_nd_cpu(image.data(), a.axes(), a.image.data(), a.columns.data(), a.kernel.data(),
                  a.pad.data(), a.stride.data(), a.dilation.data(), columns.data());
    EXPECT_EQ(columns, expected);

    FillUniform<double>(-1, 1, 3, static_cast<int>(columns.size()), columns.data());
    ForEachProduct(c, [&](int w, int in, int out) { sums[in] += columns[w * pixels + out]; });
    col2im_nd_cpu(columns.data(), a.axes(), a.image.data(), a.columns.data(), a.kernel.data(),
                  a.pad.data(), a.stride.data(), a.dilation.data(), folded.data());
    // Sums of at most 64 terms below 1, in another order.
    for (size_t j = 0; j < sums.size(); ++j) ASSERT_NEAR(folded[j], sums[j], 1e-13);

    if (a.axes() != 2) continue;
    vector<double> columns_2d(columns.size(), 7), folded_2d(image.size(), 7);
    Fold2D(c, columns.data(), folded_2d.data());
    EXPECT_EQ(folded_2d, folded);
    Unfold2D(c, image.data(), columns_2d.data());
    EXPECT_EQ(columns_2d, expected);
  }
}

TEST(Im2colLayerTest, NumbersByHand) {
  LayerCase<double> test(Im2colText("kernel_h: 1 kernel_w: 2 pad_w: 1 stride_h: 2 stride_w: 1"),
                         {{1, 1, 3, 2}});
  test.SetUp();
  SetData<double>({1, 2, 3, 4, 5, 6}, test.bottom[0]);
  test.Forward();
  EXPECT_EQ(test.top[0]->shape(), vector<int>({1, 2, 2, 3}));
  EXPECT_EQ(DataOf(*test.top[0]), vector<double>({0, 1, 2, 0, 5, 6, 1, 2, 0, 5, 6, 0}));
}

TEST(Im2colLayerTest, AMatrixProductOfItsTopIsTheConvolution) {
  const string window = "kernel_size: 3 stride: 2 pad: 2 dilation: 2 ";
  LayerCase<double> conv(
      "type: 'Convolution' convolution_param { num_output: 4 bias_term: false "
      "weight_filler { type: 'gaussian' } " +
          window + "}",
      {{2, 3, 7, 6}});
  LayerCase<double> columns(Im2colText(window), {{2, 3, 7, 6}});
  conv.SetUp();
  columns.SetUp();
  // Two batches of different sizes.
  for (const int size : {6, 9}) {
    const vector<int> shape = {2, 3, 7, size};
    for (LayerCase<double>* test : {&conv, &columns}) {
      test->bottom[0]->Reshape(shape);
      FillUniform<double>(-1, 1, 3, test->bottom[0]->count(), test->bottom[0]->mutable_cpu_data());
      test->Forward();
    }
    const int pixels = conv.top[0]->count(2);
    vector<double> product(conv.top[0]->count());
    for (int n = 0; n < 2; ++n) {
      caffe_cpu_gemm(
          CblasNoTrans, CblasNoTrans, 4, pixels, 27, 1., conv.layer->blobs()[0]->cpu_data(),
          columns.top[0]->cpu_data() + n * 27 * pixels, 0., product.data() + n * 4 * pixels);
    }
    EXPECT_EQ(DataOf(*conv.top[0]), product);
  }
}

TEST(Im2colLayerTest, Gradients) {
  const vector<pair<string, vector<int>>> cases = {
      {"kernel_size: 3 stride: 2 pad: 1", {2, 2, 5, 4}},
      {"kernel_size: 2 dilation: 2", {2, 2, 4, 5}},
      {"kernel_size: 2 pad: 1 force_nd_im2col: true", {2, 2, 2, 3, 2}},
      {"kernel_size: 2 axis: 2", {2, 2, 2, 4}}};
  for (const auto& sizes : cases) {
    LayerCase<double> test(Im2colText(sizes.first), {sizes.second});
    // Linear, so differences are exact but for rounding.
    GradientChecker<double> checker(1e-2, 1e-9);
    checker.CheckGradient(test.layer.get(), test.bottom, test.top);
  }
}

TEST(Im2colLayerTest, Errors) {
  LayerCase<double> axes(Im2colText("kernel_size: 2"), {{2, 3}});
  EXPECT_CAFFE_ERROR(axes.SetUp(), "columns (Im2col): bottom[0] has the shape 2 3 (6), without");
  LayerCase<double> none(Im2colText(""), {{2, 3, 4, 4}});
  EXPECT_CAFFE_ERROR(none.SetUp(), "kernel_size is missing");
  LayerCase<double> large(Im2colText("kernel_size: 5"), {{2, 3, 5, 4}});
  EXPECT_CAFFE_ERROR(large.SetUp(), "kernel 5 with dilation 1 spans 5, input 4 with pad 0 is 4");
  LayerCase<double> test(Im2colText("kernel_size: 2"), {{2, 3, 5, 4}});
  test.SetUp();
  test.bottom[0]->Reshape({2, 4, 5, 4});
  EXPECT_CAFFE_ERROR(test.Forward(), "expected 4 axes and 3 channels");
}

}  // namespace caffe
