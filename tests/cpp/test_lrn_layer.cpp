#include <gtest/gtest.h>

#include "caffe/layers/lrn_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

namespace {

string LrnText(const string& param) {
  return "name: 'norm' type: 'LRN' lrn_param { " + param + " }";
}

/** The definition, element by element: distances over channels, or over pixels. */
vector<double> Expected(const Blob<double>& x, const LRNParameter& param) {
  const bool across = param.norm_region() == LRNParameter_NormRegion_ACROSS_CHANNELS;
  const int n = static_cast<int>(param.local_size()), reach = (n - 1) / 2;
  vector<double> y;
  for (int i = 0; i < x.count(); ++i) {
    const int w = i % x.width(), h = i / x.width() % x.height();
    const int c = i / x.count(2) % x.channels(), image = i / x.count(1);
    double sum = 0;
    for (int a = -reach; a <= reach; ++a) {
      for (int b = across ? 0 : -reach; b <= (across ? 0 : reach); ++b) {
        const int cc = c + (across ? a : 0), hh = h + (across ? 0 : a), ww = w + b;
        if (cc < 0 || cc >= x.channels() || hh < 0 || hh >= x.height() || ww < 0 ||
            ww >= x.width()) {
          continue;
        }
        sum += std::pow(x.data_at(image, cc, hh, ww), 2);
      }
    }
    const double alpha = param.alpha(), k = param.k();
    const double scale = across ? k + alpha / n * sum : 1 + alpha / (n * n) * sum;
    y.push_back(x.cpu_data()[i] * std::pow(scale, -double{param.beta()}));
  }
  return y;
}

}  // namespace

TEST(LRNLayerTest, AgreesWithTheDefinition) {
  for (const char* param :
       {"local_size: 3 alpha: 2", "local_size: 5 alpha: 0.7 beta: 0.5 k: 2", "local_size: 1 k: 3",
        "local_size: 9 alpha: 1", "norm_region: WITHIN_CHANNEL local_size: 3 alpha: 2",
        "norm_region: WITHIN_CHANNEL local_size: 9 beta: 1.5",
        "norm_region: WITHIN_CHANNEL local_size: 1"}) {
    SCOPED_TRACE(param);
    LayerCase<double> test(LrnText(param), {{2, 7, 4, 5}});
    test.SetUp();
    for (int round = 0; round < 2; ++round) {
      test.Forward();
      ASSERT_EQ(test.top[0]->shape(), test.bottom[0]->shape());
      const vector<double> expected =
          Expected(*test.bottom[0], test.layer->layer_param().lrn_param());
      // The sums have at most 81 terms near 1.
      for (int i = 0; i < test.top[0]->count(); ++i) {
        ASSERT_NEAR(test.top[0]->cpu_data()[i], expected[i], 1e-12) << i;
      }
      test.bottom[0]->Reshape({1, 2, 3, 12});
    }
  }
}

TEST(LRNLayerTest, NumbersByHand) {
  LayerCase<double> test(LrnText("local_size: 3 alpha: 3 beta: 1 k: 2"), {{1, 3, 1, 1}});
  test.SetUp();
  SetData<double>({1, 2, 3}, test.bottom[0]);
  test.Forward();
  // k + Σ x² is 2 + 1 + 4, 2 + 1 + 4 + 9, 2 + 4 + 9.
  EXPECT_EQ(DataOf(*test.top[0]), vector<double>({1. / 7, 2. / 16, 3. / 15}));
}

TEST(LRNLayerTest, Gradients) {
  for (const char* param : {"local_size: 3 alpha: 2", "local_size: 5 alpha: 3 beta: 0.5 k: 2",
                            "local_size: 15", "norm_region: WITHIN_CHANNEL local_size: 3 alpha: 2",
                            "norm_region: WITHIN_CHANNEL local_size: 7 alpha: 5 beta: 1.5"}) {
    SCOPED_TRACE(param);
    LayerCase<double> test(LrnText(param), {{2, 7, 3, 2}});
    // Error h² times third derivatives of order 10.
    GradientChecker<double> checker(1e-4, 1e-6);
    checker.CheckGradient(test.layer.get(), test.bottom, test.top);
  }
}

TEST(LRNLayerTest, ForwardInPlaceIsTheSameAndBackwardRefuses) {
  for (const char* param : {"local_size: 3", "norm_region: WITHIN_CHANNEL local_size: 3"}) {
    LayerCase<double> apart(LrnText(param), {{2, 4, 3, 3}});
    LayerCase<double> in_place(LrnText(param), {{2, 4, 3, 3}});
    in_place.top = in_place.bottom;
    apart.SetUp();
    in_place.SetUp();
    apart.Forward();
    in_place.Forward();
    EXPECT_EQ(DataOf(*in_place.top[0]), DataOf(*apart.top[0]));
    EXPECT_CAFFE_ERROR(in_place.Backward(), "norm (LRN): the gradient needs the bottom");
  }
}

TEST(LRNLayerTest, Errors) {
  LayerCase<double> even(LrnText("local_size: 4"), {{2, 4, 3, 3}});
  EXPECT_CAFFE_ERROR(even.SetUp(), "local_size must be odd, got 4");
  LayerCase<double> axes(LrnText("local_size: 3"), {{2, 4, 3}});
  EXPECT_CAFFE_ERROR(axes.SetUp(), "bottom[0] has the shape 2 4 3 (24), expected N x C x H x W");
}

}  // namespace caffe
