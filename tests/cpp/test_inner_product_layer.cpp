#include <gtest/gtest.h>

#include "caffe/layers/inner_product_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

namespace {

string IpText(const string& param) {
  return "name: 'ip' type: 'InnerProduct' inner_product_param { weight_filler { type: 'gaussian' "
         "std: 0.5 } bias_filler { type: 'gaussian' std: 0.5 } " +
         param + " }";
}

void CheckGradients(const string& param, const vector<int>& bottom) {
  SCOPED_TRACE(param);
  LayerCase<double> test(IpText(param), {bottom});
  // The layer is linear in each input, so differences are exact but for rounding.
  GradientChecker<double> checker(1e-2, 1e-9);
  checker.CheckGradient(test.layer.get(), test.bottom, test.top);
}

}  // namespace

TEST(InnerProductLayerTest, NumbersByHand) {
  LayerCase<double> test(IpText("num_output: 2"), {{2, 3, 1, 1}});
  test.SetUp();
  EXPECT_EQ(test.layer->blobs()[0]->shape(), vector<int>({2, 3}));
  EXPECT_EQ(test.layer->blobs()[1]->shape(), vector<int>({2}));
  SetData<double>({1, 2, 3, 4, 5, 6}, test.bottom[0]);
  SetData<double>({1, 0, -1, 1, 1, 1}, test.layer->blobs()[0].get());
  SetData<double>({10, 20}, test.layer->blobs()[1].get());
  test.Forward();
  EXPECT_EQ(test.top[0]->shape(), vector<int>({2, 2}));
  EXPECT_EQ(DataOf(*test.top[0]), vector<double>({8, 26, 8, 35}));
}

TEST(InnerProductLayerTest, TransposedWeightsGiveTheSame) {
  LayerCase<double> plain(IpText("num_output: 4"), {{3, 2, 5}});
  LayerCase<double> transposed(IpText("num_output: 4 transpose: true"), {{3, 2, 5}});
  plain.SetUp();
  transposed.SetUp();
  ASSERT_EQ(transposed.layer->blobs()[0]->shape(), vector<int>({10, 4}));
  for (int n = 0; n < 4; ++n) {
    for (int k = 0; k < 10; ++k) {
      transposed.layer->blobs()[0]->mutable_cpu_data()[k * 4 + n] =
          plain.layer->blobs()[0]->cpu_data()[n * 10 + k];
    }
  }
  transposed.layer->blobs()[1]->CopyFrom(*plain.layer->blobs()[1]);
  plain.Forward();
  transposed.Forward();
  // Two orders of the same ten terms near 1.
  for (int i = 0; i < plain.top[0]->count(); ++i) {
    EXPECT_NEAR(transposed.top[0]->cpu_data()[i], plain.top[0]->cpu_data()[i], 1e-14);
  }
}

TEST(InnerProductLayerTest, AxisKeepsTheAxesBeforeIt) {
  LayerCase<double> test(IpText("num_output: 7 axis: -1"), {{2, 3, 5}});
  test.SetUp();
  EXPECT_EQ(test.layer->blobs()[0]->shape(), vector<int>({7, 5}));
  EXPECT_EQ(test.top[0]->shape(), vector<int>({2, 3, 7}));
  LayerCase<double> whole(IpText("num_output: 7 axis: 0"), {{2, 3}});
  whole.SetUp();
  EXPECT_EQ(whole.top[0]->shape(), vector<int>({7}));
  whole.Forward();
}

TEST(InnerProductLayerTest, TheBatchMayChange) {
  LayerCase<double> test(IpText("num_output: 2"), {{1, 3}});
  test.SetUp();
  test.Forward();
  const vector<double> first = DataOf(*test.top[0]);
  const vector<double> row = DataOf(*test.bottom[0]);
  test.bottom[0]->Reshape({4, 3});
  for (int i = 0; i < 12; ++i) test.bottom[0]->mutable_cpu_data()[i] = row[i % 3];
  test.Forward();
  ASSERT_EQ(test.top[0]->shape(), vector<int>({4, 2}));
  for (int i = 0; i < 8; ++i) EXPECT_DOUBLE_EQ(test.top[0]->cpu_data()[i], first[i % 2]);
  caffe_set(8, 1., test.top[0]->mutable_cpu_diff());
  test.Backward();
  EXPECT_EQ(DiffOf(*test.layer->blobs()[1]), vector<double>({4, 4}));
}

TEST(InnerProductLayerTest, Gradients) {
  CheckGradients("num_output: 4", {3, 2, 3});
  CheckGradients("num_output: 4 transpose: true", {3, 2, 3});
  CheckGradients("num_output: 3 axis: 2", {2, 3, 4});
  CheckGradients("num_output: 3 bias_term: false", {2, 4});
}

TEST(InnerProductLayerTest, KeepsToPropagateDown) {
  LayerCase<double> test(IpText("num_output: 2"), {{2, 3}});
  test.SetUp();
  test.Forward();
  caffe_set(4, 1., test.top[0]->mutable_cpu_diff());
  caffe_set(6, 7., test.bottom[0]->mutable_cpu_diff());
  test.layer->set_param_propagate_down(0, false);
  test.Backward(0);
  EXPECT_EQ(DiffOf(*test.bottom[0]), vector<double>(6, 7));
  EXPECT_EQ(test.layer->blobs()[0]->asum_diff(), 0);
  EXPECT_EQ(DiffOf(*test.layer->blobs()[1]), vector<double>({2, 2}));
}

TEST(InnerProductLayerTest, Errors) {
  LayerCase<double> none(IpText(""), {{2, 3}});
  EXPECT_CAFFE_ERROR(none.SetUp(), "ip (InnerProduct): num_output is missing");
  LayerCase<double> axis(IpText("num_output: 2 axis: 2"), {{2, 3}});
  EXPECT_CAFFE_ERROR(axis.SetUp(), "axis 2 out of range");
  LayerCase<double> test(IpText("num_output: 2"), {{2, 3, 4}});
  test.SetUp();
  test.bottom[0]->Reshape({2, 3, 5});
  EXPECT_CAFFE_ERROR(test.Forward(),
                     "bottom[0] has the shape 2 3 5 (30), that is 15 inputs from axis 1 on, "
                     "expected 12 for weights of shape 2 12 (24)");
  LayerParameter param;
  test.layer->ToProto(&param);
  param.mutable_inner_product_param()->set_num_output(3);
  InnerProductLayer<double> other(param);
  EXPECT_CAFFE_ERROR(other.SetUp(test.bottom, test.top),
                     "the weights given have the shape 2 12 (24), expected 3 15 (45)");
  LayerCase<double> in_place(IpText("num_output: 3"), {{2, 3}});
  in_place.top = in_place.bottom;
  EXPECT_CAFFE_ERROR(in_place.SetUp(), "cannot run in place");
}

}  // namespace caffe
