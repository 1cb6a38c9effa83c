#include "amx_test_util.hpp"
#include "caffe/backend/amx_convolver.hpp"

namespace caffe {

namespace {

using amx::Activations;

/** Weights of a convolution, floats in C order, which kWhole can hold if `bf16`. */
vector<float> RandomWeights(const amx::Convolution& c, bool bf16) {
  vector<float> weights = RandomValues<float>(c.num_output * c.channels * c.taps(), 5);
  for (float& weight : weights) {
    if (bf16) weight = FromBits(ToBits(weight));
  }
  return weights;
}

/** The top of a convolution, or with Weights::backward what makes its bottom's gradient. */
vector<double> ByTiles(const amx::Convolution& c, const amx::Weights& weights, amx::Parts parts,
                       const Images& bottom, const amx::Finish& finish) {
  GuardedBytes packed(amx::PackedWeightBytes(weights, parts));
  amx::PackWeights(weights, parts, c.threads, packed.data());
  const amx::Convolver convolver(c, parts);
  GuardedBytes scratch(convolver.scratch_bytes());
  const auto kind = parts == amx::kWhole ? Activations::kBf16 : Activations::kFloats;
  Images top(kind, c.num, c.num_output, c.out_height * c.out_width, 9);
  convolver.Run(bottom.view(), packed.data(), finish, top.view(), scratch.data());
  return top.Read();
}

/** The same of a forward convolution by plain sums. */
vector<double> BySums(const amx::Convolution& c, const vector<float>& weights, const Images& bottom,
                      const vector<float>& bias) {
  const int pixels = c.out_height * c.out_width;
  vector<double> top;
  for (int image = 0; image < c.num; ++image) {
    for (int output = 0; output < c.num_output; ++output) {
      vector<double> sums(pixels, bias[output]);
      for (int input = 0; input < c.channels; ++input) {
        const float* w = &weights[(static_cast<size_t>(output) * c.channels + input) * c.taps()];
        ForEachTerm(c, [&](int from, int to, int tap) {
          sums[to] += w[tap] * bottom.At(image, input, from);
        });
      }
      top.insert(top.end(), sums.begin(), sums.end());
    }
  }
  return top;
}

vector<double> GradientBySums(const amx::Convolution& c, const vector<float>& weights,
                              const Images& top_diff) {
  const int pixels = c.height * c.width;
  vector<double> bottom_diff;
  for (int image = 0; image < c.num; ++image) {
    for (int input = 0; input < c.channels; ++input) {
      vector<double> sums(pixels, 0);
      for (int output = 0; output < c.num_output; ++output) {
        const float* w = &weights[(static_cast<size_t>(output) * c.channels + input) * c.taps()];
        ForEachTerm(c, [&](int to, int from, int tap) {
          sums[to] += w[tap] * top_diff.At(image, output, from);
        });
      }
      bottom_diff.insert(bottom_diff.end(), sums.begin(), sums.end());
    }
  }
  return bottom_diff;
}

class AmxConvolverTest : public ::testing::TestWithParam<amx::Parts> {
 protected:
  void SetUp() override {
    if (!amx::Available()) GTEST_SKIP() << "this processor has no AMX";
  }
  static bool IsBf16() { return GetParam() == amx::kWhole; }
  static Images Bottom(const amx::Convolution& c) {
    const auto kind = IsBf16() ? Activations::kBf16 : Activations::kFloats;
    return {kind, c.num, c.channels, c.height * c.width, 1};
  }
};

}  // namespace

TEST_P(AmxConvolverTest, TopsAreSums) {
  for (const TileCase& one : TileCases()) {
    const amx::Convolution& c = one.convolution;
    const vector<float> weights = RandomWeights(c, IsBf16());
    const vector<float> bias = RandomValues<float>(c.num_output, 6);
    const Images bottom = Bottom(c);
    const amx::Weights all = {weights.data(), c.num_output, c.channels, c.taps(), false};
    ExpectNear(BySums(c, weights, bottom, bias),
               ByTiles(c, all, GetParam(), bottom, {bias.data(), false, 0}),
               TileTolerance(GetParam(), IsBf16()), one.name);
  }
}

TEST_P(AmxConvolverTest, GradientsOfBottomsAreSums) {
  for (const TileCase& one : TileCases()) {
    const amx::Convolution& c = one.convolution;
    const vector<float> weights = RandomWeights(c, IsBf16());
    const amx::Convolution backward = amx::Backward(c);
    const Images top_diff = Bottom(backward);
    const amx::Weights all = {weights.data(), c.num_output, c.channels, c.taps(), true};
    ExpectNear(GradientBySums(c, weights, top_diff),
               ByTiles(backward, all, GetParam(), top_diff, {}),
               TileTolerance(GetParam(), IsBf16()), one.name);
  }
}

TEST_P(AmxConvolverTest, PlanesAreReadAsTheyAre) {
  const amx::Convolution c = MakeTileCase("", {2, 3, 20, 23}, 16, {3, 1, 1}).convolution;
  vector<float> weights = RandomWeights(c, IsBf16());
  const Images bottom(Activations::kPlanes, c.num, c.channels, c.height * c.width, 1);
  const amx::Weights all = {weights.data(), c.num_output, c.channels, c.taps(), false};
  // kWhole rounds what it reads, too: 2^-9 of each value.
  ExpectNear(BySums(c, weights, bottom, vector<float>(16, 0.F)),
             ByTiles(c, all, GetParam(), bottom, {}), 2 * TileTolerance(GetParam(), IsBf16()),
             "planes");
}

TEST_P(AmxConvolverTest, ThreadsAndBatchChangeNothing) {
  for (const vector<int>& shape : vector<vector<int>>{{4, 32, 60, 150}, {2, 40, 9, 11}}) {
    amx::Convolution c = MakeTileCase("", shape, 40, {3, 1, 1}).convolution;
    const vector<float> weights = RandomWeights(c, IsBf16());
    const amx::Weights all = {weights.data(), c.num_output, c.channels, c.taps(), false};
    const Images bottom = Bottom(c);
    const vector<double> expected = ByTiles(c, all, GetParam(), bottom, {});
    for (const int threads : {1, 3, 16}) {
      c.threads = threads;
      EXPECT_EQ(ByTiles(c, all, GetParam(), bottom, {}), expected) << threads << " threads";
    }
    c.num = 1;
    const vector<double> first = ByTiles(c, all, GetParam(), bottom, {});
    EXPECT_TRUE(std::equal(first.begin(), first.end(), expected.begin())) << "the first image";
  }
}

TEST_P(AmxConvolverTest, ReLUsFollowTheBiasAndKeepNaN) {
  const amx::Convolution c = MakeTileCase("", {2, 20, 6, 7}, 24, {3, 1, 1}).convolution;
  vector<float> weights = RandomWeights(c, IsBf16());
  vector<float> bias = RandomValues<float>(c.num_output, 6);
  bias[3] = NAN;
  const amx::Weights all = {weights.data(), c.num_output, c.channels, c.taps(), false};
  const Images bottom = Bottom(c);
  const vector<double> plain = ByTiles(c, all, GetParam(), bottom, {bias.data(), false, 0});
  for (const float slope : {0.F, 0.25F}) {
    const vector<double> got = ByTiles(c, all, GetParam(), bottom, {bias.data(), true, slope});
    for (size_t i = 0; i < plain.size(); ++i) {
      ASSERT_EQ(std::isnan(got[i]), i / (c.out_height * c.out_width) % c.num_output == 3);
      if (std::isnan(got[i])) continue;
      ASSERT_EQ(got[i], plain[i] < 0 ? slope * plain[i] : plain[i]);  // a power of two is exact
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Precisions, AmxConvolverTest, ::testing::Values(amx::kWhole, amx::kSplit));

}  // namespace caffe
