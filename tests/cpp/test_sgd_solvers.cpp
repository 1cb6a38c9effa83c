// Every update rule against a plain one of this test, in double.
#include <omp.h>

#include <cmath>
#include <string>
#include <vector>

#include "solver_test_util.hpp"

namespace caffe {
namespace {

/** One parameter element under one rule, written down from the papers. */
struct Oracle {
  SolverParameter param;
  double lr_mult, decay_mult;
  double w, h = 0, k = 0;

  /** `gradient` is the clipped sum over the sub-batches. */
  void Update(int iter, double gradient) {
    const double rate = param.base_lr() * lr_mult;
    const double decay = static_cast<double>(param.weight_decay()) * decay_mult;
    double g = gradient / param.iter_size();
    const string& type = param.type();
    if (type != "AdamW") {
      g += decay * (param.regularization_type() == "L2" ? w : (w > 0 ? 1 : w < 0 ? -1 : 0));
    }
    w -= Step(type, iter, g, rate) + (type == "AdamW" ? rate * decay * w : 0);
  }

  double Step(const string& type, int iter, double g, double rate) {
    const double m = param.momentum(), m2 = param.momentum2(), delta = param.delta();
    if (type == "SGD") return h = m * h + rate * g;
    if (type == "Nesterov") {
      const double before = h;
      h = m * h + rate * g;
      return -m * before + (1 + m) * h;
    }
    if (type == "AdaGrad") {
      h += g * g;
      return rate * g / (std::sqrt(h) + delta);
    }
    if (type == "RMSProp") {
      const double rms = param.rms_decay();
      h = rms * h + (1 - rms) * g * g;
      return rate * g / (std::sqrt(h) + delta);
    }
    if (type == "AdaDelta") {
      h = m * h + (1 - m) * g * g;
      const double step = g * std::sqrt((k + delta) / (h + delta));
      k = m * k + (1 - m) * step * step;
      return rate * step;
    }
    h = m * h + (1 - m) * g;
    k = m2 * k + (1 - m2) * g * g;
    const double c1 = 1 - std::pow(m, iter + 1), c2 = 1 - std::pow(m2, iter + 1);
    if (type == "Adam") return rate * std::sqrt(c2) / c1 * h / (std::sqrt(k) + delta);
    return rate * (h / c1) / (std::sqrt(k / c2) + delta);
  }
};

class SgdSolversTest : public SolverTestBase {
 protected:
  static string ParamSpecs() {
    return "param { lr_mult: 1 decay_mult: 1 } param { lr_mult: 2 decay_mult: 0.5 }";
  }

  /** Gradients of an iteration, summed over its sub-batches and clipped. */
  static vector<double> Gradients(const SolverParameter& param, int iter, int size) {
    vector<double> sums(size, 0);
    for (int k = 0; k < param.iter_size(); ++k) {
      for (int i = 0; i < size; ++i) {
        sums[i] += LinearCoefficient(iter * param.iter_size() + k, i);
      }
    }
    double norm = 0;
    for (const double sum : sums) norm += sum * sum;
    norm = std::sqrt(norm);
    if (param.clip_gradients() > 0 && norm > param.clip_gradients()) {
      for (double& sum : sums) sum *= param.clip_gradients() / norm;
    }
    return sums;
  }

