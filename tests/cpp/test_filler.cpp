#include "caffe/filler.hpp"
#include "test_util.hpp"

namespace caffe {

namespace {

/** A blob filled as the text says, with a fixed seed. */
vector<double> Filled(const string& text, const vector<int>& shape, unsigned seed = 31) {
  FillerParameter param;
  CHECK(google::protobuf::TextFormat::ParseFromString(text, &param)) << text;
  Blob<double> blob(shape);
  Caffe::set_random_seed(seed);
  std::unique_ptr<Filler<double>>(GetFiller<double>(param))->Fill(&blob);
  return Values(blob);
}

double Mean(const vector<double>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

double Deviation(const vector<double>& x) {
  const double mean = Mean(x);
  double squares = 0;
  for (const double value : x) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(x.size()));
}

double LargestMagnitude(const vector<double>& x) {
  double largest = 0;
  for (const double value : x) largest = std::max(largest, std::fabs(value));
  return largest;
}

const vector<int> kWeights = {40, 20, 5, 5};  // 20000 elements: fan in 500, fan out 1000

}  // namespace

TEST(FillerTest, Constant) {
  EXPECT_EQ(Filled("", {2, 2}), vector<double>(4, 0));
  EXPECT_EQ(Filled("type: 'constant' value: 2.5", {2, 2}), vector<double>(4, 2.5));
}

TEST(FillerTest, UniformStaysInItsRange) {
  const vector<double> x = Filled("type: 'uniform' min: 1 max: 3", kWeights);
  EXPECT_GE(*std::min_element(x.begin(), x.end()), 1);
  EXPECT_LE(*std::max_element(x.begin(), x.end()), 3);
  // Six standard deviations of the mean of 20000: the width / √12 / √n.
  EXPECT_NEAR(Mean(x), 2, 6 * 2 / std::sqrt(12 * 20000.0));
}

TEST(FillerTest, GaussianHasItsMoments) {
  const vector<double> x = Filled("type: 'gaussian' mean: -1 std: 0.5", kWeights);
  // Six standard deviations: σ/√n for the mean, σ/√(2n) for the deviation.
  EXPECT_NEAR(Mean(x), -1, 6 * 0.5 / std::sqrt(20000.0));
  EXPECT_NEAR(Deviation(x), 0.5, 6 * 0.5 / std::sqrt(40000.0));
}

TEST(FillerTest, TheSeedGivesTheValues) {
  EXPECT_EQ(Filled("type: 'gaussian'", {4}, 5), Filled("type: 'gaussian'", {4}, 5));
  EXPECT_NE(Filled("type: 'gaussian'", {4}, 5), Filled("type: 'gaussian'", {4}, 6));
}

TEST(FillerTest, SparseGaussianKeepsAShareOfTheWeights) {
  // 10 of 40 outputs: a quarter of the weights.
  const vector<double> x = Filled("type: 'gaussian' sparse: 10", kWeights);
  const auto zeros = std::count(x.begin(), x.end(), 0.0);
  // Binomial, p = 3/4; six standard deviations.
  EXPECT_NEAR(static_cast<double>(zeros), 15000, 6 * std::sqrt(20000 * 0.75 * 0.25));
  EXPECT_EQ(Filled("type: 'gaussian' sparse: 0", {4, 2}), vector<double>(8, 0));
  const vector<double> all = Filled("type: 'gaussian' sparse: 9", {4, 2});
  EXPECT_EQ(std::count(all.begin(), all.end(), 0.0), 0);
  EXPECT_CAFFE_ERROR(Filled("type: 'gaussian' sparse: -2", {4}),
                     "sparse must be -1 or a count, got -2");
}

TEST(FillerTest, PositiveUnitballRowsSumToOne) {
  const vector<double> x = Filled("type: 'positive_unitball'", {6, 3, 4});
  for (int row = 0; row < 6; ++row) {
    double sum = 0;
    for (int i = row * 12; i < (row + 1) * 12; ++i) {
      EXPECT_GE(x[i], 0);
      sum += x[i];
    }
    EXPECT_NEAR(sum, 1, 1e-15 * 12);  // a rounding an element
  }
}

TEST(FillerTest, XavierIsUniformWithABoundOfItsFan) {
  const map<string, double> fans = {
      {"", 500}, {"variance_norm: FAN_OUT", 1000}, {"variance_norm: AVERAGE", 750}};
  for (const auto& fan : fans) {
    const vector<double> x = Filled("type: 'xavier' " + fan.first, kWeights);
    const double bound = std::sqrt(3 / fan.second);
    EXPECT_LE(LargestMagnitude(x), bound);
    // The largest of 20000: 1 − 10⁻³ of the bound is missed with a probability of e⁻²⁰.
    EXPECT_GE(LargestMagnitude(x), 0.999 * bound);
    EXPECT_NEAR(Mean(x), 0, 6 * bound / std::sqrt(3 * 20000.0));  // six standard deviations
  }
}

TEST(FillerTest, MsraIsNormalWithADeviationOfItsFan) {
  const map<string, double> fans = {
      {"", 500}, {"variance_norm: FAN_OUT", 1000}, {"variance_norm: AVERAGE", 750}};
  for (const auto& fan : fans) {
    const vector<double> x = Filled("type: 'msra' " + fan.first, kWeights);
    const double std = std::sqrt(2 / fan.second);
    EXPECT_NEAR(Deviation(x), std, 6 * std / std::sqrt(40000.0));  // six standard deviations
    EXPECT_NEAR(Mean(x), 0, 6 * std / std::sqrt(20000.0));
  }
}

TEST(FillerTest, FansOfBlobsWithFewAxes) {
  // One axis: fan in 1, fan out the count. No axes: one number, both are 1.
  EXPECT_GT(LargestMagnitude(Filled("type: 'xavier'", {2000})), 1.7);
  EXPECT_LE(LargestMagnitude(Filled("type: 'xavier' variance_norm: FAN_OUT", {2000})),
            std::sqrt(3 / 2000.0));
  EXPECT_LE(LargestMagnitude(Filled("type: 'xavier'", {})), std::sqrt(3));
  EXPECT_EQ(Filled("type: 'msra' variance_norm: AVERAGE", {}).size(), 1U);
  EXPECT_EQ(Filled("type: 'positive_unitball'", {}), vector<double>({1}));
  EXPECT_EQ(Filled("type: 'gaussian' sparse: 0", {}), vector<double>({0}));
}

TEST(FillerTest, BilinearKernelsByHand) {
  EXPECT_EQ(Filled("type: 'bilinear'", {1, 1, 3, 3}),
            vector<double>({0.25, 0.5, 0.25, 0.5, 1, 0.5, 0.25, 0.5, 0.25}));
  const vector<double> x = Filled("type: 'bilinear'", {2, 1, 4, 4});
  const vector<double> side = {0.25, 0.75, 0.75, 0.25};
  for (int i = 0; i < 32; ++i) EXPECT_EQ(x[i], side[i % 4] * side[i / 4 % 4]) << i;
}

TEST(FillerTest, EmptyBlobsAndErrors) {
  for (const char* type : {"constant", "uniform", "gaussian"}) {
    EXPECT_TRUE(Filled(string("type: '") + type + "'", {0, 3}).empty());
  }
  for (const char* type : {"xavier", "msra"}) {
    EXPECT_CAFFE_ERROR(Filled(string("type: '") + type + "'", {0, 3}),
                       "a filler needs a blob with elements");
  }
  EXPECT_CAFFE_ERROR(Filled("type: 'positive_unitball'", {0, 3}), "needs rows with elements");
  EXPECT_CAFFE_ERROR(Filled("type: 'positive_unitball'", {3, 0}), "needs rows with elements");
  EXPECT_CAFFE_ERROR(Filled("type: 'bilinear'", {1, 1, 3, 4}),
                     "takes a 4-D blob of square kernels, got 1 1 3 4 (12)");
  EXPECT_CAFFE_ERROR(Filled("type: 'bilinear'", {3, 3}), "takes a 4-D blob");
  EXPECT_CAFFE_ERROR(Filled("type: 'gaussian' std: 0", {3}), "needs a positive std");
  EXPECT_CAFFE_ERROR(Filled("type: 'uniform' min: 1 max: 0", {3}), "needs min <= max");
  EXPECT_CAFFE_ERROR(Filled("type: 'xavir'", {3}), "unknown filler type \"xavir\"; known are");
}

TEST(FillerTest, OnlyGaussianHasASparseForm) {
  for (const char* type :
       {"constant", "uniform", "positive_unitball", "xavier", "msra", "bilinear"}) {
    EXPECT_CAFFE_ERROR(Filled(string("type: '") + type + "' sparse: 1", {1, 1, 3, 3}),
                       string("filler \"") + type + "\" has no sparse form; use gaussian");
  }
}

}  // namespace caffe
