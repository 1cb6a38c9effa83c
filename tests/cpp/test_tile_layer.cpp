#include <gtest/gtest.h>

#include "caffe/layers/tile_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "test_util.hpp"

namespace caffe {

namespace {

string TileText(const string& param) {
  return "name: 'tile' type: 'Tile' tile_param { " + param + " }";
}

}  // namespace

TEST(TileLayerTest, NumbersByHand) {
  LayerCase<double> test(TileText("tiles: 2"), {{2, 2, 1}});
  test.SetUp();
  SetData<double>({1, 2, 3, 4}, test.bottom[0]);
  test.Forward();
  EXPECT_EQ(test.top[0]->shape(), vector<int>({2, 4, 1}));
  EXPECT_EQ(DataOf(*test.top[0]), vector<double>({1, 2, 1, 2, 3, 4, 3, 4}));
}

TEST(TileLayerTest, RepeatsAlongEachAxis) {
  for (int axis = 0; axis < 4; ++axis) {
    LayerCase<double> test(TileText("tiles: 3 axis: " + std::to_string(axis - 4)), {{2, 3, 4, 5}});
    test.SetUp();
    for (int round = 0; round < 2; ++round) {
      test.Forward();
      vector<int> shape = test.bottom[0]->shape();
      shape[axis] *= 3;
      ASSERT_EQ(test.top[0]->shape(), shape);
      for (int i = 0; i < test.top[0]->count(); ++i) {
        vector<int> index(4);
        for (int a = 3, rest = i; a >= 0; rest /= shape[a--]) index[a] = rest % shape[a];
        index[axis] %= test.bottom[0]->shape(axis);
        ASSERT_EQ(test.top[0]->cpu_data()[i], test.bottom[0]->data_at(index));
      }
      test.bottom[0]->Reshape({1, 2, 6, 5});
    }
  }
}

TEST(TileLayerTest, Gradients) {
  for (const char* param :
       {"tiles: 3 axis: 0", "tiles: 1", "tiles: 2 axis: 1", "tiles: 2 axis: 3"}) {
    LayerCase<double> test(TileText(param), {{2, 3, 2, 2}});
    // Linear, so differences are exact but for rounding.
    GradientChecker<double> checker(1e-2, 1e-9);
    checker.CheckGradient(test.layer.get(), test.bottom, test.top);
  }
}

TEST(TileLayerTest, Errors) {
  LayerCase<double> none(TileText(""), {{2, 3}});
  EXPECT_CAFFE_ERROR(none.SetUp(), "tile (Tile): tiles is missing");
  LayerCase<double> zero(TileText("tiles: 0"), {{2, 3}});
  EXPECT_CAFFE_ERROR(zero.SetUp(), "tiles must be at least 1, got 0");
  LayerCase<double> axis(TileText("tiles: 2 axis: 2"), {{2, 3}});
  EXPECT_CAFFE_ERROR(axis.SetUp(), "axis 2 out of range");
  LayerCase<double> many(TileText("tiles: 2000000000"), {{2, 3}});
  EXPECT_CAFFE_ERROR(many.SetUp(), "2000000000 tiles of 3 are too many");
}

}  // namespace caffe