  template <typename Dtype>
  void ExpectFollowsOracle(const string& fields, double tolerance) {
    const SolverParameter param =
        this->Solver(fields + " lr_policy: 'fixed' base_lr: 0.1", LinearNet(ParamSpecs()));
    const auto solver = MakeSolver<Dtype>(param);
    const vector<Dtype> initial = ParamsOf(solver->net().get());
    vector<Oracle> oracles;
    for (size_t i = 0; i < initial.size(); ++i) {
      oracles.push_back(Oracle{param, i < 3 ? 1. : 2., i < 3 ? 1. : 0.5, initial[i]});
    }
    for (int iter = 0; iter < 6; ++iter) {
      const vector<double> gradients = Gradients(param, iter, 5);
      for (int i = 0; i < 5; ++i) oracles[i].Update(iter, gradients[i]);
      const vector<Dtype> before = ParamsOf(solver->net().get());
      solver->Step(1);
      const vector<Dtype> params = ParamsOf(solver->net().get());
      for (int i = 0; i < 5; ++i) {
        EXPECT_NEAR(params[i], oracles[i].w, tolerance) << fields << ", iteration " << iter;
      }
      // The diff is what was subtracted.
      const Dtype step = solver->net()->learnable_params()[1]->cpu_diff()[1];
      EXPECT_NEAR(before[4] - params[4], step, tolerance) << fields;
    }
  }
};

const char* const kRules[] = {
    "type: 'SGD' momentum: 0.9",
    "type: 'SGD'",
    "type: 'Nesterov' momentum: 0.9",
    "type: 'AdaGrad' delta: 1e-6",
    "type: 'RMSProp' rms_decay: 0.9 delta: 1e-6",
    "type: 'AdaDelta' momentum: 0.95 delta: 1e-6",
    "type: 'Adam' momentum: 0.9 momentum2: 0.99 delta: 1e-8",
    "type: 'AdamW' momentum: 0.9 momentum2: 0.99 delta: 1e-8",
};

TEST_F(SgdSolversTest, EachRuleFollowsItsFormula) {
  const char* const settings[] = {"", "weight_decay: 0.05", "weight_decay: 0.05 iter_size: 3",
                                  "weight_decay: 0.05 iter_size: 2 clip_gradients: 0.7"};
  for (const char* rule : kRules) {
    for (const char* setting : settings) {
      // Six updates of numbers of about 1 in double.
      ExpectFollowsOracle<double>(string(rule) + " " + setting, 1e-13);
    }
  }
}

TEST_F(SgdSolversTest, RegularizesByTheAbsoluteValue) {
  for (const char* rule : kRules) {
    if (string(rule).find("AdamW") != string::npos) continue;
    ExpectFollowsOracle<double>(string(rule) + " weight_decay: 0.05 regularization_type: 'L1'",
                                1e-13);
  }
}

TEST_F(SgdSolversTest, FloatFollowsTheSameFormula) {
  // Six updates, each with a rounding error of about 1e-7.
  for (const char* rule : kRules) ExpectFollowsOracle<float>(rule, 5e-6);
}

/** The rule of a built-in solver, with its steps called one after the other. */
template <typename Base>
class StepwiseSolver : public Base {
 public:
  explicit StepwiseSolver(const SolverParameter& param) : Base(param) {}
};

TEST_F(SgdSolversTest, OnePassIsTheSameAsTheSteps) {
  for (const string setting : {"", "weight_decay: 0.05 iter_size: 2 clip_gradients: 0.7",
                               "weight_decay: 0.05 regularization_type: 'L1'"}) {
    const SolverParameter param =
        this->Solver("momentum: 0.9 lr_policy: 'fixed' base_lr: 0.1 delta: 1e-6 " + setting,
                     LinearNet(ParamSpecs()));
    NesterovSolver<double> fused(param);
    StepwiseSolver<NesterovSolver<double>> stepwise(param);
    fused.Step(5);
    stepwise.Step(5);
    const vector<double> expected = ParamsOf(fused.net().get());
    // The factors of clipping and iter_size are multiplied in another order.
    ExpectNear(ParamsOf(stepwise.net().get()), expected, 1e-15);
    EXPECT_EQ(ProblemOf(fused.net().get())->num_updates, 5);
    EXPECT_EQ(ProblemOf(stepwise.net().get())->num_updates, 5);
  }
  const SolverParameter decayed = this->Solver(
      "momentum: 0.9 lr_policy: 'fixed' base_lr: 0.1 weight_decay: 0.05", LinearNet(ParamSpecs()));
  AdamWSolver<double> fused(decayed);
  StepwiseSolver<AdamWSolver<double>> stepwise(decayed);
  fused.Step(5);
  stepwise.Step(5);
  EXPECT_EQ(ParamsOf(stepwise.net().get()), ParamsOf(fused.net().get()));
}

/** A solver as somebody wrote it for Caffe: w ← w − rate · sign(g). */
class SignSolver : public SGDSolver<double> {
 public:
  explicit SignSolver(const SolverParameter& param) : SGDSolver<double>(param) {}
  const char* type() const override { return "Sign"; }

