#include "caffe/util/learning_rate.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "caffe/layer_factory.hpp"

namespace caffe {

bool UpdatePlateau(const SolverParameter& param, int iter, float mean_loss, PlateauState* state) {
  if (mean_loss < state->minimum_loss) {
    state->minimum_loss = mean_loss;
    state->last_event = iter;
  }
  if (state->step >= param.plateau_winsize_size()) return false;
  if (iter - state->last_event < param.plateau_winsize(state->step)) return false;
  ++state->step;
  state->last_event = iter;
  return true;
}

int MultistepCount(const SolverParameter& param, int iter) {
  int count = 0;
  while (count < param.stepvalue_size() && iter >= param.stepvalue(count)) ++count;
  return count;
}

namespace {

double PolicyRate(const SolverParameter& param, int iter, int plateau_step) {
  const string& policy = param.lr_policy();
  const double base = param.base_lr();
  const double gamma = param.gamma();
  if (policy == "fixed") return base;
  if (policy == "step") return base * std::pow(gamma, iter / param.stepsize());
  if (policy == "exp") return base * std::pow(gamma, iter);
  if (policy == "inv")
    return base * std::pow(1 + gamma * iter, -static_cast<double>(param.power()));
  if (policy == "multistep") return base * std::pow(gamma, MultistepCount(param, iter));
  if (policy == "poly") {
    const double left = std::max(0.0, 1 - static_cast<double>(iter) / param.max_iter());
    return base * std::pow(left, param.power());
  }
  if (policy == "sigmoid") return base / (1 + std::exp(-gamma * (iter - param.stepsize())));
  return base * std::pow(gamma, plateau_step);
}

}  // namespace

double LearningRate(const SolverParameter& param, int iter, int plateau_step) {
  CheckLearningRatePolicy(param);
  const double rate = PolicyRate(param, iter, plateau_step);
  if (iter >= param.warmup_iter()) return rate;
  const double start = param.warmup_start_lr();
  return start + (rate - start) * iter / param.warmup_iter();
}

void CheckLearningRatePolicy(const SolverParameter& param) {
  static const vector<string> policies = {"fixed",     "step", "exp",     "inv",
                                          "multistep", "poly", "sigmoid", "plateau"};
  const string& policy = param.lr_policy();
  if (std::find(policies.begin(), policies.end(), policy) == policies.end()) {
    std::ostringstream nearest;
    for (const string& name : NearestNames(policy, policies)) nearest << " " << name;
    LOG(FATAL) << "unknown lr_policy \"" << policy << "\"; the nearest known ones are"
               << nearest.str();
  }
  if (policy == "step") {
    CHECK(param.stepsize() > 0) << "lr_policy \"step\" needs a stepsize above 0, got "
                                << param.stepsize();
  }
  if (policy == "poly") {
    CHECK(param.max_iter() > 0) << "lr_policy \"poly\" needs a max_iter above 0, got "
                                << param.max_iter();
  }
  if (policy == "plateau") {
    CHECK(param.plateau_winsize_size() > 0) << "lr_policy \"plateau\" needs a plateau_winsize";
  }
  CHECK(param.has_base_lr()) << "base_lr is missing: the learning rate would be 0";
  CHECK(param.warmup_iter() >= 0) << "warmup_iter is " << param.warmup_iter()
                                  << ", expected 0 or more";
}

}  // namespace caffe
