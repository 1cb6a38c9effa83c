// The checker must fail where a layer is wrong, or no other gradient check means anything.
#include "caffe/test/test_gradient_check_util.hpp"

#include <gtest/gtest-spi.h>

#include "test_util.hpp"

namespace caffe {

namespace {

/** What a layer may get wrong. */
enum class Mistake {
  kNone,
  kAddsToBottomDiff,
  kLeavesBottomDiff,
  kOverwritesParameterDiff,
  kIgnoresParameter,
  kWrongFactor,
  kTopDiffIgnored,
  kMixesElements,
};

/** y = w x², with a mistake in Backward. */
class SquareLayer : public Layer<double> {
 public:
  SquareLayer(Mistake mistake, bool learned) : Layer<double>(LayerParameter()), mistake_(mistake) {
    if (!learned) return;
    blobs_.push_back(std::make_shared<Blob<double>>(vector<int>{1}));
    blobs_[0]->mutable_cpu_data()[0] = 1.5;
  }
  void Reshape(const vector<Blob<double>*>& bottom, const vector<Blob<double>*>& top) override {
    if (top[0] != bottom[0]) top[0]->ReshapeLike(*bottom[0]);
  }
  const char* type() const override { return "Square"; }

 protected:
  double Weight() const { return blobs_.empty() ? 1.5 : blobs_[0]->cpu_data()[0]; }

  void Forward_cpu(const vector<Blob<double>*>& bottom, const vector<Blob<double>*>& top) override {
    x_ = Values(*bottom[0]);
    for (size_t i = 0; i < x_.size(); ++i) {
      top[0]->mutable_cpu_data()[i] = Weight() * x_[i] * x_[i];
    }
  }

  void Backward_cpu(const vector<Blob<double>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<double>*>& bottom) override {
    const vector<double> dy =
        mistake_ == Mistake::kTopDiffIgnored ? vector<double>(x_.size(), 1) : Gradients(*top[0]);
    if (!blobs_.empty() && mistake_ != Mistake::kIgnoresParameter) {
      double sum = 0;
      for (size_t i = 0; i < x_.size(); ++i) sum += dy[i] * x_[i] * x_[i];
      double* diff = blobs_[0]->mutable_cpu_diff();
      diff[0] = sum + (mistake_ == Mistake::kOverwritesParameterDiff ? 0 : diff[0]);
    }
    if (!propagate_down[0] || mistake_ == Mistake::kLeavesBottomDiff) return;
    double* dx = bottom[0]->mutable_cpu_diff();
    for (size_t i = 0; i < x_.size(); ++i) {
      const double factor = mistake_ == Mistake::kWrongFactor ? 2.001 : 2;
      const double value = factor * Weight() * x_[i] * dy[i];
      dx[i] = value + (mistake_ == Mistake::kAddsToBottomDiff ? dx[i] : 0);
    }
    if (mistake_ == Mistake::kMixesElements && x_.size() > 1) dx[0] += 1e-3 * dy[1];
  }