 protected:
  void ComputeUpdateValue(int param_id, double rate) override {
    Blob<double>* param = net_->learnable_params()[param_id];
    caffe_cpu_sign(param->count(), param->cpu_diff(), param->mutable_cpu_diff());
    param->scale_diff(rate * net_->params_lr()[param_id]);
  }
};

TEST_F(SgdSolversTest, ARuleOfAnotherClassIsCalled) {
  SignSolver solver(this->Solver("lr_policy: 'fixed' base_lr: 0.5"));
  const vector<double> before = ParamsOf(solver.net().get());
  solver.Step(1);
  const vector<double> after = ParamsOf(solver.net().get());
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(after[i], before[i] - (LinearCoefficient(0, i) > 0 ? 0.5 : -0.5)) << i;
  }
}

TEST_F(SgdSolversTest, LeavesAFrozenParameterAlone) {
  const auto solver = MakeSolver<double>(
      this->Solver("lr_policy: 'fixed' base_lr: 0.5 momentum: 0.9 weight_decay: 0.1",
                   LinearNet("param { lr_mult: 0 } param { lr_mult: 1 }")));
  const vector<double> before = ParamsOf(solver->net().get());
  solver->Step(3);
  const vector<double> after = ParamsOf(solver->net().get());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(after[i], before[i]);
  for (int i = 3; i < 5; ++i) EXPECT_NE(after[i], before[i]);
}

TEST_F(SgdSolversTest, AStepIsNeitherAveragedNorClippedNorDecayedByDefault) {
  const string fields =
      "lr_policy: 'fixed' base_lr: 0.1 iter_size: 2 clip_gradients: 1e-3 weight_decay: 0.5";
  const auto solver = MakeSolver<double>(
      this->Solver(fields, LinearNet("param {} param { decay_mult: 1 }", "step_problem")));
  const vector<double> before = ParamsOf(solver->net().get());
  solver->Step(1);
  const vector<double> after = ParamsOf(solver->net().get());
  for (int i = 0; i < 5; ++i) {
    const double sum = LinearCoefficient(0, i) + LinearCoefficient(1, i);
    const double decay = i < 3 ? 0 : 0.5 * before[i];  // the second parameter asks for it
    EXPECT_NEAR(after[i], before[i] - static_cast<double>(0.1F) * (sum + decay), 1e-14) << i;
  }
}

TEST_F(SgdSolversTest, StepsDoNotCountInTheNormOfTheGradients) {
  const string gradients = LinearNet("param {} param {}");
  const string steps =
      " layer { name: 'step' type: 'LinearProblem' top: 'loss2' loss_weight: 100 "
      "inner_product_param { num_output: 4 } }";
  const string fields = "lr_policy: 'fixed' base_lr: 0.1 clip_gradients: 0.5";
  const auto alone = MakeSolver<double>(this->Solver(fields, gradients));
  const auto beside = MakeSolver<double>(this->Solver(fields, gradients + steps));
  alone->Step(3);
  beside->Step(3);
  vector<double> params = ParamsOf(beside->net().get());
  params.resize(5);
  EXPECT_EQ(params, ParamsOf(alone->net().get()));
}

TEST_F(SgdSolversTest, ThreadsDoNotChangeTheBits) {
  // Threads share the elements of all parameters: their shares end within a large one, and a small
  // one is whole.
  string net = LinearNet("", "problem", 100001);
  for (const string size : {"7", "40003"}) {
    net += " layer { name: 'more" + size + "' type: 'LinearProblem' top: 'loss" + size +
           "' loss_weight: 1 inner_product_param { num_output: " + size + " } }";
  }
  for (const string type : {"SGD", "Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam", "AdamW"}) {
    SCOPED_TRACE(type);
    const bool has_momentum = type != "AdaGrad" && type != "RMSProp";
    const string fields =
        "lr_policy: 'fixed' base_lr: 0.1 weight_decay: 0.01 clip_gradients: 0.5 "
        "type: '" +
        type + "' momentum: " + (has_momentum ? "0.9" : "0");
    vector<float> results[2];
    for (const int threads : {1, 3}) {
      omp_set_num_threads(threads);
      const auto solver = MakeSolver<float>(this->Solver(fields, net));
      solver->Step(2);
      results[threads / 2] = ParamsOf(solver->net().get());
    }
    omp_set_num_threads(omp_get_num_procs());
    EXPECT_EQ(results[0], results[1]);
  }
}

TEST_F(SgdSolversTest, RefusesParametersThatItsRuleCannotUse) {
  const string fields = "lr_policy: 'fixed' base_lr: 0.1 ";
  EXPECT_CAFFE_ERROR(MakeSolver<double>(this->Solver(fields + "type: 'AdaGrad' momentum: 0.5")),
                     "AdaGrad takes no momentum, got 0.5");
  EXPECT_CAFFE_ERROR(MakeSolver<double>(this->Solver(fields + "type: 'RMSProp' momentum: 0.5")),
                     "RMSProp takes no momentum, got 0.5");
  EXPECT_CAFFE_ERROR(MakeSolver<double>(this->Solver(fields + "type: 'RMSProp' rms_decay: 1")),
                     "rms_decay is 1, expected 0 or more and less than 1");
  EXPECT_CAFFE_ERROR(MakeSolver<double>(this->Solver(fields + "type: 'Adam' momentum: 1")),
                     "at least 0 and below 1, got 1 and 0.999");
  EXPECT_CAFFE_ERROR(
      MakeSolver<double>(this->Solver(fields + "type: 'AdamW' regularization_type: 'L1'")),
      "regularization_type is \"L1\", expected \"L2\"");
  EXPECT_CAFFE_ERROR(MakeSolver<double>(this->Solver(fields + "regularization_type: 'L3'")),
                     "regularization_type is \"L3\", expected \"L1\" or \"L2\"");
  EXPECT_CAFFE_ERROR(MakeSolver<double>(this->Solver(fields + "type: 'Adamw'")),
                     "unknown solver type \"Adamw\"; the nearest known types are Adam");
  EXPECT_CAFFE_ERROR(MakeSolver<double>(this->Solver(fields + "iter_size: 0")), "iter_size is 0");
}

TEST_F(SgdSolversTest, TheOldSolverTypeIsUnderstood) {
  const auto solver =
      MakeSolver<double>(this->Solver("lr_policy: 'fixed' base_lr: 0.1 solver_type: NESTEROV"));
  EXPECT_STREQ(solver->type(), "Nesterov");
}

}  // namespace
}  // namespace caffe
