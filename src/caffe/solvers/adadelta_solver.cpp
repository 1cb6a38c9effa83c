#include <typeinfo>

#include "caffe/sgd_solvers.hpp"
#include "caffe/solvers/update_rules.hpp"

namespace caffe {

template <typename Dtype>
AdaDeltaSolver<Dtype>::AdaDeltaSolver(const SolverParameter& param) : SGDSolver<Dtype>(param) {
  this->AddHistory();
}

template <typename Dtype>
AdaDeltaSolver<Dtype>::AdaDeltaSolver(const string& param_file) : SGDSolver<Dtype>(param_file) {
  this->AddHistory();
}

template <typename Dtype>
void AdaDeltaSolver<Dtype>::RunRule(const ParamUpdate<Dtype>& update) const {
  RunWithTwoHistories(update, AdaDeltaRule<Dtype>{static_cast<Dtype>(this->param_.momentum()),
                                                  static_cast<Dtype>(this->param_.delta())});
}

template <typename Dtype>
bool AdaDeltaSolver<Dtype>::IsBuiltIn() const {
  return typeid(*this) == typeid(AdaDeltaSolver<Dtype>);
}

INSTANTIATE_CLASS(AdaDeltaSolver);
REGISTER_SOLVER_CLASS(AdaDelta);

}  // namespace caffe