 private:
  Mistake mistake_;
  vector<double> x_;
};

typedef GradientChecker<double> Checker;

/** How many expectations fail while f runs. */
template <typename Function>
int Failures(const Function& f) {
  ::testing::TestPartResultArray results;
  {
    ::testing::ScopedFakeTestPartResultReporter reporter(
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
    f();
  }
  return results.size();
}

/** A bottom of this shape, a top, and the layer with a mistake. */
struct Square {
  explicit Square(Mistake mistake, bool learned = false, const vector<int>& shape = {1, 1})
      : bottom(shape), layer(mistake, learned) {
    SetValues(RandomValues(bottom.count(), 1, 0.5, 1.5), &bottom);
  }
  int Check() {
    return Failures([this] { Checker(1e-5, 1e-6).CheckGradient(&layer, bottoms, tops); });
  }
  int CheckExhaustive() {
    return Failures([this] { Checker(1e-5, 1e-6).CheckGradientExhaustive(&layer, bottoms, tops); });
  }
  int CheckEltwise() {
    return Failures([this] { Checker(1e-5, 1e-6).CheckGradientEltwise(&layer, bottoms, tops); });
  }

  Blob<double> bottom, top;
  SquareLayer layer;
  vector<Blob<double>*> bottoms{&bottom}, tops{&top};
};

}  // namespace

TEST(GradientCheckerTest, PassesARightLayer) {
  for (const bool learned : {false, true}) {
    EXPECT_EQ(Square(Mistake::kNone, learned, {2, 3}).Check(), 0);
    EXPECT_EQ(Square(Mistake::kNone, learned, {2, 3}).CheckExhaustive(), 0);
  }
  EXPECT_EQ(Square(Mistake::kNone, false, {2, 3}).CheckEltwise(), 0);
}

TEST(GradientCheckerTest, SaysWhereAndWhat) {
  Square factor(Mistake::kWrongFactor);
  EXPECT_NONFATAL_FAILURE(
      Checker(1e-5, 1e-6).CheckGradient(&factor.layer, factor.bottoms, factor.tops),
      "bottom 0[0] of  (Square)");
  Square overwrites(Mistake::kOverwritesParameterDiff, true);
  EXPECT_NONFATAL_FAILURE(
      Checker(1e-5, 1e-6).CheckGradient(&overwrites.layer, overwrites.bottoms, overwrites.tops),
      "parameter 0[0] of  (Square)");
}

TEST(GradientCheckerTest, FailsWhatAddsToTheBottomsGradient) {
  EXPECT_EQ(Square(Mistake::kAddsToBottomDiff, false, {2, 3}).Check(), 6);
}

TEST(GradientCheckerTest, FailsWhatLeavesTheBottomsGradient) {
  EXPECT_EQ(Square(Mistake::kLeavesBottomDiff, false, {2, 3}).Check(), 6);
}

TEST(GradientCheckerTest, FailsWhatOverwritesOrIgnoresAParametersGradient) {
  EXPECT_EQ(Square(Mistake::kOverwritesParameterDiff, true, {2, 3}).Check(), 1);
  EXPECT_EQ(Square(Mistake::kIgnoresParameter, true, {2, 3}).Check(), 1);
  Square square(Mistake::kIgnoresParameter, true);
  EXPECT_EQ(Failures([&] {
              Checker(1e-5, 1e-6).CheckGradient(&square.layer, square.bottoms, square.tops, -2);
            }),
            1);
}

TEST(GradientCheckerTest, FailsAWrongFactorAndAnIgnoredTopGradient) {
  EXPECT_EQ(Square(Mistake::kWrongFactor, false, {2, 3}).Check(), 6);
  EXPECT_EQ(Square(Mistake::kTopDiffIgnored, false, {2, 3}).Check(), 6);
}

TEST(GradientCheckerTest, FailsAnElementThatReachesAnother) {
  EXPECT_EQ(Square(Mistake::kMixesElements, false, {2, 3}).Check(), 1);
  EXPECT_EQ(Square(Mistake::kMixesElements, false, {2, 3}).CheckExhaustive(), 1);
  EXPECT_EQ(Square(Mistake::kMixesElements, false, {2, 3}).CheckEltwise(), 1);
}

TEST(GradientCheckerTest, ChecksLayersInPlace) {
  for (const Mistake mistake : {Mistake::kNone, Mistake::kWrongFactor}) {
    Square square(mistake, true, {2, 3});
    square.tops = square.bottoms;
    EXPECT_EQ(square.Check(), mistake == Mistake::kNone ? 0 : 6);
  }
}

TEST(GradientCheckerTest, SkipsTheNeighbourhoodOfAKink) {
  Square square(Mistake::kWrongFactor, false, {2, 3});
  SetValues<double>({-2, 2, -2.05, 1.95, 1, -1}, &square.bottom);
  EXPECT_EQ(
      Failures([&] {
        Checker(1e-5, 1e-6, 1701, 2, 0.1).CheckGradient(&square.layer, square.bottoms, square.tops);
      }),
      2);
}

TEST(GradientCheckerTest, RefusesABottomThatDoesNotExistAndAParameterElementwise) {
  Square square(Mistake::kNone, true);
  EXPECT_EQ(Failures([&] {
              Checker(1e-5, 1e-6).CheckGradient(&square.layer, square.bottoms, square.tops, 1);
            }),
            1);
  EXPECT_EQ(square.CheckEltwise(), 1);
}

}  // namespace caffe
