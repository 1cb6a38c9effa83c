#include <gtest/gtest.h>

#include <vector>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

LayerCase<double> EltwiseCase(const string& param, int num_bottom = 3) {
  return LayerCase<double>("name: 'e' type: 'Eltwise' eltwise_param { " + param + " }",
                           vector<vector<int>>(num_bottom, {2, 3, 2}));
}

TEST(EltwiseLayerTest, Values) {
  LayerCase<double> sum = EltwiseCase("coeff: 1 coeff: -0.5 coeff: 2");
  LayerCase<double> product = EltwiseCase("operation: PROD");
  LayerCase<double> largest = EltwiseCase("operation: MAX");
  for (LayerCase<double>* c : {&sum, &product, &largest}) {
    c->SetUp();
    c->Forward();
    EXPECT_EQ(c->top[0]->shape(), c->bottom[0]->shape());
  }
  for (int i = 0; i < 12; ++i) {
    const auto x = [&](int b) { return sum.bottom[b]->cpu_data()[i]; };
    EXPECT_NEAR(sum.top[0]->cpu_data()[i], x(0) - 0.5 * x(1) + 2 * x(2), 1e-15);
    EXPECT_NEAR(product.top[0]->cpu_data()[i], x(0) * x(1) * x(2), 1e-15);
    EXPECT_EQ(largest.top[0]->cpu_data()[i], std::max(x(0), std::max(x(1), x(2))));
  }
}

TEST(EltwiseLayerTest, Gradient) {
  for (int num_bottom = 2; num_bottom <= 4; ++num_bottom) {
    for (const char* param :
         {"", "operation: PROD", "operation: PROD stable_prod_grad: false", "operation: MAX"}) {
      LayerCase<double> c = EltwiseCase(param, num_bottom);
      GradientChecker<double>(1e-5, 1e-7).CheckGradientEltwise(c.layer.get(), c.bottom, c.top);
      GradientChecker<double>(1e-5, 1e-7).CheckGradient(c.layer.get(), c.bottom, c.top, 1);
    }
  }
  LayerCase<double> c = EltwiseCase("coeff: 1 coeff: -0.5 coeff: 2");
  GradientChecker<double>(1e-2, 1e-9).CheckGradient(c.layer.get(), c.bottom, c.top);
}

TEST(EltwiseLayerTest, StableProductHasAGradientAtZero) {
  LayerCase<double> c = EltwiseCase("operation: PROD", 2);
  c.bottom[0]->mutable_cpu_data()[4] = 0;
  GradientChecker<double>(1e-5, 1e-7).CheckGradient(c.layer.get(), c.bottom, c.top);
}

TEST(EltwiseLayerTest, EqualValuesHaveOneWinner) {
  LayerCase<double> c = EltwiseCase("operation: MAX");
  for (Blob<double>* blob : c.bottom) caffe_set(12, 1.0, blob->mutable_cpu_data());
  c.SetUp();
  c.Forward();
  caffe_set(12, 3.0, c.top[0]->mutable_cpu_diff());
  c.Backward();
  EXPECT_EQ(DiffOf(*c.bottom[0]), vector<double>(12, 0));
  EXPECT_EQ(DiffOf(*c.bottom[1]), vector<double>(12, 3)) << "as in Caffe";
  EXPECT_EQ(DiffOf(*c.bottom[2]), vector<double>(12, 0));
}

TEST(EltwiseLayerTest, Errors) {
  EXPECT_CAFFE_ERROR(EltwiseCase("operation: MAX coeff: 1 coeff: 2", 2).SetUp(),
                     "e (Eltwise): coeff is for the operation SUM, not MAX");
  EXPECT_CAFFE_ERROR(EltwiseCase("coeff: 1 coeff: 2").SetUp(), "2 for 3 bottoms");
  LayerCase<double> shape("type: 'Eltwise'", {{2, 3}, {3, 2}});
  EXPECT_CAFFE_ERROR(shape.SetUp(), "bottom[1] has the shape 3 2 (6)");
  LayerCase<double> one("type: 'Eltwise'", {{2, 3}});
  EXPECT_CAFFE_ERROR(one.SetUp(), "at least 2 bottom");
  LayerCase<double> in_place = EltwiseCase("");
  in_place.top[0] = in_place.bottom[1];
  EXPECT_CAFFE_ERROR(in_place.SetUp(), "cannot work in place, but the top is bottom[1]");
}

}  // namespace caffe
