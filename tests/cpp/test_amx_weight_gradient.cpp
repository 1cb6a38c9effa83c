#include "amx_test_util.hpp"
#include "caffe/backend/amx_weight_gradient.hpp"

namespace caffe {

namespace {

using amx::Activations;

struct WeightGradients {
  vector<double> weights, bias;  // of weights in C order
};

WeightGradients ByTiles(const amx::Convolution& c, amx::Parts parts, const Images& bottom,
                        const Images& top_diff) {
  const amx::WeightGradient gradient(c, parts);
  GuardedBytes scratch(gradient.scratch_bytes()), sums(gradient.count() * sizeof(float));
  auto* blocks = reinterpret_cast<float*>(sums.data());
  vector<float> bias(c.num_output, NAN);
  gradient.Run(bottom.view(), top_diff.view(), blocks, bias.data(), scratch.data());
  const int inputs = amx::Blocks(c.channels, amx::kBlock);
  WeightGradients made;
  made.bias.assign(bias.begin(), bias.end());
  for (int o = 0; o < c.num_output; ++o) {
    for (int i = 0; i < c.channels; ++i) {
      for (int tap = 0; tap < c.taps(); ++tap) {
        const size_t block = (size_t(o) / 16 * inputs + i / 16) * c.taps() + tap;
        made.weights.push_back(blocks[block * 256 + i % 16 * 16 + o % 16]);
      }
    }
  }
  return made;
}

WeightGradients BySums(const amx::Convolution& c, const Images& bottom, const Images& top_diff) {
  WeightGradients made;
  for (int o = 0; o < c.num_output; ++o) {
    made.bias.push_back(0);
    for (int image = 0; image < c.num; ++image) {
      for (int p = 0; p < c.out_height * c.out_width; ++p) {
        made.bias.back() += top_diff.At(image, o, p);
      }
    }
    for (int i = 0; i < c.channels; ++i) {
      vector<double> taps(c.taps(), 0);
      for (int image = 0; image < c.num; ++image) {
        ForEachTerm(c, [&](int from, int to, int tap) {
          taps[tap] += bottom.At(image, i, from) * top_diff.At(image, o, to);
        });
      }
      made.weights.insert(made.weights.end(), taps.begin(), taps.end());
    }
  }
  return made;
}

class AmxWeightGradientTest : public ::testing::TestWithParam<amx::Parts> {
 protected:
  void SetUp() override {
    if (!amx::Available()) GTEST_SKIP() << "this processor has no AMX";
  }
  static Activations::Kind Kind() {
    return GetParam() == amx::kWhole ? Activations::kBf16 : Activations::kFloats;
  }
  static Images Bottom(const amx::Convolution& c) {
    return {Kind(), c.num, c.channels, c.height * c.width, 1};
  }
  static Images TopDiff(const amx::Convolution& c) {
    return {Kind(), c.num, c.num_output, c.out_height * c.out_width, 2};
  }
};

}  // namespace

TEST_P(AmxWeightGradientTest, IsSums) {
  for (const TileCase& one : TileCases()) {
    const amx::Convolution& c = one.convolution;
    const Images bottom = Bottom(c), top_diff = TopDiff(c);
    const WeightGradients expected = BySums(c, bottom, top_diff);
    const WeightGradients got = ByTiles(c, GetParam(), bottom, top_diff);
    const double tolerance = TileTolerance(GetParam(), false);
    ExpectNear(expected.weights, got.weights, tolerance, one.name + ", weights");
    ExpectNear(expected.bias, got.bias, tolerance, one.name + ", bias");
  }
}

TEST_P(AmxWeightGradientTest, ReadsPlanes) {
  const amx::Convolution c = MakeTileCase("", {2, 3, 20, 23}, 20, {3, 1, 1}).convolution;
  const Images bottom(Activations::kPlanes, c.num, c.channels, c.height * c.width, 1);
  const Images top_diff = TopDiff(c);
  // kWhole rounds what it reads: 2^-9 of each value.
  ExpectNear(BySums(c, bottom, top_diff).weights, ByTiles(c, GetParam(), bottom, top_diff).weights,
             GetParam() == amx::kWhole ? 1.0 / 512 : TileTolerance(GetParam(), false), "planes");
}

TEST_P(AmxWeightGradientTest, ThreadsChangeNothing) {
  for (const vector<int>& shape : vector<vector<int>>{{4, 32, 60, 150}, {2, 40, 9, 11}}) {
    amx::Convolution c = MakeTileCase("", shape, 56, {3, 1, 1}).convolution;
    const Images bottom = Bottom(c), top_diff = TopDiff(c);
    const WeightGradients expected = ByTiles(c, GetParam(), bottom, top_diff);
    for (const int threads : {1, 3, 16}) {
      c.threads = threads;
      const WeightGradients got = ByTiles(c, GetParam(), bottom, top_diff);
      EXPECT_EQ(got.weights, expected.weights) << threads << " threads";
      EXPECT_EQ(got.bias, expected.bias) << threads << " threads";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Precisions, AmxWeightGradientTest,
                         ::testing::Values(amx::kWhole, amx::kSplit));

}  // namespace caffe
