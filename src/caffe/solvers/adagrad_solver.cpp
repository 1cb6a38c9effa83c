#include <typeinfo>

#include "caffe/sgd_solvers.hpp"
#include "caffe/solvers/update_rules.hpp"

namespace caffe {

namespace {

const SolverParameter& CheckedParam(const SolverParameter& param) {
  CHECK(param.momentum() == 0) << "AdaGrad takes no momentum, got " << param.momentum();
  return param;
}

}  // namespace

template <typename Dtype>
AdaGradSolver<Dtype>::AdaGradSolver(const SolverParameter& param)
    : SGDSolver<Dtype>(CheckedParam(param)) {}

template <typename Dtype>
AdaGradSolver<Dtype>::AdaGradSolver(const string& param_file) : SGDSolver<Dtype>(param_file) {
  CheckedParam(this->param_);
}

template <typename Dtype>
void AdaGradSolver<Dtype>::RunRule(const ParamUpdate<Dtype>& update) const {
  RunWithOneHistory(update, AdaGradRule<Dtype>{static_cast<Dtype>(this->param_.delta())});
}

template <typename Dtype>
bool AdaGradSolver<Dtype>::IsBuiltIn() const {
  return typeid(*this) == typeid(AdaGradSolver<Dtype>);
}

INSTANTIATE_CLASS(AdaGradSolver);
REGISTER_SOLVER_CLASS(AdaGrad);

}  // namespace caffe
