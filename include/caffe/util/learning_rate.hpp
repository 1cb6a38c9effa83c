#ifndef CAFFE_UTIL_LEARNING_RATE_HPP_
#define CAFFE_UTIL_LEARNING_RATE_HPP_

#include <cfloat>

#include "caffe/proto/caffe.pb.h"

namespace caffe {

/** @brief What the "plateau" policy remembers between iterations. */
struct PlateauState {
  int step = 0;                  ///< how often the rate was lowered
  float minimum_loss = FLT_MAX;  ///< the lowest mean loss seen
  int last_event = 0;            ///< the iteration of that minimum, or of the last lowering
};

/**
 * @brief Takes note of the mean loss at an iteration: a new minimum restarts
 * the wait, and plateau_winsize(step) iterations without one lower the rate.
 * After the last window the rate stays.
 * @return whether the rate was lowered.
 */
bool UpdatePlateau(const SolverParameter& param, int iter, float mean_loss, PlateauState* state);

/**
 * @brief The learning rate of an iteration, from base_lr b:
 *
 * | lr_policy | rate |
 * | --- | --- |
 * | fixed | b |
 * | step | b · gamma^⌊iter / stepsize⌋ |
 * | exp | b · gamma^iter |
 * | inv | b · (1 + gamma · iter)^−power |
 * | multistep | b · gamma^(how many stepvalues were reached) |
 * | poly | b · (1 − iter / max_iter)^power, 0 after max_iter |
 * | sigmoid | b / (1 + exp(−gamma · (iter − stepsize))) |
 * | plateau | b · gamma^plateau_step |
 *
 * These are Caffe's. In the first warmup_iter iterations the rate r instead
 * grows on a line: warmup_start_lr + (r − warmup_start_lr) · iter / warmup_iter.
 *
 * @throws Error for what CheckLearningRatePolicy refuses.
 */
double LearningRate(const SolverParameter& param, int iter, int plateau_step);

/** @brief How many of the stepvalues have been reached. */
int MultistepCount(const SolverParameter& param, int iter);

/** @throws Error for an unknown lr_policy (with the nearest), or fields that it needs and misses.
 */
void CheckLearningRatePolicy(const SolverParameter& param);

}  // namespace caffe

#endif  // CAFFE_UTIL_LEARNING_RATE_HPP_
