#include <typeinfo>

#include "caffe/sgd_solvers.hpp"
#include "caffe/solvers/update_rules.hpp"

namespace caffe {

namespace {

const SolverParameter& CheckedParam(const SolverParameter& param) {
  CHECK(param.momentum() == 0) << "RMSProp takes no momentum, got " << param.momentum();
  CHECK(param.rms_decay() >= 0 && param.rms_decay() < 1)
      << "rms_decay is " << param.rms_decay() << ", expected 0 or more and less than 1";
  return param;
}

}  // namespace

template <typename Dtype>
RMSPropSolver<Dtype>::RMSPropSolver(const SolverParameter& param)
    : SGDSolver<Dtype>(CheckedParam(param)) {}

template <typename Dtype>
RMSPropSolver<Dtype>::RMSPropSolver(const string& param_file) : SGDSolver<Dtype>(param_file) {
  CheckedParam(this->param_);
}

template <typename Dtype>
void RMSPropSolver<Dtype>::RunRule(const ParamUpdate<Dtype>& update) const {
  RunWithOneHistory(update, RmsPropRule<Dtype>{static_cast<Dtype>(this->param_.rms_decay()),
                                               static_cast<Dtype>(this->param_.delta())});
}

template <typename Dtype>
bool RMSPropSolver<Dtype>::IsBuiltIn() const {
  return typeid(*this) == typeid(RMSPropSolver<Dtype>);
}

INSTANTIATE_CLASS(RMSPropSolver);
REGISTER_SOLVER_CLASS(RMSProp);

}  // namespace caffe
