#include <cmath>
#include <string>

#include "caffe/util/learning_rate.hpp"
#include "test_util.hpp"

namespace caffe {
namespace {

double Rate(const string& fields, int iter, int plateau_step = 0) {
  return LearningRate(FromText<SolverParameter>(fields), iter, plateau_step);
}

// The fields are floats and the arithmetic is double: 1e-7 is float's rounding of a field.
const double kTolerance = 1e-7;

TEST(LearningRateTest, FollowsEachPolicyInClosedForm) {
  for (const int iter : {0, 1, 2, 3, 7, 99, 100}) {
    EXPECT_NEAR(Rate("lr_policy: 'fixed' base_lr: 0.5", iter), 0.5, kTolerance);
    EXPECT_NEAR(Rate("lr_policy: 'step' base_lr: 0.5 gamma: 0.25 stepsize: 3", iter),
                0.5 * std::pow(0.25, std::floor(iter / 3.0)), kTolerance);
    EXPECT_NEAR(Rate("lr_policy: 'exp' base_lr: 0.5 gamma: 0.75", iter), 0.5 * std::pow(0.75, iter),
                kTolerance);
    EXPECT_NEAR(Rate("lr_policy: 'inv' base_lr: 0.5 gamma: 0.125 power: 0.75", iter),
                0.5 / std::pow(1 + 0.125 * iter, 0.75), kTolerance);
    EXPECT_NEAR(Rate("lr_policy: 'poly' base_lr: 0.5 power: 2 max_iter: 100", iter),
                0.5 * (100 - iter) * (100 - iter) / 1e4, kTolerance);
    EXPECT_NEAR(Rate("lr_policy: 'sigmoid' base_lr: 0.5 gamma: -0.5 stepsize: 4", iter),
                0.5 / (1 + std::exp(0.5 * (iter - 4))), kTolerance);
  }
}

TEST(LearningRateTest, MultistepDropsAtItsValues) {
  const string fields = "lr_policy: 'multistep' base_lr: 1 gamma: 0.5 stepvalue: 3 stepvalue: 6";
  const double expected[] = {1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25};
  for (int iter = 0; iter < 8; ++iter) EXPECT_EQ(Rate(fields, iter), expected[iter]) << iter;
  // A run resumed late counts all of them.
  EXPECT_EQ(Rate(fields, 1000), 0.25);
}

TEST(LearningRateTest, PolyStaysAtZeroAfterItsEnd) {
  EXPECT_EQ(Rate("lr_policy: 'poly' base_lr: 1 power: 0.5 max_iter: 10", 11), 0);
}

TEST(LearningRateTest, PlateauWaitsForItsWindows) {
  const SolverParameter param = FromText<SolverParameter>(
      "lr_policy: 'plateau' base_lr: 1 gamma: 0.5 plateau_winsize: 2 plateau_winsize: 3");
  // A minimum at 0 and at 2; two iterations later the first drop, three later the last.
  const float losses[] = {5, 6, 4, 4, 9, 9, 9, 9, 9, 9, 9};
  const int steps[] = {0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2};
  PlateauState state;
  for (int iter = 0; iter < 11; ++iter) {
    const int before = state.step;
    EXPECT_EQ(UpdatePlateau(param, iter, losses[iter], &state), steps[iter] > before) << iter;
    EXPECT_EQ(state.step, steps[iter]) << iter;
    EXPECT_EQ(LearningRate(param, iter, state.step), std::pow(0.5, steps[iter])) << iter;
  }
  EXPECT_EQ(state.minimum_loss, 4);
  EXPECT_EQ(state.last_event, 7);
}

TEST(LearningRateTest, WarmsUpOnALineThatMeetsThePolicy) {
  const string policy = "lr_policy: 'step' base_lr: 1 gamma: 0.5 stepsize: 8 ";
  const string warm = policy + "warmup_iter: 4 warmup_start_lr: 0.2";
  const double expected[] = {0.2, 0.4, 0.6, 0.8, 1.0};
  for (int iter = 0; iter < 5; ++iter) {
    EXPECT_NEAR(Rate(warm, iter), expected[iter], kTolerance) << iter;
  }
  for (const int iter : {4, 8, 20}) EXPECT_EQ(Rate(warm, iter), Rate(policy, iter)) << iter;
}

TEST(LearningRateTest, RefusesWhatItCannotFollow) {
  EXPECT_CAFFE_ERROR(Rate("lr_policy: 'multi-step'", 0),
                     "unknown lr_policy \"multi-step\"; the nearest known ones are multistep");
  EXPECT_CAFFE_ERROR(Rate("base_lr: 1", 0), "unknown lr_policy \"\"");
  EXPECT_CAFFE_ERROR(Rate("lr_policy: 'step'", 0), "needs a stepsize above 0, got 0");
  EXPECT_CAFFE_ERROR(Rate("lr_policy: 'poly'", 0), "needs a max_iter above 0, got 0");
  EXPECT_CAFFE_ERROR(Rate("lr_policy: 'plateau'", 0), "needs a plateau_winsize");
  EXPECT_CAFFE_ERROR(Rate("lr_policy: 'fixed'", 0), "base_lr is missing");
  EXPECT_CAFFE_ERROR(Rate("lr_policy: 'fixed' base_lr: 1 warmup_iter: -1", 0), "warmup_iter is -1");
}

}  // namespace
}  // namespace caffe
