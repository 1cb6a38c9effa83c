// Adam and AdamW: one rule, scaled in two ways.
#include <cmath>
#include <typeinfo>

#include "caffe/sgd_solvers.hpp"
#include "caffe/solvers/update_rules.hpp"

namespace caffe {

namespace {

template <typename Dtype>
AdamRule<Dtype> UnscaledRule(const SolverParameter& param) {
  return AdamRule<Dtype>{static_cast<Dtype>(param.momentum()),
                         static_cast<Dtype>(param.momentum2()), static_cast<Dtype>(param.delta()),
                         Dtype(1), Dtype(1)};
}

/** 1 − β^t */
double BiasCorrection(double beta, int iter) { return 1 - std::pow(beta, iter + 1); }

const SolverParameter& CheckedParam(const SolverParameter& param) {
  for (const float beta : {param.momentum(), param.momentum2()}) {
    CHECK(beta >= 0 && beta < 1) << "Adam's momentum and momentum2 are at least 0 and below 1, got "
                                 << param.momentum() << " and " << param.momentum2();
  }
  return param;
}

const SolverParameter& CheckedAdamWParam(const SolverParameter& param) {
  CHECK(param.regularization_type() == "L2")
      << "AdamW has a weight decay of its own: regularization_type is \""
      << param.regularization_type() << "\", expected \"L2\"";
  return CheckedParam(param);
}

}  // namespace

template <typename Dtype>
AdamSolver<Dtype>::AdamSolver(const SolverParameter& param)
    : SGDSolver<Dtype>(CheckedParam(param)) {
  this->AddHistory();
}

template <typename Dtype>
AdamSolver<Dtype>::AdamSolver(const string& param_file) : SGDSolver<Dtype>(param_file) {
  CheckedParam(this->param_);
  this->AddHistory();
}

template <typename Dtype>
void AdamSolver<Dtype>::RunRule(const ParamUpdate<Dtype>& update) const {
  AdamRule<Dtype> rule = UnscaledRule<Dtype>(this->param_);
  rule.m_scale =
      static_cast<Dtype>(std::sqrt(BiasCorrection(this->param_.momentum2(), this->iter_)) /
                         BiasCorrection(this->param_.momentum(), this->iter_));
  RunWithTwoHistories(update, rule);
}

template <typename Dtype>
bool AdamSolver<Dtype>::IsBuiltIn() const {
  return typeid(*this) == typeid(AdamSolver<Dtype>);
}

template <typename Dtype>
AdamWSolver<Dtype>::AdamWSolver(const SolverParameter& param)
    : SGDSolver<Dtype>(CheckedAdamWParam(param)) {
  this->AddHistory();
}

template <typename Dtype>
AdamWSolver<Dtype>::AdamWSolver(const string& param_file) : SGDSolver<Dtype>(param_file) {
  CheckedAdamWParam(this->param_);
  this->AddHistory();
}

template <typename Dtype>
void AdamWSolver<Dtype>::RunRule(const ParamUpdate<Dtype>& update) const {
  AdamRule<Dtype> rule = UnscaledRule<Dtype>(this->param_);
  rule.m_scale = static_cast<Dtype>(1 / BiasCorrection(this->param_.momentum(), this->iter_));
  rule.v_scale =
      static_cast<Dtype>(1 / std::sqrt(BiasCorrection(this->param_.momentum2(), this->iter_)));
  RunWithTwoHistories(update, rule);
}

template <typename Dtype>
bool AdamWSolver<Dtype>::IsBuiltIn() const {
  return typeid(*this) == typeid(AdamWSolver<Dtype>);
}

INSTANTIATE_CLASS(AdamSolver);
INSTANTIATE_CLASS(AdamWSolver);
REGISTER_SOLVER_CLASS(Adam);
REGISTER_SOLVER_CLASS(AdamW);

}  // namespace caffe
